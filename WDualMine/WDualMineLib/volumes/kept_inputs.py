"""No output may replace an input, whatever the user allowed to be replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import InputError, OutputError
from .headers import read_text_header
from .nifti import partners
from .paths import printable


def refuse_overwriting(
    outputs: Iterable[Path], inputs: Iterable[Path | str | None], *, remedy: str = ""
) -> None:
    """Refuse outputs that are inputs, under any name: by another path, or through a link.

    Args:
        outputs: files to be written.
        inputs: files, or folders with all that is in them; None for one that was not given.

    Raises:
        OutputError: one of ``outputs`` is among ``inputs``.
    """
    there = [path for path in outputs if path.exists()]
    if not there:
        return
    kept = {_identity(file) for path in inputs if path is not None for file in files_of(Path(path))}
    for path in there:
        if _identity(path) in kept:
            raise OutputError(
                f"{printable(path)} is one of the inputs, and would be replaced",
                remedy or "Choose another output folder; --force does not allow this",
            )


def files_of(path: Path) -> Iterator[Path]:
    """The files that ``path`` stands for: itself, its other half, those that its header names; of
    a folder all that is in it."""
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
        return
    if not path.is_file():
        return
    yield from partners(path)
    try:
        header = read_text_header(path)
    except (InputError, OSError):
        return  # it cannot be read, which is said by who reads it
    yield from header.data if header is not None else ()


def _identity(path: Path) -> tuple[int, int] | str:
    stat = path.stat()
    # File systems without numbers for files give 0.
    return (stat.st_dev, stat.st_ino) if stat.st_ino else str(path.resolve())
