"""Two small volumes for the module's own test."""

from __future__ import annotations

import numpy as np

from ...volumes.geometry import Geometry
from ...volumes.volume import Volume

_UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)
_ORIGIN, _SPACING = (-72.0, -84.0, -60.0), (3.0, 3.0, 5.0)


def heads(
    size: tuple[int, int, int],
    origin: tuple[float, float, float] = _ORIGIN,
    spacing: tuple[float, float, float] = _SPACING,
) -> tuple[Volume, Volume]:
    """An ellipsoid head in two made-up modalities, aligned, with noise.

    Args:
        size: voxels in I, J, K.
        origin: LPS mm of the first voxel.
        spacing: mm.
    """
    grid = Geometry(size, spacing, origin, _UPRIGHT)
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    radius = np.sqrt((i / 0.8) ** 2 + (j / 0.9) ** 2 + (k / 0.95) ** 2)
    noise = np.random.default_rng(0).normal(0, 2, (2, *radius.shape))
    fixed = np.where(radius < 0.85, 60 + 25 * np.cos(7 * i) * np.cos(5 * j), 0)
    moving = np.where(radius < 0.85, 35, 0) + np.where((radius >= 0.85) & (radius < 1), 90, 0)
    moving = moving + np.where((i - 0.25) ** 2 + (j + 0.3) ** 2 + k**2 < 0.05, 40, 0)
    arrays = np.maximum(np.stack([fixed, moving]) + noise, 0).astype(np.float32)
    return Volume(arrays[0], grid, "Test MR", "MR"), Volume(arrays[1], grid, "Test CT", "CT")


def limbs(size: tuple[int, int, int]) -> tuple[Volume, Volume]:
    """A thigh in MR and in CT (HU): muscle around a bone, under a thick layer of fat.

    Args:
        size: voxels in I, J, K; each is 3 x 3 x 5 mm.
    """
    grid = Geometry(size, _SPACING, _ORIGIN, _UPRIGHT)
    _, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    radius = np.sqrt(i**2 + j**2)
    shells = [radius > 0.9, radius > 0.65, radius > 0.12]
    noise = np.random.default_rng(0).normal(0, 8, (2, *radius.shape))
    mr = np.select(shells, [0, 300, 120], 30) + noise[0]
    ct = np.select(shells, [-1000, -100, 55], 700) + noise[1]
    arrays = np.stack([np.maximum(mr, 0), ct]).astype(np.float32)
    return Volume(arrays[0], grid, "Test MR", "MR"), Volume(arrays[1], grid, "Test CT", "CT")
