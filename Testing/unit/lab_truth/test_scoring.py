"""Scores against values worked out by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.scoring import (
    Maps,
    average_precision,
    detection,
    false_alarms,
    share,
    stripes,
    threshold,
)


def test_average_precision_by_hand() -> None:
    # Ranked: hit, miss, hit. Precision 1 at half of the recall, 2/3 at all of it.
    found = average_precision(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]))
    assert found == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_equal_scores_are_taken_together() -> None:
    positive = np.array([True, False, False, False])
    assert average_precision(np.full(4, 0.3), positive) == pytest.approx(0.25)
    assert average_precision(np.full(4, 0.3), positive[::-1]) == pytest.approx(0.25)


@pytest.mark.parametrize("decimals", [1, 8])
def test_average_precision_is_that_of_scikit_learn(decimals: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(decimals)
    positive = rng.random(500) < 0.2
    scores = np.round(rng.normal(positive, 1), decimals)
    expected = metrics.average_precision_score(positive, scores)
    assert average_precision(scores, positive) == pytest.approx(expected, abs=1e-12)


def test_one_kind_alone_has_no_average_precision() -> None:
    assert np.isnan(average_precision(np.ones(3), np.ones(3, bool)))
    assert np.isnan(average_precision(np.ones(3), np.zeros(3, bool)))


def test_no_more_than_allowed_pass_the_threshold() -> None:
    scores = np.arange(1000) / 1000
    assert np.count_nonzero(scores > threshold(scores, 0.01)) <= 10
    assert np.count_nonzero(scores > threshold(scores, 0.01)) >= 9
    # An even map passes nobody.
    assert not (np.full(9, 0.5) > threshold(np.full(9, 0.5))).any()


def test_shares_count_only_where_asked() -> None:
    condition = np.array([True, True, False, False])
    assert share(condition, np.array([True, False, True, False])) == 0.5
    assert np.isnan(share(condition, np.zeros(4, bool)))


def test_false_alarms_count_either_source() -> None:
    fixed = np.array([0.5, 0.2, 0.8, 0.24, 0.1], np.float32)
    where = np.array([True, True, True, True, False])
    assert false_alarms(Maps(fixed, 1 - fixed), where) == pytest.approx(0.75)


def _line(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32).reshape(1, 1, -1)


def test_detection_by_hand() -> None:
    fault = _line([1, 1, 0, 0, 0]) > 0
    tissue = np.ones(fault.shape, bool)
    suspicion = _line([0.9, 0.6, 0.8, 0.5, 0.1])
    sound = Maps(_line([0.5] * 5), _line([0.5] * 5))
    found = detection(Maps(1 - suspicion, suspicion), sound, 0, fault, tissue, tissue)
    # Of the six pairs of faulty and sound one is the wrong way round: .6 below .8.
    assert found.auroc == pytest.approx(5 / 6)
    assert found.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    # The sound volume is even at .5, and both faulty voxels are above that.
    assert found.found == 1
    # Beside the fault .8 is the highest, and .9 alone passes it.
    assert found.found_within == 0.5
    # Suspicion above .75 is flagged: one of the two faulty voxels.
    assert found.flagged_found == 0.5
    # Flags: .9 (right), .8 (wrong), and .1, where the other source is blamed (wrong).
    assert found.precision == pytest.approx(1 / 3)
    assert found.flags == pytest.approx(3 / 5)


def test_blame_on_the_wrong_source_is_worse_than_silence() -> None:
    fault = _line([1, 1, 0, 0]) > 0
    tissue = np.ones(fault.shape, bool)
    sound = Maps(_line([0.5] * 4), _line([0.5] * 4))
    right, wrong = _line([0.1, 0.1, 0.5, 0.5]), _line([0.9, 0.9, 0.5, 0.5])
    scores = [
        detection(Maps(x, 1 - x), sound, 0, fault, tissue, tissue) for x in (right, sound[0], wrong)
    ]
    assert [s.auroc for s in scores] == [1, 0.5, 0]
    assert scores[0].precision == 1
    assert np.isnan(scores[1].precision)
    assert scores[2].precision == 0


def test_a_fault_that_fills_the_volume_is_told_from_the_sound_one() -> None:
    everywhere = np.ones((1, 1, 4), bool)
    sound = Maps(_line([0.5] * 4), _line([0.5] * 4))
    faulty = _line([0.1, 0.1, 0.1, 0.5])
    found = detection(Maps(faulty, 1 - faulty), sound, 0, everywhere, everywhere, everywhere)
    # 3 of 4 are above all four sound ones, the last ties with them.
    assert found.auroc == pytest.approx((3 + 0.5) / 4)
    assert found.found == 0.75
    assert np.isnan(found.found_within)
    assert found.precision == 1


def test_stripes_are_changes_by_millimetre() -> None:
    ramp = np.indices((6, 6, 6)).sum(0) * 0.01
    everywhere = np.ones(ramp.shape, bool)
    assert stripes(ramp, everywhere, (2.0, 2.0, 2.0)) == pytest.approx(1)
    # The same steps over slices twice as far apart are half as steep.
    assert stripes(ramp, everywhere, (4.0, 2.0, 2.0)) == pytest.approx(0.5)
    banded = ramp + 0.05 * (np.arange(6) % 2)[:, None, None]
    assert stripes(banded, everywhere, (2.0, 2.0, 2.0)) == pytest.approx(5, rel=0.1)


def test_an_even_map_has_no_stripes_and_outside_counts_for_nothing() -> None:
    where = np.zeros((6, 6, 6), bool)
    where[:, :3] = True
    assert np.isnan(stripes(np.full(where.shape, 0.5), where, (2.0, 2.0, 2.0)))
    outside = np.where(where, 0.5, np.random.default_rng(0).random(where.shape))
    assert np.isnan(stripes(outside, where, (2.0, 2.0, 2.0)))
