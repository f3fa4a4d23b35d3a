"""A group of output files, moved into place together once all of them are complete."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import OutputError
from .partials import claimed, partial_beside, sweep
from .paths import printable, require_unicode_output
from .whole_files import refuse_existing, writing_errors


@contextmanager
def staged_folder(destination: Path, *, force: bool = False) -> Iterator[Path]:
    """A hidden folder to write into, whose files move to ``destination`` at the end.

    It lies inside ``destination`` if that is there (which may be a mount of its own), else beside.

    What dead processes left unfinished there is removed (:mod:`.partials`).

    On any exception in the body, an interrupt included, the hidden folder is removed and
    ``destination`` is as it was (absent, if it was absent). A failure while moving puts back what
    was moved and replaced.

    Args:
        destination: the output folder; made, with its parents, if it is not there. Files in it
            that are not among the new ones stay.
        force: whether new files may replace existing ones.

    Raises:
        OutputError: ``destination`` is a file, a new file exists already, or the disk refuses.
    """
    check_destination(destination)
    destination = destination.absolute()
    home = destination if destination.is_dir() else destination.parent
    staging = partial_beside(home / "any")
    made = [p for p in destination.parents if not p.exists()]
    done = False
    try:
        with writing_errors(destination):
            sweep(home)
            staging.mkdir(parents=True)
        with claimed(staging):
            yield staging
            with interrupts_held(), writing_errors(destination):
                _publish(staging, destination, force)
                done = True
    except OutputError as error:
        # Users know nothing of the hidden folder.
        what = error.what.replace(str(staging), str(destination))
        raise type(error)(what, error.remedy) from error
    finally:
        with interrupts_held():
            shutil.rmtree(staging, ignore_errors=True)
            for parent in () if done else made:
                with suppress(OSError):
                    parent.rmdir()


def check_destination(destination: Path, names: Sequence[str] = (), *, force: bool = False) -> None:
    """What :func:`staged_folder` would find wrong, before any work is done.

    Args:
        destination, force: as there.
        names: the files to be written, relative to ``destination``.

    Raises:
        OutputError: ``destination`` is no folder, may not be written into, or holds one of
            ``names`` that may not be replaced.
    """
    require_unicode_output(destination)
    try:
        nearest = next(p for p in (destination, *destination.absolute().parents) if p.exists())
    except OSError as error:
        raise OutputError(
            f"{printable(destination)} cannot be written into: {error.strerror}",
            "Give a shorter path, or another one",
        ) from error
    if not nearest.is_dir():
        raise OutputError(f"{nearest} is a file", "Give a folder to write into")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{nearest} may not be written into", "Choose a folder of your own")
    refuse_existing([destination / name for name in names], force=force)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP wait until the body is through; main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    names = (name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    before = {}
    for number in (getattr(signal, name) for name in names):
        # Those that end the process, or are ignored, are left to the system.
        if callable(signal.getsignal(number)):
            before[number] = signal.signal(number, lambda number, _frame: pending.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if pending:
            signal.raise_signal(pending[0])


def _publish(staging: Path, destination: Path, force: bool) -> None:
    names = sorted(p.relative_to(staging) for p in staging.rglob("*") if p.is_file())
    refuse_existing([destination / name for name in names], force=force)
    if not destination.exists():
        staging.rename(destination)
        return
    replaced = staging / ".replaced"
    undo: list[tuple[Path, Path]] = []
    try:
        for name in names:
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                (replaced / name).parent.mkdir(parents=True, exist_ok=True)
                target.rename(replaced / name)
                undo.append((replaced / name, target))
            (staging / name).rename(target)
            undo.append((target, staging / name))
    except OSError:
        for here, there in reversed(undo):
            here.rename(there)
        raise
