"""Image files in, :class:`Volume` out, with the geometry exactly as the file has it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from . import nifti, scratch
from .formats import notes_on_format, refuse_analyze_image, refuse_by_content
from .geometry import Geometry
from .headers import TextHeader, read_text_header, require_fitting_voxels
from .memory import require_memory
from .modality import header_modality
from .paths import printable, require_readable, require_unicode
from .placement import placed
from .volume import Volume

__all__ = ["NOTES", "geometry_of", "is_dicom", "read_volume", "require_readable", "stem"]

NOTES = "notes"
"""Key under which a NRRD keeps the notes on its volume, one a line."""

_NEEDS = "Give a NIfTI, NRRD or MetaImage file, or the folder of a DICOM series"
_DICOM_ELSEWHERE = "Read it with WDualMineLib.dicom.read.read_series"
_PERMISSIVE = "ITK_NIFTI_SFORM_PERMISSIVE"
# A sform that moves no corner by more than this part of a voxel is ITK's own up to rounding.
_SAME_PLACE = 0.01


def read_volume(path: str | os.PathLike[str]) -> Volume:
    """Read one scalar 3-D volume.

    Args:
        path: a NIfTI, NRRD or MetaImage file, or another that ITK reads; DICOM is read by
            :func:`~..dicom.read.read_series`.

    Returns:
        The volume with a float32 array (K, J, I), stored values times slope plus intercept; NaN
        and infinite voxels are left as they are. The name is the file's without its suffix. The
        geometry is ITK's, but for a NIfTI whose sform ITK would orthogonalise or pass over: there
        the sform as written. ``notes`` tell of that; the key/value pairs of a NRRD or MetaImage
        come along as attributes, and the modality where they name one.

    Raises:
        InputError: missing, no regular file, unreadable, not an image, cut short, larger than the
            memory, of a format or with lengths that cannot be told for certain, 2-D, 4-D, colour
            or complex.
    """
    path = Path(path)
    require_readable(path)
    if is_dicom(path):
        raise InputError(f"{path} is DICOM and not a single image file", _DICOM_ELSEWHERE)
    require_unicode(path)
    refuse_by_content(path)
    refuse_analyze_image(path)
    header = _complete_nifti_header(path)
    text = read_text_header(path)
    if text is not None:
        require_fitting_voxels(text)
    with _itk_reading(path):
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        _require_scalar_volume(reader, path)
        notes = notes_on_format(path, _format_of(reader))
        voxels = prod(reader.GetSize())
        require_memory(path.name, voxels, _bytes_of(reader.GetPixelID()))
        if 4 * voxels < scratch.LARGE:
            reader.SetOutputPixelType(sitk.sitkFloat32)
        image = reader.Execute()
    while image.GetDimension() > 3:
        image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
    array = _as_float32(image)
    try:
        geometry, more = _placed(geometry_of(image), header, text, path.name)
    except ValueError as error:
        raise InputError(
            f"{path.name} has an unusable geometry: {error}", "Repair its header and try again"
        ) from error
    attributes = _attributes(reader)
    told = tuple([*attributes.pop(NOTES, "").splitlines(), *notes, *more])
    name = printable(stem(path))
    return Volume(array, geometry, name, header_modality(attributes), attributes, told, path=path)


def _bytes_of(pixel: int) -> int:
    """Of a voxel as it is stored; the most that there are where the name of the type tells none."""
    told = re.match(r"(\d+)-bit", sitk.GetPixelIDValueAsString(pixel))
    return int(told[1]) // 8 if told else 8


def _as_float32(image: sitk.Image) -> np.ndarray:
    """Voxels (K, J, I). Those of a large image come as they are stored, and go to the disk."""
    stored = sitk.GetArrayViewFromImage(image)
    array = scratch.empty(stored.shape)
    for into, values in zip(array, stored, strict=True):
        into[...] = values
        scratch.let_go()
    return array


def _format_of(reader: sitk.ImageFileReader) -> str:
    """ITK's name of the class that reads the file; SimpleITK tells it of some formats only."""
    found = sitk.ImageFileReader.GetImageIOFromFileName(reader.GetFileName())
    return reader.GetImageIO() or found


def _placed(
    itk: Geometry, header: nifti.NiftiHeader | None, text: TextHeader | None, name: str
) -> tuple[Geometry, list[str]]:
    if text is not None:
        return placed(text, itk)
    if header is None:
        return itk, []
    geometry, note = _nifti_geometry(header, itk, printable(name))
    return geometry, [note] if note else []


def geometry_of(image: sitk.Image) -> Geometry:
    """The grid of a 3-D SimpleITK image; ValueError if it is singular or not finite."""
    numbers = (*image.GetSpacing(), *image.GetOrigin(), *image.GetDirection())
    if not np.isfinite(numbers).all():
        raise ValueError("spacing, origin and directions must be finite")
    return Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())


def is_dicom(path: Path) -> bool:
    """Whether ``path`` is a folder or a DICOM file: both are for the DICOM reader."""
    if path.is_dir():
        return True
    with path.open("rb") as stream:
        stream.seek(128)
        return stream.read(4) == b"DICM"


def stem(path: Path) -> str:
    """The name without folder and suffix (``.nii.gz`` counts as one)."""
    name = path.name
    return Path(name[:-3] if name.lower().endswith(".gz") else name).stem


def _require_scalar_volume(reader: sitk.ImageFileReader, path: Path) -> None:
    size = reader.GetSize()
    if reader.GetDimension() < 3:
        raise InputError(
            f"{path.name} is a {len(size)}-D image ({' x '.join(map(str, size))})",
            "Give a 3-D volume, or use `wdualmine fuse-images` for folders of 2-D images",
        )
    if any(n > 1 for n in size[3:]):
        raise InputError(
            f"{path.name} is {len(size)}-D ({' x '.join(map(str, size))})",
            "Extract one 3-D volume (one time point or channel) and give that",
        )
    components = reader.GetNumberOfComponents()
    pixel_type = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    if components > 1 or "complex" in pixel_type:
        raise InputError(
            f"{path.name} has {components} components a voxel ({pixel_type}) and is not scalar",
            "Convert it to a scalar volume, for colour its luminance, and give that",
        )


def _complete_nifti_header(path: Path) -> nifti.NiftiHeader | None:
    """The NIfTI header, if it is one; ITK would read a truncated file without a word."""
    try:
        header = nifti.read_header(path)
        if header is None or header.is_complete():
            return header
    except nifti.DamagedFile:
        pass
    except FileNotFoundError as error:
        raise InputError(
            f"{error.filename} is missing, without which {path.name} cannot be read",
            "Keep the .hdr and .img files of an image together",
        ) from error
    raise InputError(f"{path.name} is cut short or damaged", "Copy or download the file again")


def _nifti_geometry(header: nifti.NiftiHeader, itk: Geometry, name: str) -> tuple[Geometry, str]:
    """The sform if there is one (as nibabel, SPM and FSL do), in ITK's numbers where both agree.

    ITK 5.4 takes the qform where the two differ and orthogonalises a sheared sform.
    """
    if header.sform is None:
        if header.unusable:
            raise ValueError(header.unusable)
        if header.has_qform:
            return itk, ""
        return itk, f"{name} says nothing of its orientation; its axes were taken as L, P, S"
    indices = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    indices[:, :3] *= np.array(itk.size) - 1
    shift = indices @ (header.sform - itk.ijk_to_lps[:3]).T
    distance = float(np.linalg.norm(shift, axis=1).max())
    if distance <= _SAME_PLACE * min(itk.spacing):
        return itk, ""
    spacing = np.linalg.norm(header.sform[:, :3], axis=0)
    direction = header.sform[:, :3] / spacing
    geometry = Geometry(
        itk.size,
        tuple(spacing.tolist()),
        tuple(header.sform[:, 3].tolist()),
        tuple(direction.ravel().tolist()),
    )
    skew = np.abs(direction.T @ direction - np.eye(3)).max()
    if skew > 1e-4:
        return geometry, f"{name} has a sheared grid (NIfTI sform), which was kept as it is"
    return geometry, (
        f"The qform and the sform of {name} place it up to {distance:.1f} mm apart; "
        "the sform was used, and programs that use the qform will show it elsewhere"
    )


def _attributes(reader: sitk.ImageFileReader) -> dict[str, str]:
    """Key/value pairs that a person or a program wrote into a NRRD or MetaImage file."""
    keys = reader.GetMetaDataKeys()
    if not any(key.startswith("NRRD_") or key == "Modality" for key in keys):
        return {}
    found = {}
    for key in keys:
        if key.isprintable() and not key.startswith(("ITK_", "NRRD_")):
            with suppress(UnicodeError):  # bytes that are no text
                found[key] = reader.GetMetaData(key)
    return found


def _reason(error: RuntimeError) -> str:
    """ITK's own words, where they are words: without the addresses of its objects."""
    last = re.sub(r"^ITK ERROR: \w+\(0x[0-9a-f]+\): ", "", str(error).strip().splitlines()[-1])
    if "No such file" in last or not re.search("[a-z]{3}", last):
        return "its header is damaged, or its voxels are missing or cut short"
    return last.strip()


@contextmanager
def _itk_reading(path: Path) -> Iterator[None]:
    """Keep ITK quiet and lenient about shear, and turn its exceptions into an InputError."""
    warnings = sitk.ProcessObject.GetGlobalWarningDisplay()
    before = os.environ.get(_PERMISSIVE)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    os.environ[_PERMISSIVE] = "1"
    try:
        yield
    except RuntimeError as error:
        reason = _reason(error)
        if "Unable to determine ImageIO" in reason:
            raise InputError(
                f"{path.name} is not an image of a format that can be read", _NEEDS
            ) from error
        raise InputError(f"{path.name} cannot be read as an image: {reason}", _NEEDS) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(warnings)
        if before is None:
            del os.environ[_PERMISSIVE]
        else:
            os.environ[_PERMISSIVE] = before
