"""Does the fused volume lose nothing: clipping and order in tumours, flicker, the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from ...fusion.moments import measure
from ...quality.volume_measures import flicker
from .cases import Case
from .scoring import share

_WHITE = 1 - 1e-6


@dataclass(frozen=True)
class LookScore:
    """A sound case's fused volume.

    Attributes:
        case, group, family: of :class:`~.cases.Case`.
        clipped: share of the hottest half of the lesion that is exactly 1 in the fused volume.
        clipped_source: the same in the windowed moving source, which no fusion can undo.
        order: Spearman's rank correlation of the fused volume with the moving one, in its own units
            and not windowed, within the lesion.
        order_source: that of the windowed moving source.
        flicker: see :func:`...quality.volume_measures.flicker`.
        cc_over_bound: CC over its bound within the tissue.
        cc_over_bound_shown: the same wherever a source is above 0.
    """

    case: str
    group: str
    family: str
    clipped: float
    clipped_source: float
    order: float
    order_source: float
    flicker: float
    cc_over_bound: float
    cc_over_bound_shown: float


def measure_look(case: Case, fused: np.ndarray) -> LookScore:
    """Measure one fused volume, float32 (K, J, I) in [0, 1]; NaN where there is no lesion."""
    a, b = case.sources
    clipped = [float("nan")] * 2
    order = [float("nan")] * 2
    moments = measure(fused, a, b)
    if case.lesion is not None and case.lesion.any():
        hot = case.lesion & (case.uptake >= np.median(case.uptake[case.lesion]))
        clipped = [share(image >= _WHITE, hot) for image in (fused, b)]
        order = [_rank_correlation(image, case.uptake, case.lesion) for image in (fused, b)]
    return LookScore(
        case.name,
        case.group,
        case.family,
        *clipped,
        *order,
        flicker(fused, a, b),
        moments.tissue.cc_over_bound,
        moments.head.cc_over_bound,
    )


def _rank_correlation(x: np.ndarray, y: np.ndarray, where: np.ndarray) -> float:
    x, y = x[where], y[where]
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(spearmanr(x, y).statistic)
