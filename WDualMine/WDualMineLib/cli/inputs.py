"""What a command takes as a volume: an image file, a DICOM folder, or a DICOM file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..dicom.context import SeriesContext
from ..errors import InputError
from ..volumes.reading import NOTES, is_dicom, read_volume, require_readable
from ..volumes.volume import Volume

_CHUNK = 1 << 22


@dataclass(frozen=True)
class Source:
    """A volume read, with what its DICOM series says beside the voxels; None for other files."""

    volume: Volume
    context: SeriesContext | None = None


def read_source(path: Path, series_uid: str | None, option: str) -> Source:
    """The volume at ``path``; notes for the user are in its attributes (:func:`notes_of`).

    Args:
        path: a file that :func:`~..volumes.reading.read_volume` reads, or DICOM as
            :func:`~..dicom.read.read_series` takes it.
        series_uid: which series of a DICOM folder, where there are several.
        option: how the user would have said that, such as "--fixed-series".

    Raises:
        InputError: it cannot be used as a scalar 3-D volume.
    """
    require_readable(path)
    if is_dicom(path):
        # Here and not above: pydicom is slow to import and most volumes are not DICOM.
        from ..dicom.read import read_series

        with naming_option(option), _libraries_silenced():
            series = read_series(path, series_uid)
            return Source(series.volume, series.context)
    if series_uid is not None:
        raise InputError(
            f"{path} is a single file, in which there are no DICOM series to choose from",
            f"Leave {option} out",
        )
    with _libraries_silenced():
        return Source(read_volume(path))


@contextmanager
def naming_option(option: str) -> Iterator[None]:
    """Where one of several series must be chosen, say by which option of this command."""
    from ..dicom.read import SeveralSeries

    try:
        yield
    except SeveralSeries as error:
        raise InputError(
            error.what, f"Choose one with {option} UID, or give the folder of one of them"
        ) from error


@contextmanager
def _libraries_silenced() -> Iterator[None]:
    """Drop what ITK's and other native code prints on stderr: it is said as an error or a note."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def notes_of(volume: Volume) -> list[str]:
    """Sentences that reading left for the user."""
    return [note for note in str(volume.attributes.get(NOTES, "")).split("\n") if note]


def fingerprint(path: Path) -> str:
    """SHA-256 of a file; for a folder, of the sorted names and SHA-256 of its files."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        lines = (f"{p.relative_to(path).as_posix()} {fingerprint(p)}\n" for p in files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def voxel_fingerprint(volume: Volume) -> str:
    """SHA-256 of the voxels as they were read, whatever the file format."""
    return hashlib.sha256(np.ascontiguousarray(volume.array)).hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")
