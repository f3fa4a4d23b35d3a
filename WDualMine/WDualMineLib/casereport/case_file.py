"""The page of a case as a file: ``.pdf`` or ``.png``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..pipeline.result import Result
from ..volumes.whole_files import atomic_path, writing_errors
from .columns import pictures_of
from .content import words_of
from .sheet import DOTS_PER_INCH, draw

_KINDS = {".pdf": "PDF", ".png": "PNG"}


def kind_of(path: Path) -> str:
    """The kind of file that ``path`` asks for.

    Raises:
        InputError: it is neither ``.pdf`` nor ``.png``.
    """
    if path.suffix.lower() not in _KINDS:
        raise InputError(
            f"{path.name} is neither a .pdf nor a .png", "Give a name with one of them"
        )
    return _KINDS[path.suffix.lower()]


def write_case(
    result: Result,
    path: str | os.PathLike[str],
    notes: Sequence[str] = (),
    *,
    force: bool = False,
) -> Path:
    """Write the page of ``result``, whole or not at all.

    What tells whose the result is stands on it unless it was removed before
    (:func:`~..pipeline.anonymous.anonymous`).

    Args:
        result: with its sources, if they are to be seen.
        path: ends in ``.pdf`` or ``.png``.
        notes: sentences on the page itself.
        force: whether a file that exists is replaced.

    Returns:
        ``path``.

    Raises:
        InputError: the name ends in something else.
        OutputError: the file exists, or cannot be written.
    """
    path = Path(path)
    kind = kind_of(path)
    page = words_of(result, notes)
    sheet = draw(page, *pictures_of(result, page.doubts))
    with atomic_path(path, force=force) as partial, writing_errors(path):
        sheet.save(partial, format=kind, resolution=DOTS_PER_INCH)
    return path
