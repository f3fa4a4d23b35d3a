"""Reliability of .1 has to be wrong in one case of ten; 1/2 claims nothing."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.calibration import BINS, Calibration


def _voxels(levels: dict[float, float], count: int = 1000) -> Calibration:
    """``count`` voxels of each suspicion, of which such a share is faulty."""
    suspicion = np.repeat(list(levels), count)
    fault = np.concatenate([np.arange(count) < share * count for share in levels.values()])
    return Calibration.of(suspicion, fault)


def test_honest_maps_have_no_error() -> None:
    assert _voxels({0.92: 0.92, 0.62: 0.62, 0.5: 0.03}).error() == pytest.approx(0, abs=1e-9)


def test_crying_wolf_costs_what_it_claims_too_much() -> None:
    table = _voxels({0.92: 0.12})
    assert table.error() == pytest.approx(0.8)
    assert table.overall_error() == pytest.approx(0.8)


def test_only_what_is_suspected_counts() -> None:
    # The quiet voxels claim nothing, and are many.
    table = _voxels({0.92: 0.72, 0.5: 0.0, 0.2: 0.0})
    assert table.error() == pytest.approx(0.2)
    assert table.overall_error() == pytest.approx(0.2 / 3)


def test_quiet_where_most_is_faulty_is_wrong_all_the_same() -> None:
    table = _voxels({0.5: 0.8})
    assert np.isnan(table.error())
    assert table.overall_error() == pytest.approx(0.3)


def test_parts_count_alike_whatever_their_size() -> None:
    small, large = _voxels({0.92: 1.0}, 10), _voxels({0.92: 0.0}, 10_000)
    (row,) = Calibration.mean([small, large]).rows()
    assert row["share faulty"] == pytest.approx(0.5)
    assert row["mean suspicion"] == pytest.approx(0.92)


def test_bins_hold_both_ends_of_the_range() -> None:
    table = Calibration.of(np.array([0.0, 1.0], np.float32), np.array([False, True]))
    assert table.weight[[0, BINS - 1]].tolist() == [0.5, 0.5]
    assert table.weight.sum() == pytest.approx(1)
