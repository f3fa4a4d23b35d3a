"""Where things lie below the output folder of a batch, and who may write there."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..volumes.staging import check_destination
from ..volumes.whole_files import writing_errors

try:
    import fcntl
except ImportError:  # Windows: two batches on one folder are not kept apart there
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Places:
    """The output folder.

    Attributes:
        root: what the user gave, absolute.
    """

    root: Path

    @property
    def studies(self) -> Path:
        """A folder a study, each as ``wdualmine fuse`` writes it."""
        return self.root / "studies"

    def failure(self, name: str) -> Path:
        """The file that tells how a study failed."""
        return self.root / ".batch" / "failures" / f"{name}.json"

    def require_usable(self) -> None:
        """Refuse a folder that cannot be written into, by writing into it.

        Raises:
            OutputError: no folder, read-only, or no room.
        """
        check_destination(self.root)
        for folder in (self.studies, self.failure("any").parent):
            with writing_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
        probe = self.root / ".batch" / "probe"
        with writing_errors(probe):
            try:
                # Asked of the disk, and not of a cache that takes what there is no room for.
                with probe.open("wb") as stream:
                    stream.write(bytes(1 << 12))
                    stream.flush()
                    os.fsync(stream.fileno())
            finally:
                probe.unlink(missing_ok=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other batches out of the folder while the body runs.

        Raises:
            OutputError: another one is at work there.
        """
        path = self.root / ".batch" / "lock"
        # What goes wrong in the body is no matter of this file.
        with writing_errors(path):
            lock = path.open("a")
        with lock:
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                        raise OutputError(
                            f"Another batch is at work in {self.root}",
                            "Wait for it, or choose another folder",
                        ) from error
                    # Some network drives know no locks.
            yield

    def read_failure(self, name: str) -> dict[str, Any] | None:
        """How a study failed, as :meth:`write_failure` wrote it; None if it did not."""
        try:
            told = json.loads(self.failure(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def write_failure(self, name: str, told: dict[str, Any] | None) -> None:
        """Keep how a study failed; None for a study that did not.

        Raises:
            OSError: no room.
        """
        path = self.failure(name)
        if told is None:
            path.unlink(missing_ok=True)
        else:
            write_whole(path, json.dumps(told, indent=1, ensure_ascii=False))


def write_whole(path: Path, text: str) -> None:
    """Write a text file that readers see whole, the old one or the new one.

    Raises:
        OSError: no room; the old one stays.
    """
    partial = path.with_name(f".{path.name}.new")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
