"""The pictures of a case: sources, fused volume and maps, in planes through one point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..fusion.colour import colour_table
from ..palettes import PALETTES, over
from ..pipeline.doubts import Doubt
from ..pipeline.parts import COLOUR, FUSED, PARTS, Part
from ..pipeline.result import Result
from ..volumes.volume import Volume
from .patient_planes import Plane, centre_of_mass, planes_through

# Where the picture is darker than this, there is no body to find the centre of.
_BODY = 0.1


@dataclass(frozen=True)
class Column:
    """One volume in every plane.

    Attributes:
        title: what it is.
        scale: words below it: what its darkest and its brightest mean.
        pictures: (H, W, 3) uint8 for each plane, first row at the top.
    """

    title: str
    scale: str
    pictures: tuple[np.ndarray, ...]


def pictures_of(result: Result, doubts: Sequence[Doubt]) -> tuple[list[Plane], list[Column], str]:
    """Planes, a column for each volume, and what the planes go through in words.

    They go through the largest doubtful region, or the centre of the body where nothing is
    doubted. Sources are left out where the result does not hold them.
    """
    grid = result.fused.geometry
    if doubts:
        through, point = "the largest doubtful region", np.array(doubts[0].point)
    else:
        through = "the centre of the body"
        point = centre_of_mass(grid, result.fused.array > _BODY)
    planes = planes_through(grid, point)
    columns = [
        *_sources(result, planes),
        *(
            _part(part, result, planes)
            for part in PARTS
            if part.name in result.volumes and part.overlay
        ),
    ]
    return planes, columns, through


def _sources(result: Result, planes: Sequence[Plane]) -> list[Column]:
    if result.inputs is None:
        return []
    pair, columns = result.pair, []
    for role, array, window in (
        ("fixed", pair.fixed, pair.fixed_window),
        ("moving", pair.moving, pair.moving_window),
    ):
        in_colour = role == pair.functional and pair.table_rows is not None
        units = f" {window.units}" if window.units else ""
        scale = f"{window.low:.4g} to {float(window.to_units(np.float64(1))):.4g}{units}"
        chosen = result.settings.colour
        if in_colour and pair.table_rows is not None and chosen is not None:
            shown = Volume(pair.table_rows / np.float32(255), pair.geometry)
            pictures = _through(shown, planes, np.rint(255 * colour_table(chosen)))
        else:
            pictures = _through(Volume(array, pair.geometry), planes)
        columns.append(Column(role.capitalize(), scale, pictures))
    return columns


def _part(part: Part, result: Result, planes: Sequence[Plane]) -> Column:
    volume = result.volumes[part.name]
    if part == COLOUR:
        return Column(part.heading, "", tuple(plane.cut(volume) for plane in planes))
    if part == FUSED or not part.palette:
        return Column(part.heading, "0 to 1, no unit", _through(volume, planes))
    table = PALETTES[part.palette]
    low, high = part.short_ends if any(part.short_ends) else ("", "")
    scale = f"0 {low}, 1 {high}"
    if table.shape[1] == 4:
        under = [_cut(result.fused, plane) for plane in planes]
        values = [_cut(volume, plane, outside=0.5) for plane in planes]
        pictures = tuple(over(u, v, table) for u, v in zip(under, values, strict=True))
        return Column(part.heading, scale, pictures)
    return Column(part.heading, scale, _through(volume, planes, table))


def _through(
    volume: Volume, planes: Sequence[Plane], table: np.ndarray | None = None
) -> tuple[np.ndarray, ...]:
    """Grey pictures of [0, 1], or through a table (N, 3) of [0, 255]."""
    pictures = []
    for plane in planes:
        values = np.clip(_cut(volume, plane), 0, 1)
        if table is None:
            grey = np.rint(255 * values).astype(np.uint8)
            pictures.append(np.repeat(grey[..., None], 3, axis=2))
        else:
            rows = np.rint(values * (len(table) - 1)).astype(int)
            pictures.append(table[rows, :3].astype(np.uint8))
    return tuple(pictures)


def _cut(volume: Volume, plane: Plane, outside: float = 0.0) -> np.ndarray:
    return np.nan_to_num(plane.cut(volume), nan=outside)
