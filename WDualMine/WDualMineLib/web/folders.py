"""Which files may be read: those within the folders that were given, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError

_HEADER = 1 << 16
_ELSEWHERE = (b"data file", b"datafile", b"elementdatafile")


def require_within(path: Path, folders: Sequence[Path]) -> None:
    """Refuse what lies outside of ``folders``, wherever its links lead.

    Headers that name a second file are refused too: that one may lie anywhere.

    Raises:
        InputError: it does, or its header does.
    """
    real = path.resolve()
    if real.is_dir():
        for inside in real.rglob("*"):
            if inside.is_symlink():
                require_within(inside, folders)
    if not any(real.is_relative_to(folder.resolve()) for folder in folders):
        raise InputError(
            f"{path.name} lies outside of the folders that may be read",
            "Give its folder with --sources",
        )
    if real.suffix.lower() in (".nrrd", ".nhdr", ".mha", ".mhd") and real.is_file():
        with real.open("rb") as stream:
            header = stream.read(_HEADER)
        for line in header.splitlines():
            key, _, value = line.partition(b"=" if b"=" in line else b":")
            if not line.strip():
                break
            local = value.strip().upper() == b"LOCAL"
            if key.strip().lower() in _ELSEWHERE and not local:
                raise InputError(
                    f"{path.name} keeps its voxels in another file",
                    "Save it as one file",
                )
            if local:
                break
