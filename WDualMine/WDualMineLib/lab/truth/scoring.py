"""Figures of one volume's maps: false alarms, stripes, and how well suspicion finds a fault.

Suspicion of a source is 1 - its reliability. All arrays are (K, J, I); a score is NaN where there
is nothing to measure it on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...quality.detection import auroc
from .regions import Spacing

DOUBTED = 0.25
"""A source is flagged where its reliability is below this."""

FALSE_ALARMS = 0.01
"""Share of sound tissue that may be flagged when the share found is measured."""

_STEADY = 1e-4
"""Mean change between neighbours below which a map is even, and stripes are undefined."""


class Maps(NamedTuple):
    """What is measured: reliabilities (K, J, I) of both sources, and the fused volume if any."""

    fixed: np.ndarray
    moving: np.ndarray
    fused: np.ndarray | None = None


class Detection(NamedTuple):
    """How well the suspicion of a faulty source finds the fault; see :func:`detection`."""

    auroc: float
    average_precision: float
    found: float
    found_within: float
    flagged_found: float
    precision: float
    flags: float


def share(condition: np.ndarray, where: np.ndarray) -> float:
    """Part of ``where`` in which ``condition`` holds; NaN if ``where`` is empty."""
    count = np.count_nonzero(where)
    return float(np.count_nonzero(condition & where) / count) if count else float("nan")


def false_alarms(maps: Maps, where: np.ndarray) -> float:
    """Share of ``where`` in which either source is flagged; on sound volumes all of it is false."""
    return share((maps.fixed < DOUBTED) | (maps.moving < DOUBTED), where)


def average_precision(scores: np.ndarray, positive: np.ndarray) -> float:
    """Mean precision over the recall reached at each distinct score, from the highest on.

    Args:
        scores: (N,), higher means "positive".
        positive: (N,) boolean.

    Returns:
        In [0, 1]; the share of positives for a map that knows nothing; NaN if all are of one kind.

    Source: the definition of scikit-learn's ``average_precision_score``, without interpolation.
    """
    total = int(np.count_nonzero(positive))
    if total in (0, positive.size):
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    # Elements of equal score are taken together: their order means nothing.
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    found = hits[last]
    steps = np.diff(found, prepend=0) / total
    return float(np.sum(steps * found / (last + 1)))


def threshold(scores: np.ndarray, allowed: float = FALSE_ALARMS) -> float:
    """The least of ``scores`` above which at most a part ``allowed`` of them lies."""
    return float(np.quantile(scores, 1 - allowed, method="higher"))


def detection(
    maps: Maps,
    sound: Maps,
    source: int,
    fault: np.ndarray,
    scored: np.ndarray,
    tissue: np.ndarray,
) -> Detection:
    """How well the suspicion of the faulty source finds the fault in the tissue of one volume.

    Args:
        maps: of the faulty volume.
        sound: of the same volume without the fault.
        source: 0 if the fixed one is faulty, 1 if the moving one is.
        fault: bool, where it is.
        scored: bool, the tissue of the faulty volume that is scored; ``fault`` lies in it.
        tissue: bool, all tissue.

    Returns:
        ``auroc``, ``average_precision``: of the fault against the sound tissue that is scored
        beside it; against the tissue of the sound volume where there is none.
        ``found``: share of the fault above a threshold that 1 % of the sound volume's tissue
        passes; ``found_within``: the same with the sound tissue beside the fault.
        ``flagged_found``: share of the fault where the source's reliability is below .25.
        ``precision``: share of the flags, of either source, that are of the faulty one and in
        the fault; ``flags``: share of the scored tissue where there is one.
    """
    suspicion, before = 1 - maps[source], 1 - sound[source]
    beside = scored & ~fault
    inside, healthy = suspicion[fault], before[tissue]
    alone = not beside.any()
    negatives = healthy if alone else suspicion[beside]
    scores = np.concatenate([inside, negatives])
    positive = np.arange(scores.size) < inside.size
    flagged = (maps[source] < DOUBTED) & scored
    blamed = flagged | ((maps[1 - source] < DOUBTED) & scored)
    return Detection(
        auroc(scores, positive),
        average_precision(scores, positive),
        float(np.mean(inside > threshold(healthy))),
        float("nan") if alone else float(np.mean(inside > threshold(negatives))),
        share(flagged, fault),
        share(flagged & fault, blamed),
        share(blamed, scored),
    )


def stripes(map_: np.ndarray, where: np.ndarray, spacing: Spacing) -> float:
    """Change of a map across slices over that within them, each a millimetre: 1 is even.

    Mean absolute difference of neighbours that both lie in ``where``, along the first axis over
    the mean of that along the two others. NaN where the map hardly changes.
    """
    changes = []
    for axis in range(3):
        a, b = _neighbours(where, axis)
        x, y = _neighbours(map_, axis)
        both = a & b
        if not both.any():
            return float("nan")
        changes.append(float(np.abs(x - y)[both].mean()) / spacing[axis])
    within = (changes[1] + changes[2]) / 2
    return changes[0] / within if within * min(spacing[1:]) > _STEADY else float("nan")


def _neighbours(array: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    moved = np.moveaxis(array, axis, 0)
    return moved[:-1], moved[1:]
