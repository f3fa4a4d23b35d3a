"""Paths that users give: what can be opened without harm, and how they are written out as text."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import InputError, OutputError, WDualMineError, printable

__all__ = ["printable", "require_readable", "require_unicode", "require_unicode_output"]

_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def require_readable(path: Path) -> None:
    """Raise :class:`InputError` unless ``path`` is a folder or a regular file that can be opened.

    A pipe would be waited for, and a device read, without end.
    """
    shown = printable(path)
    try:
        mode = path.stat().st_mode
        kind = next((words for is_it, words in _SPECIAL if is_it(mode)), "")
        if kind:
            raise InputError(f"{shown} is {kind}, not a file", "Give a file or a folder")
        if stat.S_ISDIR(mode):
            next(os.scandir(path), None)
            return
        with path.open("rb") as stream:
            if not stream.read(1):
                raise InputError(f"{shown} is empty", "Copy or download the file again")
    except FileNotFoundError as error:
        raise InputError(f"{shown} does not exist", "Check the path for typing errors") from error
    except PermissionError as error:
        raise InputError(
            f"{shown} may not be read: permission denied", "Ask its owner for permission to read it"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{shown} cannot be read: {reason}", "Check the path and the disk"
        ) from error


def require_unicode(path: str | os.PathLike[str], error: type[WDualMineError] = InputError) -> None:
    """Raise ``error`` where a path holds bytes that are no text: ITK ends the program on them."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as cause:
        raise error(
            f"The path {printable(path)} holds bytes that are no Unicode text, and the library "
            "that reads and writes images cannot open it",
            "Rename the file and its folders, or copy it elsewhere",
        ) from cause


def require_unicode_output(path: str | os.PathLike[str]) -> None:
    """:func:`require_unicode` for something to be written."""
    require_unicode(path, OutputError)
