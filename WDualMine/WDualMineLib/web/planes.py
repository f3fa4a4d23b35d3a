"""The three planes of a study: which way they look, and where their slices lie."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ..volumes.geometry import LPS_TO_RAS, Geometry

PLANES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "axial": ((-1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "sagittal": ((0, -1, 0), (0, 0, 1), (-1, 0, 0)),
}
"""Directions in RAS: to the right of the screen, up, and along the slices; MRML's own presets."""


def to_ras(point: tuple[float, ...]) -> tuple[float, float, float]:
    """LPS to RAS mm, or back."""
    x, y, z = (LPS_TO_RAS * np.asarray(point)).tolist()
    return x, y, z


def describe(geometry: Geometry) -> dict[str, Any]:
    """For the page: centre (RAS mm), field of view (mm) and, for each plane, its directions and the
    places of its slices along the last one: ``first + n * step``, n below ``count``."""
    size = np.array(geometry.size)
    corners = np.array([[*(np.array(c) * size - 0.5), 1] for c in product((0, 1), repeat=3)])
    ras = (geometry.ijk_to_lps @ corners.T)[:3].T * LPS_TO_RAS
    middle = [*((size - 1) // 2), 1]  # a voxel, so that the first slices shown are ones of the grid
    directions = geometry.direction_matrix * LPS_TO_RAS[:, None]
    planes = {}
    for name, (right, up, normal) in PLANES.items():
        axis = int(np.argmax(np.abs(np.array(normal) @ directions)))
        # Of an oblique grid the slices on the screen cut through those of the volume.
        step = geometry.spacing[axis]
        along = ras @ np.array(normal)
        count = max(1, round(float(np.ptp(along)) / step))
        planes[name] = {
            "right": right,
            "up": up,
            "normal": normal,
            "first": float(along.min()) + step / 2,
            "step": step,
            "count": count,
        }
    return {
        "planes": planes,
        "centre": to_ras(tuple((geometry.ijk_to_lps @ middle)[:3])),
        "field": float(np.ptp(ras, axis=0).max()) * 1.05,
    }
