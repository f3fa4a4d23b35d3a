"""Intervals over cases: neighbours of one patient are not many patients."""

from __future__ import annotations

import numpy as np
import pytest
from WDualMineLib.lab.truth.confidence import interval, mean_over_cases


def test_the_mean_is_over_all_volumes_and_nan_is_left_out() -> None:
    rows = [("a", 1.0), ("a", 2.0), ("b", 6.0), ("b", float("nan")), ("c", float("nan"))]
    estimate = mean_over_cases(rows)
    assert estimate.value == pytest.approx(3)
    assert (estimate.cases, estimate.volumes) == (2, 3)
    assert (estimate.least, estimate.most) == (1, 6)
    assert estimate.low <= estimate.value <= estimate.high


def test_one_case_has_no_interval_and_none_has_no_value() -> None:
    single = mean_over_cases([("a", 1.0), ("a", 2.0)])
    assert np.isnan([single.low, single.high]).all()
    nothing = mean_over_cases([("a", float("nan"))])
    assert np.isnan(nothing.value)
    assert (nothing.cases, nothing.volumes) == (0, 0)


def test_many_volumes_of_few_cases_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    levels = rng.normal(0, 1, 10)
    few = mean_over_cases([(str(k), x) for k, x in enumerate(levels)])
    many = mean_over_cases([(str(k), x) for k, x in enumerate(levels) for _ in range(50)])
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=0.05)


def test_the_interval_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(0, 1, 200)
    low, high = interval([[x] for x in values], lambda drawn: float(np.mean(drawn)))
    expected = 1.96 * values.std() / np.sqrt(200)
    assert high - values.mean() == pytest.approx(expected, rel=0.15)
    assert values.mean() - low == pytest.approx(expected, rel=0.15)


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = [(str(k), k**0.5) for k in range(9)]
    assert mean_over_cases(rows, 4) == mean_over_cases(rows, 4)
    assert mean_over_cases(rows, 4) != mean_over_cases(rows, 5)
