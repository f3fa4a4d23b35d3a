"""Files complete or not at all, and never over an existing one unless asked."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import NoRoom, OutputError
from .partials import claimed, partial_beside, sweep

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_text(path: Path, text: str, *, force: bool = False) -> None:
    """Write ``text`` and a line break at its end as UTF-8, whole or not at all.

    Raises:
        OutputError: the file exists and ``force`` is off, or the disk refuses.
    """
    with atomic_path(path, force=force) as partial, writing_errors(path):
        partial.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


@contextmanager
def atomic_path(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A hidden sibling of ``path`` with the same suffix, renamed to ``path`` if all goes well.

    On any exception, an interrupt included, the sibling is removed and ``path`` is as it was. What
    the body raises stays what it is; :func:`writing_errors` is for its lines that write.

    Raises:
        OutputError: ``path`` exists and ``force`` is off, or the disk refuses.
    """
    refuse_existing([path], force=force)
    # Of two parts where it has them, as .nii.gz: writers go by it.
    suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
    partial = partial_beside(path, suffix)
    sweep(path.parent)
    try:
        with writing_errors(path):
            partial.touch()
        with claimed(partial):
            yield partial
        with writing_errors(path):
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink()


def refuse_existing(paths: list[Path], *, force: bool) -> None:
    """Raise :class:`OutputError` if one of ``paths`` is there and may not be replaced."""
    try:
        taken = [path for path in paths if path.is_dir() or (path.exists() and not force)]
    except OSError as error:  # a name too long, or a loop of links
        raise _output_error(paths[0], error.errno, error.strerror or str(error)) from error
    if not taken:
        return
    if taken[0].is_dir():
        raise OutputError(f"{taken[0]} is a folder", "Give the name of a file")
    others = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
    raise OutputError(
        f"{taken[0]} exists already{others}", "Use --force to replace it, or choose another place"
    )


@contextmanager
def writing_errors(path: Path) -> Iterator[None]:
    """Turn an OSError, or ITK's account of one, into an :class:`OutputError` about ``path``.

    Around lines that write ``path`` and do nothing else: what others do wrong there would be told
    as a fault of the disk.
    """
    try:
        yield
    except OSError as error:
        cause = _system_error(error)
        raise _output_error(path, cause.errno, cause.strerror or str(cause)) from error
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        code = next((c for c in _NO_ROOM if os.strerror(c) in str(error)), None)
        raise _output_error(path, code, reason) from error


def _system_error(error: OSError) -> OSError:
    """What the system said, where a library wraps it in an OSError without a number."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _output_error(path: Path, code: int | None, reason: str) -> OutputError:
    if code in _NO_ROOM:
        return NoRoom(
            f"There is no room on the disk for {path} ({os.strerror(code)})",
            "Free some space, or write elsewhere",
        )
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(f"{path} may not be written: {reason}", "Choose a folder of your own")
    if code == errno.ENOENT:
        return OutputError(f"The folder {path.parent} does not exist", "Make it first")
    return OutputError(f"{path} cannot be written: {reason}", "Check the path and the disk")
