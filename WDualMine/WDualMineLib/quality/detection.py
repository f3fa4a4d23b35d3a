"""How well a map finds a region: the area under the receiver operating characteristic."""

from __future__ import annotations

import numpy as np


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve of ``scores`` as a detector of ``positive``.

    It is the chance that a positive element scores above a negative one, ties counting half:
    the Mann-Whitney U statistic over the number of such pairs.

    Args:
        scores: any shape, finite; higher means "positive".
        positive: boolean, the same shape.

    Returns:
        In [0, 1], 0.5 for a map that knows nothing; NaN if all elements are of one kind.

    Source: Hanley, McNeil, "The meaning and use of the area under a receiver operating
    characteristic (ROC) curve", Radiology 143 (1982).
    """
    scores, positive = np.ravel(scores), np.ravel(positive).astype(bool)
    positives = int(positive.sum())
    negatives = positive.size - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Elements of equal score share the mean of their ranks, which start at 1.
    ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = ranks[which][positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))
