"""The metric and its slope against what they should be."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.registration.metric import PointMetric, Sampler, draw_points, entropies
from WDualMineLib.registration.poses import (
    affine_pose,
    affine_slopes,
    rigid_mean,
    rigid_pose,
    rigid_slopes,
)
from WDualMineLib.registration.preparation import prepare

CENTRE = np.array([3.0, -8.0, 5.0])


@pytest.fixture(scope="module")
def metric(mr, ct):
    return PointMetric.between(prepare(mr), prepare(ct), 6.0, 20_000, seed=1)


@pytest.mark.parametrize(
    ("make", "slopes", "count"),
    [(rigid_pose, rigid_slopes, 6), (affine_pose, affine_slopes, 12)],
)
def test_slopes_of_poses_are_their_differences(make, slopes, count) -> None:
    parameters = np.random.default_rng(0).uniform(-20, 20, count)
    for axis, slope in enumerate(slopes(parameters, CENTRE)):
        nudge = 1e-4 * np.eye(count)[axis]
        ahead, behind = make(parameters + nudge, CENTRE), make(parameters - nudge, CENTRE)
        np.testing.assert_allclose(slope, ((ahead - behind) / 2e-4)[:3], atol=1e-6)


def test_the_slope_points_where_the_score_rises(metric, pose) -> None:
    """Against differences over 0.2 mm: closer ones feel the histogram's corners."""
    start = pose @ rigid_pose(np.array([4.0, -3.0, 2.0, 5.0, -4.0, 3.0]), CENTRE)
    _, by_matrix = metric.with_gradient(start)
    slope, difference = np.empty(6), np.empty(6)
    for axis, direction in enumerate(rigid_slopes(np.zeros(6), CENTRE)):
        slope[axis] = np.sum((start[:3, :3] @ direction) * by_matrix)
        ahead, behind = (start @ rigid_pose(s * np.eye(6)[axis], CENTRE) for s in (0.1, -0.1))
        difference[axis] = (metric(ahead) - metric(behind)) / 0.2
    cosine = slope @ difference / np.linalg.norm(slope) / np.linalg.norm(difference)
    assert cosine > 0.97
    assert np.linalg.norm(slope) == pytest.approx(np.linalg.norm(difference), rel=0.15)


def test_score_and_score_with_slope_agree(metric, pose) -> None:
    assert metric.with_gradient(pose)[0] == pytest.approx(metric(pose), rel=1e-6)


def test_the_true_pose_scores_best(metric, pose) -> None:
    rng = np.random.default_rng(2)
    others = [metric(pose @ rigid_pose(rng.uniform(-15, 15, 6), CENTRE)) for _ in range(20)]
    assert metric(pose) > 1.3 * max(others)


def test_no_overlap_scores_nothing(metric) -> None:
    away = np.eye(4)
    away[:3, 3] = 5000.0
    score, slope = metric.with_gradient(away)
    assert score == metric(away) == metric.evidence(away) == 0.0
    assert not slope.any()


def test_information_of_equal_and_of_independent_values() -> None:
    fixed, moving, both = entropies(np.eye(8))
    assert fixed == moving == pytest.approx(both) == pytest.approx(np.log(8))
    fixed, moving, both = entropies(np.ones((8, 8)))
    assert fixed + moving == pytest.approx(both)


def test_sampling_is_linear_between_voxels(mr) -> None:
    """At points on a straight line between two voxels, values lie on one too."""
    prepared = prepare(mr)
    sampler = Sampler(prepared.level(6.0))
    points = np.array([[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [3.0, 0.0, 0.0]]).T
    to_lps = np.linalg.inv(sampler.to_index)
    mapped = (to_lps @ np.vstack([points / 6 + 9, np.ones(3)]))[:3].astype(np.float32)
    values, slopes, inside = sampler(mapped, np.eye(4), gradient=True)
    assert inside.all()
    assert values[1] == pytest.approx((values[0] + values[2]) / 2, abs=1e-5)
    assert slopes[0, 0] == pytest.approx((values[2] - values[0]) / 0.5, abs=1e-4)


def test_points_are_the_same_for_a_seed_and_lie_off_the_grid(mr) -> None:
    prepared = prepare(mr)
    first, again, other = (draw_points(prepared, 6.0, 2000, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    spread = (first - prepared.level(6.0).GetOrigin()) / 6.0
    assert np.std(spread - np.round(spread)) == pytest.approx(1 / np.sqrt(12), rel=0.1)


def test_the_mean_of_two_poses_lies_between() -> None:
    a, b = (rigid_pose(s * np.array([6.0, 2.0, -4.0, 3.0, 1.0, -2.0]), CENTRE) for s in (1, -1))
    np.testing.assert_allclose(rigid_mean([a, b], CENTRE), np.eye(4), atol=0.02)
