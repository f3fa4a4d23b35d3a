"""Linear correlation of a fused image with its sources: CC, its upper bound, and SCD."""

from __future__ import annotations

import numpy as np


def pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson correlation of two arrays of equal shape, in [-1, 1]; NaN if either is constant."""
    x = np.asarray(x, dtype=np.float64).ravel()
    y = np.asarray(y, dtype=np.float64).ravel()
    # Asked of the values, not of the variance, which rounding may leave above 0.
    if min(np.ptp(x), np.ptp(y)) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def cc(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Correlation coefficient: ``(corr(F, A) + corr(F, B)) / 2``.

    Args:
        fused, a, b: arrays of equal shape, any number of axes, any linear intensity scale.

    Returns:
        In [-1, 1]; NaN if one of the three is constant.

    Source: Ma, Ma, Li, "Infrared and visible image fusion methods and applications: a survey",
    Information Fusion 45 (2019); as in the CDDFuse evaluator.
    """
    return (pearson(fused, a) + pearson(fused, b)) / 2


def cc_bound(a: np.ndarray, b: np.ndarray) -> float:
    """The highest CC that any fusion of ``a`` and ``b`` can have: ``sqrt((1 + corr(A, B)) / 2)``.

    With the sum of the standardised sources ``U = A^ + B^``, ``CC(F) = corr(F, U) * bound``;
    ``F = U`` reaches it.

    Returns:
        In [0, 1]; NaN if a source is constant.
    """
    return float(np.sqrt(max((1 + pearson(a, b)) / 2, 0.0)))


def cc_ratio(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """CC over its upper bound (:func:`cc_bound`), which is ``corr(F, A^ + B^)``.

    Returns:
        In [-1, 1], 1 for the sum of the standardised sources; NaN if one of the three is constant
        or the sources are each other's negative.
    """
    bound = cc_bound(a, b)
    return cc(fused, a, b) / bound if bound > 0 else float("nan")


def scd(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Sum of the correlations of differences: ``corr(F - B, A) + corr(F - A, B)``.

    What fusion added to one source should look like the other.

    Args:
        fused, a, b: arrays of equal shape on one intensity scale.

    Returns:
        In [-2, 2]; NaN if a source is constant or the fused image equals one of them.

    Source: Aslantas, Bendes, "A new image quality metric for image fusion: the sum of the
    correlations of differences", AEU 69 (2015); as in the CDDFuse evaluator.
    """
    fused, a, b = (np.asarray(image, dtype=np.float64) for image in (fused, a, b))
    return pearson(fused - b, a) + pearson(fused - a, b)
