"""Where faults are put: the sizes and places that the documentation promises."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.regions import DIAMETERS_MM, ellipsoid, slab

TISSUE = np.zeros((40, 60, 60), bool)
TISSUE[5:35, 10:50, 10:50] = True


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (3.0, 1.5, 1.5)])
def test_ellipsoids_have_their_diameters_in_millimetres(spacing) -> None:
    centre = np.zeros(TISSUE.shape, bool)
    centre[20, 30, 30] = True
    volumes = []
    for seed in range(30):
        region = ellipsoid(centre, spacing, np.random.default_rng(seed))
        assert region.shape == TISSUE.shape
        assert region.min() >= 0 and region.max() <= 1
        assert region[20, 30, 30] > 0.99
        volumes.append(np.count_nonzero(region > 0.5) * np.prod(spacing))
    smallest, largest = (np.pi / 6 * d**3 for d in DIAMETERS_MM)
    assert 0.8 * smallest < min(volumes)
    assert max(volumes) < 1.05 * largest
    assert max(volumes) > 4 * min(volumes)


def test_centres_lie_in_the_tissue_and_differ() -> None:
    peaks = {
        np.unravel_index(
            ellipsoid(TISSUE, (2.0,) * 3, np.random.default_rng(seed)).argmax(), TISSUE.shape
        )
        for seed in range(8)
    }
    assert len(peaks) == 8
    assert all(TISSUE[peak] for peak in peaks)


@pytest.mark.parametrize(("thickness", "slices"), [(1.0, 1), (9.0, 3), (1000.0, 20)])
def test_slabs_are_runs_of_whole_slices(thickness, slices) -> None:
    for seed in range(10):
        region = slab(TISSUE, (3.0, 1.0, 1.0), np.random.default_rng(seed), thickness)
        rows = region[:, 0, 0]
        assert (region == rows[:, None, None]).all()
        (at,) = np.nonzero(rows)
        assert at.tolist() == list(range(at[0], at[0] + slices))
        assert at[0] >= 1
