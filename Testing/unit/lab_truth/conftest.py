"""A head of 2 mm voxels in two modalities, and maps that know more or less of it."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.volumes.geometry import Geometry

pytest.importorskip("scipy", reason="the measure needs scipy, of the extra [truth]")

from scipy import ndimage
from WDualMineLib.lab.truth.cases import Case
from WDualMineLib.lab.truth.faults import truth_masks
from WDualMineLib.lab.truth.scoring import Maps

SHAPE = (24, 40, 36)


@pytest.fixture
def case() -> Case:
    """An ellipsoid with textured insides and, in the moving source, a hot lesion."""
    grids = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    radius = np.sqrt(sum((g / r) ** 2 for g, r in zip(grids, (0.9, 0.85, 0.85), strict=True)))
    k, j, i = grids
    rng = np.random.default_rng(0)
    fixed = 0.5 + 0.25 * np.cos(5 * i) * np.cos(4 * j + 3 * k)
    moving = ndimage.gaussian_filter(0.4 + 0.3 * np.sin(4 * i + 2 * k), 1)
    lesion = (i - 0.3) ** 2 + (j + 0.2) ** 2 + k**2 < 0.05
    moving = np.where(lesion, 0.95 - 0.1 * radius, moving)
    sources = []
    for x in (fixed, moving):
        x = np.clip(x + rng.normal(0, 0.01, SHAPE), 0.1, 1)
        sources.append(np.where(radius < 1, x, 0).astype(np.float32))
    grid = Geometry(SHAPE[::-1], (2.0, 2.0, 2.0), (-35.0, -39.0, 10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    return Case("phantom", "MR+PET", "test", tuple(sources), grid, lesion, 9 * sources[1])


def even(a, b, spacing):
    """Maps that suspect nothing, and the average as fused volume."""
    half = np.full(a.shape, 0.5, np.float32)
    return Maps(half, half.copy(), (a + b) / 2)


class Knowing:
    """Doubts a source, down to ``doubt``, where it visibly differs from the sound one."""

    def __init__(self, case: Case, doubt: float = 0.02) -> None:
        self.case, self.doubt = case, doubt

    def __call__(self, a, b, spacing):
        fixed = np.full(a.shape, 0.5, np.float32)
        # What is sure comes last: only one of the two is ever faulty here.
        for x, sound, level in zip(
            (a, b), self.case.sources, (self.doubt, 1 - self.doubt), strict=True
        ):
            fixed[truth_masks(sound, x, self.case.tissue, spacing)[0]] = level
        # The fault is mended by half.
        average = ((a + b) / 2 + np.mean(self.case.sources, axis=0)) / 2
        return Maps(fixed, 1 - fixed, average)


@pytest.fixture
def even_maps():
    return even


@pytest.fixture
def knowing(case) -> Knowing:
    return Knowing(case)
