"""The values in a region that a viewer drew on a slice: of both sources and of every map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..fusion.intensity import Window
from ..pipeline.parts import BY_NAME, FUSED
from ..volumes.geometry import LPS_TO_RAS
from ..volumes.volume import Volume
from . import told as read
from .messages import LookRequest, look_in, understood
from .planes import PLANES
from .study import Look, Study, fused_of

SHAPES = ("circle", "rectangle")

_ROUNDING = 1e-6
"""mm: a voxel between two slices belongs to one of them, whatever the last bit says."""

_AT_ONCE = 1 << 20  # voxels
Row = tuple[str, str, str]


@dataclass(frozen=True)
class RegionRequest(LookRequest):
    """A region of one slice.

    Attributes:
        shape: one of :data:`SHAPES`; a circle with unequal halves is an ellipse.
        plane: one of :data:`.planes.PLANES`.
        centre: RAS mm.
        half: half its width and half its height on the screen, mm.
    """

    shape: str
    plane: str
    centre: read.Point
    half: tuple[float, float]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> RegionRequest:
        """From a message.

        Raises:
            InputError: something is missing, of another kind or out of range.
        """
        with understood("region"):
            across, up = (read.number(x, 0, read.FAR) for x in told["half"])
            return cls(
                **look_in(told),
                shape=read.one_of(told["shape"], SHAPES),
                plane=read.one_of(told["plane"], PLANES),
                centre=read.point(told["centre"]),
                half=(across, up),
            )


def measure(study: Study, region: RegionRequest, look: Look) -> list[Row]:
    """Name, mean and standard deviation with units, and number and range of the voxels.

    A voxel counts if its centre lies in the region, and no other one of its row along the normal is
    nearer to the slice. Each volume is measured on its own grid, the moving one where its alignment
    puts it; nothing is interpolated. The deviation is that of a sample (n - 1).
    """
    record, rows = study.result.record, []
    for role, volume in study.sources.items():
        to_fixed = np.linalg.inv(study.result.alignment.matrix) if role == "moving" else np.eye(4)
        source = getattr(record, role)
        found = values_in(volume, region, to_fixed)
        rows.append((f"{role.capitalize()} ({source.name})", *_of_source(found, source.window)))
    for name, volume in study.result.volumes.items():
        part = BY_NAME[name]
        found = values_in(fused_of(study, look) if part is FUSED else volume, region, np.eye(4))
        rows.append((part.heading, *_of_part(found, part.unit)))
    return rows


def values_in(volume: Volume, region: RegionRequest, to_fixed: np.ndarray) -> np.ndarray:
    """The values in the region: (n,), or (n, 3) of a colour volume; what is not finite is left out.

    Args:
        to_fixed: 4x4 from points of the volume to those of the study, LPS mm.
    """
    # From voxels to mm across, up, and along the normal, from the middle of the region.
    axes = np.array(PLANES[region.plane]) * LPS_TO_RAS
    to_region = np.eye(4)
    to_region[:3, :3] = axes
    to_region[:3, 3] = -axes @ (LPS_TO_RAS * region.centre)
    placed = to_region @ to_fixed @ volume.geometry.ijk_to_lps
    row = int(np.argmax(np.abs(placed[2, :3])))
    deep = abs(placed[2, row]) / 2
    corners = np.array([[*c, 1] for c in np.ndindex(2, 2, 2)]) * [2, 2, 2, 1] - [1, 1, 1, 0]
    box = (corners * [*region.half, deep, 1]) @ np.linalg.inv(placed).T
    first = np.maximum(np.floor(box[:, :3].min(axis=0)), 0).astype(int)
    last = np.minimum(np.ceil(box[:, :3].max(axis=0)) + 1, volume.geometry.size).astype(int)
    (i0, j0, k0), (i1, j1, k1) = first.tolist(), np.maximum(first, last).tolist()
    j, i = np.meshgrid(np.arange(j0, j1), np.arange(i0, i1), indexing="ij", sparse=True)
    found = []
    # Of an oblique grid the box may be all of it: a slab at a time bounds the memory.
    thick = max(1, _AT_ONCE // max(1, (j1 - j0) * (i1 - i0)))
    for start in range(k0, max(k1, k0 + 1), thick):
        part = slice(start, min(start + thick, k1))
        k = np.arange(part.start, part.stop)[:, None, None]
        x, y, along = (m[0] * i + m[1] * j + m[2] * k + m[3] for m in placed[:3])
        inside = (along >= -deep + _ROUNDING) & (along < deep + _ROUNDING)
        inside &= _is_in(region, x, y)
        found.append(volume.array[part, j0:j1, i0:i1][inside])
    values = np.concatenate(found).astype(float)
    return values[np.isfinite(values)] if values.ndim == 1 else values


def _is_in(region: RegionRequest, across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Whether places on the slice, mm from the middle of the region, lie in it."""
    x, y = (
        np.abs(mm) / max(half, _ROUNDING)
        for mm, half in zip((across, up), region.half, strict=True)
    )
    return (x**2 + y**2 <= 1) if region.shape == "circle" else (np.maximum(x, y) <= 1)


def _of_source(values: np.ndarray, window: Window) -> tuple[str, str]:
    mean, deviation = _mean_and_deviation(values)
    words = f"{mean:.4g} ± {deviation:.3g} {window.units}".rstrip()
    if window.suv_factor is not None and "SUV" not in window.units.upper():
        factor = window.suv_factor
        words += f" (SUV {factor * mean:.2f} ± {factor * deviation:.2f})"
    return (words, _count(values, ".4g")) if values.size else _NONE


def _of_part(values: np.ndarray, unit: str) -> tuple[str, str]:
    if not values.size:
        return _NONE
    if values.ndim > 1:
        rgb = ", ".join(f"{channel:.0f}" for channel in values.mean(axis=0))
        return f"RGB {rgb}", f"{len(values)} voxels"
    mean, deviation = _mean_and_deviation(values)
    return f"{mean:.3f} ± {deviation:.3f} ({unit})", _count(values, ".3f")


_NONE = ("no voxel", "0 voxels")


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    mean = float(values.mean()) if values.size else 0.0
    return mean, float(values.std(ddof=1)) if values.size > 1 else 0.0


def _count(values: np.ndarray, form: str) -> str:
    voxels = f"{len(values)} voxel{'s' if len(values) > 1 else ''}"
    return f"{voxels}, {values.min():{form}} to {values.max():{form}}"
