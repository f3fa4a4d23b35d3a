"""Where in a volume a fault is: smooth ellipsoids and runs of slices."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.spatial.transform import Rotation

Spacing = tuple[float, float, float]

DIAMETERS_MM = (20.0, 80.0)
"""Of the ellipsoids' axes, drawn evenly in their logarithm."""


def positions(shape: tuple[int, int, int], spacing: Spacing) -> tuple[np.ndarray, ...]:
    """Open grids of mm along K, J, I; they broadcast to (K, J, I)."""
    grids = np.ogrid[tuple(map(slice, shape))]
    return tuple(g * np.float32(step) for g, step in zip(grids, spacing, strict=True))


def ellipsoid(
    tissue: np.ndarray, spacing: Spacing, rng: Generator, border_mm: float = 2.0
) -> np.ndarray:
    """A soft ellipsoid around a random voxel of ``tissue``, turned at random.

    Args:
        tissue: bool (K, J, I), not empty.
        spacing: mm along K, J, I.
        rng: source of randomness.
        border_mm: width over which it falls from 0.9 to 0.1, about.

    Returns:
        float32 (K, J, I) in [0, 1].
    """
    inside = np.flatnonzero(tissue)
    centre = np.unravel_index(inside[rng.integers(len(inside))], tissue.shape)
    radii = np.exp(rng.uniform(*np.log(DIAMETERS_MM), 3)) / 2
    turn = Rotation.from_quat(rng.standard_normal(4)).as_matrix().astype(np.float32)
    offsets = [
        grid - np.float32(c * step)
        for grid, c, step in zip(positions(tissue.shape, spacing), centre, spacing, strict=True)
    ]
    squares = sum(
        ((row[0] * offsets[0] + row[1] * offsets[1] + row[2] * offsets[2]) / np.float32(r)) ** 2
        for row, r in zip(turn, radii, strict=True)
    )
    # In mm near the surface: the relative distance times the mean radius.
    beyond = (np.sqrt(squares) - 1) * np.float32(np.cbrt(np.prod(radii)))
    return 1 / (1 + np.exp(np.clip(beyond * np.float32(4.4 / border_mm), -30, 30)))


def slab(tissue: np.ndarray, spacing: Spacing, rng: Generator, thickness_mm: float) -> np.ndarray:
    """A run of whole slices, 1 within: at least one, never the first, and half of them at most."""
    depth = len(tissue)
    count = int(np.clip(round(thickness_mm / spacing[0]), 1, max(1, depth // 2)))
    filled = tissue.sum((1, 2))[1 : depth - count + 1]
    weights = filled / filled.sum() if filled.sum() else None
    start = 1 + int(rng.choice(len(filled), p=weights))
    region = np.zeros(tissue.shape, np.float32)
    region[start : start + count] = 1
    return region
