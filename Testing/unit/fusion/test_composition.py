"""The residual-to-average form: bent into the unit range, never cut off."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.composition import ceiling_of, compose
from WDualMineLib.fusion.tone import IMAGE_KNEE, VOLUME_KNEE, bend_top


@pytest.mark.parametrize("knee", [VOLUME_KNEE, IMAGE_KNEE])
@pytest.mark.parametrize("strength", [0, 0.5, 2])
def test_the_average_plus_so_much_of_the_residual_within_the_unit_range(strength, knee):
    a, b, residual = np.random.default_rng(0).random((3, 70, 70, 70), dtype=np.float32)
    residual -= a + b > 0.8
    fused = compose(a, b, residual, strength, knee=knee)
    assert fused.dtype == np.float32
    assert fused.min() >= 0 and fused.max() <= 1
    average = (a.astype(np.float64) + b) / 2
    total = average + strength * residual.astype(np.float64)
    ceiling = ceiling_of(a, b, residual, strength)
    assert ceiling == pytest.approx(max(1, total.max()), abs=1e-6)
    bright = total > average / 4
    wanted = total.copy()
    bend_top(wanted, ceiling, knee)
    assert np.abs(fused - wanted)[bright].max() < 1e-6


def test_what_fits_is_not_darkened():
    a, b = 0.7 * np.random.default_rng(0).random((2, 40, 40), dtype=np.float32)
    residual = np.full_like(a, 0.2)
    assert ceiling_of(a, b, residual, 1.0) == 1
    assert np.allclose(compose(a, b, residual), (a + b) / 2 + residual, atol=1e-6)


def test_the_hottest_voxels_keep_their_order_and_contrast():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 0.6, (2, 50, 50, 50)).astype(np.float32)
    # A lesion of 8 voxels, far too few to show in any percentile.
    a[20:22, 20:22, 20:22] = 1
    b[20:22, 20:22, 20:22] = np.linspace(0.8, 1, 8).reshape(2, 2, 2)
    residual = (np.maximum(a, b) - (a + b) / 2 + 0.6 * (a > 0.9)).astype(np.float32)
    residual += np.where(a > 0.9, b - 0.8, 0)
    fused = compose(a, b, residual)
    lesion = fused[20:22, 20:22, 20:22].ravel()
    assert (np.diff(lesion) > 0.008).all()
    assert lesion[-1] == pytest.approx(1) and (fused == 1).sum() <= 1


def test_the_darkest_voxels_keep_their_order():
    a = b = np.linspace(0.1, 0.2, 11, dtype=np.float32)
    residual = np.full_like(a, -0.3)
    fused = compose(a, b, residual)
    assert fused.min() > 0
    assert (np.diff(fused) > 0).all()
    deeper = compose(a, b, 2 * residual)
    assert ((deeper > 0) & (deeper < fused)).all()


def test_the_sum_fades_without_a_step():
    residual = np.linspace(-0.6, 0, 6001, dtype=np.float32)
    half = np.full_like(residual, 0.5)
    fused = compose(half, half, residual).astype(np.float64)
    rise = np.diff(fused) / np.diff(residual.astype(np.float64))
    assert (rise > 0).all() and rise.max() < 1.01
    assert np.abs(np.diff(rise, 1)).max() < 0.02


def test_a_part_is_composed_as_the_whole_is():
    a, b, residual = np.random.default_rng(0).random((3, 9, 20, 20), dtype=np.float32)
    ceiling = ceiling_of(a, b, residual, 1.0)
    assert ceiling > 1
    part = compose(a[4], b[4], residual[4], 1.0, ceiling)
    assert np.array_equal(part, compose(a, b, residual)[4])


def test_air_is_black_whatever_the_residual():
    a = np.array([0, 0, 0.5, 0], np.float32)
    b = np.array([0, 0.5, 0, 0], np.float32)
    assert compose(a, b, np.full(4, 0.25, np.float32)).tolist() == [0, 0.5, 0.5, 0]
    assert compose(a, b, np.full(4, -0.9, np.float32))[[0, 3]].tolist() == [0, 0]
