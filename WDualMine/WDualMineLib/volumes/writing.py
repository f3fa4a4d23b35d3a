"""Volumes to disk, in the format that the name of the file asks for."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import OutputError
from . import nifti
from .arrays import storable
from .geometry import Geometry
from .modality import MODALITY
from .nrrd import write_nrrd
from .paths import require_unicode_output
from .volume import Volume
from .whole_files import atomic_path, writing_errors

_SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha")
_LONGEST_FIRST = sorted(_SUFFIXES, key=len)[::-1]


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
