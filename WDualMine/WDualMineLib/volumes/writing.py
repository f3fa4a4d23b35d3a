"""Volumes to disk: complete or not at all, and never over an existing file unless asked."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import NoRoom, OutputError
from . import nifti
from .arrays import storable
from .geometry import Geometry
from .modality import MODALITY
from .nrrd import write_nrrd
from .partials import claimed, partial_beside, sweep
from .paths import require_unicode_output
from .volume import Volume

_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")
_LONGEST_FIRST = sorted(_SUFFIXES, key=len)[::-1]
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_volume(
    volume: Volume, path: str | os.PathLike[str], *, force: bool = False, compress: bool = True
) -> Path:
    """Write a scalar or colour volume; the suffix of ``path`` decides on the format.

    Arrays of types that no format holds are converted (:func:`~.arrays.storable`). The modality
    goes among the attributes.

    NRRD (``.nrrd``) keeps geometry to the last bit where its readers can, and all attributes. MHA
    (``.mha``) keeps geometry to the last bit, and attributes of one line. NIfTI (``.nii``,
    ``.nii.gz``) rounds geometry to float32, takes no attributes, and cannot hold a sheared grid.

    Raises:
        OutputError: unknown suffix, the file exists and ``force`` is off, no room or permission,
            voxels that are no numbers, or a sheared grid for NIfTI.
    """
    path = Path(path)
    require_unicode_output(path)
    attributes = dict(volume.attributes)
    if volume.modality:
        attributes.setdefault(MODALITY, volume.modality)
    array = storable(volume.array, volume.name)
    volume = Volume(array, volume.geometry, volume.name, volume.modality, attributes)
    suffix = next((s for s in _LONGEST_FIRST if path.name.endswith(s)), None)
    if suffix is None:
        raise OutputError(
            f"{path.name} has no suffix of a format that can be written",
            f"Use one of {', '.join(_SUFFIXES)}",
        )
    if suffix.startswith(".nii"):
        _require_rigid(volume.geometry, path)
    with atomic_path(path, force=force) as partial, writing_errors(path):
        if suffix == ".nrrd":
            with partial.open("wb") as stream:
                write_nrrd(volume, stream, compress)
        else:
            _write_with_itk(volume, partial, compress, with_attributes=suffix == ".mha")
    return path


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
    suffix = next((s for s in _LONGEST_FIRST if path.name.endswith(s)), path.suffix)
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


def _require_rigid(geometry: Geometry, path: Path) -> None:
    direction = geometry.direction_matrix
    if np.abs(direction.T @ direction - np.eye(3)).max() > 1e-4:
        raise OutputError(
            f"{path.name} cannot hold a sheared grid: ITK's NIfTI writer straightens it",
            "Write .nrrd or .mha instead",
        )


def _write_with_itk(volume: Volume, path: Path, compress: bool, with_attributes: bool) -> None:
    image = sitk.GetImageFromArray(volume.array, isVector=volume.is_colour)
    image.SetSpacing(volume.geometry.spacing)
    image.SetOrigin(volume.geometry.origin)
    image.SetDirection(volume.geometry.direction)
    for key, value in volume.attributes.items() if with_attributes else ():
        text = value if isinstance(value, str) else json.dumps(value)
        # MetaImage has no escapes: a line break or an equals sign would end the header early.
        image.SetMetaData("_".join(key.replace("=", " ").split()), " ".join(text.split()))
    sitk.WriteImage(image, str(path), compress)
    if not _is_complete(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _is_complete(path: Path) -> bool:
    """ITK's NIfTI writer says nothing of a full disk, nor MetaIO of one that fills at the end."""
    try:
        header = nifti.read_header(path)
        if header is not None:
            return header.is_complete()
        sitk.ReadImage(str(path))
    except (nifti.DamagedFile, RuntimeError):
        return False
    return True
