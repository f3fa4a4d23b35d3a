"""The residual-to-average form."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.composition import compose


@pytest.mark.parametrize("strength", [0, 0.5, 2])
def test_the_average_plus_so_much_of_the_residual_within_the_unit_range(strength):
    a, b, residual = np.random.default_rng(0).random((3, 70, 70, 70), dtype=np.float32)
    residual = 2 * residual - 1
    fused = compose(a, b, residual, strength)
    assert fused.dtype == np.float32
    wanted = np.clip((a.astype(np.float64) + b) / 2 + strength * residual.astype(np.float64), 0, 1)
    assert np.abs(fused - wanted).max() < 1e-6


def test_air_is_black_whatever_the_residual():
    a = np.array([0, 0, 0.5, 0], np.float32)
    b = np.array([0, 0.5, 0, 0], np.float32)
    assert compose(a, b, np.full(4, 0.25, np.float32)).tolist() == [0, 0.5, 0.5, 0]
