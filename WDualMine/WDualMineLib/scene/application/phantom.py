"""Two small volumes for the module's own test."""

from __future__ import annotations

import numpy as np

from ...volumes.geometry import Geometry
from ...volumes.volume import Volume


def heads(size: tuple[int, int, int]) -> tuple[Volume, Volume]:
    """An ellipsoid head in two made-up modalities, aligned, with noise.

    Args:
        size: voxels in I, J, K; each is 3 x 3 x 5 mm.
    """
    grid = Geometry(size, (3.0, 3.0, 5.0), (-72, -84, -60), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    radius = np.sqrt((i / 0.8) ** 2 + (j / 0.9) ** 2 + (k / 0.95) ** 2)
    noise = np.random.default_rng(0).normal(0, 2, (2, *radius.shape))
    fixed = np.where(radius < 0.85, 60 + 25 * np.cos(7 * i) * np.cos(5 * j), 0)
    moving = np.where(radius < 0.85, 35, 0) + np.where((radius >= 0.85) & (radius < 1), 90, 0)
    moving = moving + np.where((i - 0.25) ** 2 + (j + 0.3) ** 2 + k**2 < 0.05, 40, 0)
    arrays = np.maximum(np.stack([fixed, moving]) + noise, 0).astype(np.float32)
    return Volume(arrays[0], grid, "Test MR", "MR"), Volume(arrays[1], grid, "Test CT", "CT")
