"""The list of doubtful regions: the right ones, measured in ml, with a point that lies in them."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.pipeline.doubts import SMALLEST_ML, doubtful_regions
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

TILT = np.deg2rad(20)
DIRECTION = (np.cos(TILT), -np.sin(TILT), 0, np.sin(TILT), np.cos(TILT), 0, 0, 0, 1)
GRID = Geometry((30, 24, 16), (2.0, 2.5, 4.0), (-11.0, 7.0, 300.0), DIRECTION)
VOXEL_ML = 2.0 * 2.5 * 4.0 / 1000


def a_map() -> np.ndarray:
    return np.full(GRID.array_shape, 0.5, np.float32)


def regions(array: np.ndarray, **options):
    return doubtful_regions(Volume(array, GRID, "reliability"), **options)


def test_where_nothing_is_suspected_nothing_is_listed() -> None:
    assert regions(a_map()) == []


def test_regions_of_both_sources_come_by_falling_size_with_their_figures() -> None:
    array = a_map()
    array[2:6, 3:8, 4:9] = 0.1  # 100 voxels: the fixed source
    array[2, 3, 4] = 0.02
    array[9:12, 10:14, 15:20] = 0.9  # 60 voxels: the moving source
    first, second = regions(array)
    assert (first.role, second.role) == ("fixed", "moving")
    assert first.volume_ml == pytest.approx(100 * VOXEL_ML)
    assert second.volume_ml == pytest.approx(60 * VOXEL_ML)
    assert first.reliability == pytest.approx((99 * 0.1 + 0.02) / 100, abs=1e-5)
    assert first.lowest == pytest.approx(0.02)
    assert second.reliability == pytest.approx(0.1, abs=1e-5)
    # The nearest voxel to (6, 5, 3.5), in the patient's space.
    assert first.index in {(6, 5, 3), (6, 5, 4)}
    expected = (GRID.ijk_to_lps @ np.array([*first.index, 1.0]))[:3]
    assert first.point == pytest.approx(expected)


def test_the_point_to_jump_to_lies_in_a_region_that_is_bent_around_its_centre() -> None:
    array = a_map()
    array[8, 4:20, 4:25] = 0.05
    array[8, 6:18, 6:23] = 0.5  # a frame
    (frame,) = regions(array)
    i, j, k = frame.index
    assert array[k, j, i] == pytest.approx(0.05)


def test_a_corner_joins_and_the_threshold_itself_is_no_doubt() -> None:
    array = a_map()
    array[2:4, 2:4, 2:4] = array[4:6, 4:6, 4:6] = 0.2
    array[10:14, 10:20, 10:20] = 0.25
    (joined,) = regions(array)
    assert joined.volume_ml == pytest.approx(16 * VOXEL_ML)
    assert len(regions(array, below=0.26)) == 2


def test_specks_are_left_out_and_the_list_is_as_long_as_asked_for() -> None:
    array = a_map()
    just_enough = int(np.ceil(SMALLEST_ML / VOXEL_ML))
    array[1, 1, : just_enough - 1] = 0.1
    array[5, 5, :just_enough] = 0.1
    array[9, 9, : just_enough + 3] = 0.1
    assert [round(r.volume_ml / VOXEL_ML) for r in regions(array)] == [just_enough + 3, just_enough]
    assert len(regions(array, most=1)) == 1
    assert len(regions(array, smallest_ml=0)) == 3


@pytest.mark.parametrize("below", [0, 0.6, float("nan")])
def test_a_threshold_that_doubts_sound_tissue_is_refused(below) -> None:
    with pytest.raises(ValueError, match="doubtful below"):
        regions(a_map(), below=below)


def test_a_single_slice_is_a_volume() -> None:
    grid = Geometry((20, 20, 1), (5.0, 5.0, 5.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    array = np.full((1, 20, 20), 0.5, np.float32)
    array[0, 5:9, 5:9] = 0.0
    (found,) = doubtful_regions(Volume(array, grid, "one"))
    assert found.volume_ml == pytest.approx(16 * 0.125)
