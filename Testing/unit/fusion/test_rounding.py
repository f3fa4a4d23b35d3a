"""Informed rounding: within one level, never worse informed, and black stays black."""

import numpy as np
import pytest
from WDualMineLib.fusion.rounding import informed_rounding, nearest_rounding
from WDualMineLib.quality.information import mi


@pytest.fixture
def sources():
    rng = np.random.default_rng(0)
    rows, columns = np.indices((96, 96)) / 95
    a = np.clip(rows + 0.02 * rng.standard_normal(rows.shape), 0, 1)
    b = np.clip(columns * rows + 0.02 * rng.standard_normal(rows.shape), 0, 1)
    a[:20], b[:20] = 0, 0
    return [(np.rint(x * 255) / 255).astype(np.float32) for x in (a, b)]


def test_no_voxel_moves_by_a_level(sources):
    a, b = sources
    image = 0.6 * a + 0.37 * b

    levels = informed_rounding(image, a, b)

    assert levels.dtype == np.uint8 and levels.shape == image.shape
    assert np.abs(levels - image * np.float32(255)).max() < 1
    assert (levels[:20] == 0).all()


def test_it_tells_more_of_the_sources_than_rounding_to_nearest(sources):
    a, b = sources
    image = 0.6 * a + 0.37 * b
    levels = [np.rint(x * 255) for x in sources]

    informed, nearest = (f(image, a, b) for f in (informed_rounding, nearest_rounding))

    assert mi(informed, *levels) > mi(nearest, *levels) + 0.05


def test_whole_levels_stay(sources):
    a, b = sources

    np.testing.assert_array_equal(informed_rounding(a, a, b), np.rint(a * 255))


def test_exchange_of_the_sources_changes_nothing(sources):
    a, b = sources
    image = 0.6 * a + 0.37 * b

    np.testing.assert_array_equal(informed_rounding(image, a, b), informed_rounding(image, b, a))


def test_values_out_of_range_are_clipped(sources):
    a, b = sources

    levels = informed_rounding(np.float32(3) * a - 1, a, b)

    assert levels.min() == 0 and levels.max() == 255
