"""Tone curves: what they promise of every value."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.fusion.tone import IMAGE_KNEE, VOLUME_KNEE, bend_top, unbend_top

KNEES = [0.0, VOLUME_KNEE, 0.75, IMAGE_KNEE]


def bent(values, ceiling, knee):
    values = values.copy()
    bend_top(values, ceiling, knee)
    return values


@pytest.mark.parametrize("knee", KNEES)
@pytest.mark.parametrize("ceiling", [1.0, 1.001, 1.3, 3.0, 100.0])
def test_it_rises_everywhere_bends_gently_and_ends_at_white(ceiling, knee):
    values = np.linspace(0, ceiling, 20001)
    result = bent(values, ceiling, knee)
    rise = np.diff(result) / np.diff(values)
    assert result[-1] == pytest.approx(1, abs=1e-12)
    assert (rise > 0).all() and rise.max() < 1 + 1e-9
    # Concave: no kink, no step, at the knee or elsewhere.
    assert (np.diff(rise) < 1e-9).all()
    below = values <= knee
    assert np.array_equal(result[below], values[below])


@pytest.mark.parametrize("knee", KNEES)
def test_what_fits_stays_as_it_is(knee):
    values = np.linspace(0, 1, 101, dtype=np.float32)
    assert np.array_equal(bent(values, 1.0, knee), values)


@pytest.mark.parametrize("knee", KNEES)
@pytest.mark.parametrize("ceiling", [1.0, 1.2, 40.0])
def test_the_inverse_gives_the_values_back(ceiling, knee):
    values = np.linspace(0, ceiling, 1001)
    assert np.allclose(unbend_top(bent(values, ceiling, knee), ceiling, knee), values, rtol=1e-6)


def test_single_precision_keeps_neighbouring_grey_levels_apart():
    values = np.arange(0, 1.8, 1 / 255, dtype=np.float32)
    assert (np.diff(bent(values, 1.8, VOLUME_KNEE)) > 1e-4).all()
