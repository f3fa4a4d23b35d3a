"""A head in air, of any size, for timing."""

from __future__ import annotations

import numpy as np

from ...volumes.geometry import Geometry
from ...volumes.volume import Volume

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def phantoms(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 (K, J, I) in [0, 1] of a head in air: a bright shell, and texture within it.

    Times hardly depend on what the voxels hold; air and edges make the floor do its usual work.
    """
    rng = np.random.default_rng(0)
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape]
    radius = np.sqrt(sum(x.astype(np.float32) ** 2 for x in np.ix_(*axes)))
    head, brain = radius < 0.85, radius < 0.75
    noise = rng.random(shape, dtype=np.float32) * np.float32(0.05) * head
    bone = np.where(brain, np.float32(0.2), np.float32(0.9)) * head + noise
    soft = (np.float32(0.5) + np.float32(0.3) * np.sin(20 * radius)) * brain + noise
    return bone, soft


def phantom_volumes(shape: tuple[int, int, int]) -> tuple[Volume, Volume]:
    """:func:`phantoms` as 16-bit volumes with voxels of 1 mm, as scanners give them: one in [-1000,
    1000], one in [0, 1000]."""
    geometry = Geometry(shape[::-1], (1.0,) * 3, (0.0,) * 3, _IDENTITY)
    bone, soft = phantoms(shape)
    return (
        Volume(np.rint(2000 * bone - 1000).astype(np.int16), geometry, "bone"),
        Volume(np.rint(1000 * soft).astype(np.int16), geometry, "soft"),
    )
