"""What is taken as a volume: an image file, a DICOM folder, or a DICOM file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..volumes.reading import is_dicom, read_volume, require_readable
from ..volumes.scratch import let_go
from ..volumes.volume import Volume

_CHUNK = 1 << 22


class NoSeries(InputError):
    """A series was chosen where there are none."""


def read(source: Volume | str | os.PathLike[str], series_uid: str | None = None) -> Volume:
    """A scalar volume, from wherever it lies.

    Args:
        source: a NIfTI, NRRD or MetaImage file; a DICOM folder, or one file of a series, as
            :func:`~..dicom.read.read_series` takes it; or a volume, which comes back as it is.
        series_uid: which series of a DICOM folder, where there are several.

    Returns:
        float32 (K, J, I) in the units of the file. ``notes`` hold what the user must be told;
        ``context`` what a DICOM series says beside the voxels.

    Raises:
        SeveralSeries: the folder holds several series and ``series_uid`` chooses none.
        InputError: it cannot be used as a scalar 3-D volume.
    """
    if isinstance(source, Volume):
        return source
    path = Path(source)
    require_readable(path)
    with _libraries_silenced():
        if not is_dicom(path):
            if series_uid is not None:
                raise NoSeries(
                    f"{path} is a single file, in which there are no DICOM series to choose from",
                    "Leave the series out",
                )
            return read_volume(path)
        # Here and not above: pydicom is slow to import and most volumes are not DICOM.
        from ..dicom.read import read_series

        return replace(read_series(path, series_uid).volume, path=path)


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


def voxel_fingerprint(array: np.ndarray) -> str:
    """SHA-256 of the voxels as they were read, whatever the file format."""
    digest = hashlib.sha256()
    for part in array:
        digest.update(np.ascontiguousarray(part).data)
        let_go()
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")
