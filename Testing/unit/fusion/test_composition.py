"""The residual-to-average form."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.composition import ceiling_of, compose, knee


@pytest.mark.parametrize("strength", [0, 0.5, 2])
def test_the_average_plus_so_much_of_the_residual_within_the_unit_range(strength):
    a, b, residual = np.random.default_rng(0).random((3, 70, 70, 70), dtype=np.float32)
    residual = 2 * residual - 1
    fused = compose(a, b, residual, strength)
    assert fused.dtype == np.float32
    total = (a.astype(np.float64) + b) / 2 + strength * residual.astype(np.float64)
    ceiling = ceiling_of(a, b, residual, strength)
    bend = knee(ceiling)
    assert ceiling == 1 or 0 <= bend < 1 < ceiling
    wanted = np.interp(total, [0, bend, ceiling], [0, bend, 1])
    assert np.abs(fused - wanted).max() < 1e-6


def test_a_high_ceiling_divides_and_a_low_one_leaves_the_dark_alone():
    assert knee(1.5) == knee(2.5) == 0
    assert knee(1.1) == pytest.approx(0.8)
    a = np.linspace(0, 1, 256, dtype=np.float32)
    fused = compose(a, a, 0.1 * a, 1.0, 1.1)
    dark = 1.1 * a <= 0.8
    np.testing.assert_allclose(fused[dark], 1.1 * a[dark], rtol=1e-6)
    assert fused[-1] == pytest.approx(1) and (np.diff(fused) > 0).all()


def test_what_fits_is_not_darkened():
    a, b = 0.7 * np.random.default_rng(0).random((2, 40, 40), dtype=np.float32)
    assert ceiling_of(a, b, np.full_like(a, 0.2), 1.0) == 1


def test_bright_tissue_keeps_its_detail():
    a, b = 0.6 + 0.37 * np.random.default_rng(0).random((2, 40, 40), dtype=np.float32)
    residual = np.full_like(a, 0.5)
    fused = compose(a, b, residual)
    assert (fused == 1).mean() < 0.006
    assert np.corrcoef(fused.ravel(), (a + b).ravel())[0, 1] > 0.999


def test_what_is_white_in_a_source_does_not_darken_the_rest():
    a, b = 0.5 * np.random.default_rng(0).random((2, 40, 40), dtype=np.float32)
    a[:10] = 1
    residual = np.where(a == 1, 0.5, 0.1).astype(np.float32)
    assert ceiling_of(a, b, residual, 1.0) == 1


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
