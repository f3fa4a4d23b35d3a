"""Means with confidence: cases are drawn again with replacement, never their voxels or faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

_DRAWS = 1000
_LEVEL = 0.95

Item = TypeVar("Item")


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: NaN if nothing was measured.
        low, high: percentiles of the bootstrap; NaN for a single case.
        least, most: of the values.
        cases: patients or templates that it rests on.
        volumes: values that it rests on.
    """

    value: float
    low: float
    high: float
    least: float
    most: float
    cases: int
    volumes: int


def interval(
    by_case: Sequence[Sequence[Item]],
    statistic: Callable[[list[Item]], float],
    seed: int = 0,
) -> tuple[float, float]:
    """The 95 % interval of ``statistic`` over cases drawn with replacement; NaN for fewer than two.

    Source: percentile bootstrap of clusters, Davison, Hinkley, "Bootstrap Methods and their
    Application" (1997), section 3.8.
    """
    if len(by_case) < 2:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(_DRAWS):
        chosen = rng.integers(len(by_case), size=len(by_case))
        draws.append(statistic([item for k in chosen for item in by_case[k]]))
    if np.isnan(draws).all():
        return float("nan"), float("nan")
    tail = 50 * (1 - _LEVEL)
    low, high = np.nanpercentile(draws, [tail, 100 - tail])
    return float(low), float(high)


def mean_over_cases(rows: Sequence[tuple[str, float]], seed: int = 0) -> Estimate:
    """Mean of the (case, value) rows that are not NaN; all NaN if there is none."""
    by_case: dict[str, list[float]] = {}
    for case, value in rows:
        if not np.isnan(value):
            by_case.setdefault(case, []).append(float(value))
    values = [value for case in by_case.values() for value in case]
    if not values:
        return Estimate(*[float("nan")] * 5, 0, 0)
    limits = interval(list(by_case.values()), lambda drawn: float(np.mean(drawn)), seed)
    return Estimate(
        float(np.mean(values)), *limits, min(values), max(values), len(by_case), len(values)
    )
