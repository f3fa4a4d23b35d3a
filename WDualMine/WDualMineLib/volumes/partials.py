"""Unfinished outputs: named so that they are known, claimed by who writes them, swept when dead.

A process that is killed, or whose machine loses power, leaves its unfinished folder behind. The
system releases the lock that it held, by which the next run knows that nobody is writing there.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: nothing is claimed there, hence nothing swept
    fcntl = None  # type: ignore[assignment]

_NAME = re.compile(r"\.partial-[0-9a-f]{8}([-.].*)?")
# Between making a folder and claiming it another process must not take it for a dead one's.
_YOUNG_SECONDS = 1.0


def partial_beside(path: Path, suffix: str = "") -> Path:
    """A name that is not taken, in the folder of ``path``, short whatever that one's name is."""
    return path.with_name(f".partial-{secrets.token_hex(4)}{suffix}")


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold the claim on the existing file or folder ``path``, as long as the body runs."""
    descriptor = None
    if fcntl is not None:
        # Some network drives know no locks: then it is unclaimed, and young while it grows.
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def sweep(folder: Path) -> list[Path]:
    """Remove from ``folder`` what dead processes left unfinished, and return what that was."""
    if fcntl is None:
        return []
    swept = []
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if _NAME.fullmatch(entry.name) and _is_abandoned(entry):
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
                swept.append(path)
    return swept


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    try:
        if entry.is_symlink() or time.time() - entry.stat().st_mtime < _YOUNG_SECONDS:
            return False
        descriptor = os.open(entry.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except OSError:  # claimed, not ours, or on a drive without locks
        return False
    return True
