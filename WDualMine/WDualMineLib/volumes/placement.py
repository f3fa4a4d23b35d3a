"""Where NRRD and MetaImage files lie in the patient, in the fields that ITK passes over.

ITK takes every length for millimetres, and what is not said for 1 mm at 0 along L, P and S.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..errors import InputError
from .geometry import Geometry
from .headers import TextHeader
from .paths import printable

_MILLIMETRES = {
    "": 1.0, "?": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0,
    "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3,
    "micrometers": 1e-3, "nm": 1e-6, "cm": 10.0, "m": 1000.0, "meter": 1000.0, "meters": 1000.0,
}  # fmt: skip
_ANATOMICAL = re.compile("(left|right)-(anterior|posterior)-superior|(L|R)(A|P)S", re.IGNORECASE)


def placed(header: TextHeader, itk: Geometry) -> tuple[Geometry, list[str]]:
    """The grid in mm, and what must be told of how it was found.

    Args:
        header: of the file.
        itk: the grid as ITK read it.

    Raises:
        InputError: units that are no lengths, or axis limits without a voxel size.
    """
    notes = _nrrd_notes(header) if header.kind == "NRRD" else _meta_notes(header, itk)
    scale, units = _scale(header)
    if scale == 1.0:
        return itk, notes
    (x, y, z), (left, back, up) = itk.spacing, itk.origin
    geometry = replace(
        itk,
        spacing=(x * scale, y * scale, z * scale),
        origin=(left * scale, back * scale, up * scale),
    )
    name = printable(header.path.name)
    return geometry, [*notes, f"The lengths of {name} are in {units}; they were turned into mm"]


def _scale(header: TextHeader) -> tuple[float, str]:
    if header.kind == "MetaImage":
        units = [header.fields.get("DistanceUnits", "")]
    else:
        said = header.fields.get("space units") or header.fields.get("units") or ""
        units = re.findall(r'"([^"]*)"', said) or said.split()
    units = [word for word in units if word not in ("", "none", "???")] or [""]
    name = printable(header.path.name)
    unknown = [word for word in units if word.lower() not in _MILLIMETRES]
    if unknown or len({_MILLIMETRES[word.lower()] for word in units}) > 1:
        raise InputError(
            f"{name} has lengths in {', '.join(map(printable, units))}, which cannot be turned "
            "into millimetres",
            "Correct the units in its header, or save it in millimetres",
        )
    return _MILLIMETRES[units[0].lower()], units[0]


def _nrrd_notes(header: TextHeader) -> list[str]:
    name, fields = printable(header.path.name), header.fields
    notes = []
    if "space" not in fields and "space dimension" not in fields:
        notes.append(f"{name} says nothing of its orientation; its axes were taken as L, P, S")
    elif not _ANATOMICAL.fullmatch(fields.get("space", "").strip('"')):
        space = printable(fields.get("space", "without a name"))
        notes.append(
            f"{name} lies in the space {space!r}, which is no anatomical one; its axes were taken "
            "as L, P, S"
        )
    if "space directions" in fields:
        if "space origin" not in fields:
            notes.append(f"{name} does not say where it lies; its first voxel was put at 0, 0, 0")
        return notes
    spacings = header.numbers("spacings")
    if not spacings or not np.isfinite(spacings).all() or 0 in spacings:
        if "axis maxs" in fields:
            raise InputError(
                f"{name} gives axis mins and maxs, and no spacings",
                "Write spacings, or space directions, into its header",
            )
        notes.append(f"{name} says nothing of its voxel size, which was taken as 1 mm")
    if "axis mins" in fields and not {"centers", "centerings"} & fields.keys():
        notes.append(
            f"{name} gives axis mins without saying whether of voxel edges or centres; they were "
            "taken for edges"
        )
    return notes


def _meta_notes(header: TextHeader, itk: Geometry) -> list[str]:
    name, fields = printable(header.path.name), header.fields
    notes = []
    said = fields.get("AnatomicalOrientation", "").upper()
    if not {"TransformMatrix", "Rotation", "Orientation"} & fields.keys():
        notes.append(f"{name} says nothing of its orientation; its axes were taken as L, P, S")
    elif re.fullmatch("[RLAPIS]{3}", said) and said != _code(itk):
        notes.append(
            f"{name} calls its axes {said} and has a matrix for {_code(itk)}; the matrix was used"
        )
    if "ElementSpacing" not in fields:
        taken = (
            "ElementSize was taken for it" if "ElementSize" in fields else "it was taken as 1 mm"
        )
        notes.append(f"{name} says nothing of the distance of its voxels; {taken}")
    if not {"Offset", "Position", "Origin"} & fields.keys():
        notes.append(f"{name} does not say where it lies; its first voxel was put at 0, 0, 0")
    return notes


def _code(geometry: Geometry) -> str:
    """MetaImage's letters: from which side each axis comes."""
    letters = ("RL", "AP", "IS")
    columns = geometry.direction_matrix.T
    axes = [int(np.argmax(np.abs(column))) for column in columns]
    return "".join(
        letters[axis][int(column[axis] < 0)] for axis, column in zip(axes, columns, strict=True)
    )
