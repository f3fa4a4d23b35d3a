"""Histogram measures of 8-bit images: mutual information and entropy, in bits."""

from __future__ import annotations

import numpy as np

LEVELS = 256
"""Histogram bins: one for each 8-bit grey level."""


def to_levels(image: np.ndarray) -> np.ndarray:
    """Grey levels 0..255 as int64, flattened; floats are rounded and clipped first."""
    image = np.asarray(image)
    if image.dtype != np.uint8:
        image = np.clip(np.rint(image), 0, LEVELS - 1)
    return image.ravel().astype(np.int64)


def _entropy_of(counts: np.ndarray) -> float:
    probabilities = counts[counts > 0] / counts.sum()
    return float(probabilities @ np.log2(1 / probabilities))


def en(image: np.ndarray) -> float:
    """Entropy of the grey-level histogram: ``-sum_i p_i log2 p_i``.

    Args:
        image: any shape, grey levels 0..255.

    Returns:
        Bits, in [0, 8].

    Source: Roberts, van Aardt, Ahmed, "Assessment of image fusion procedures using entropy, image
    quality, and multispectral classification", J. Appl. Remote Sens. 2 (2008).
    """
    return _entropy_of(np.bincount(to_levels(image), minlength=LEVELS))


def mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Mutual information of two images: ``H(X) + H(Y) - H(X, Y)`` over 256 x 256 grey levels.

    Args:
        x, y: equal shape, grey levels 0..255.

    Returns:
        Bits, in [0, 8].
    """
    return information_in(joint_histogram(x, y))


def joint_histogram(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(256, 256) int64: how many pixels have grey level i in ``x`` and j in ``y``.

    Histograms of the slices of a volume add up to that of the volume.
    """
    joint = np.bincount(to_levels(x) * LEVELS + to_levels(y), minlength=LEVELS**2)
    return joint.reshape(LEVELS, LEVELS)


def information_in(joint: np.ndarray) -> float:
    """Mutual information in bits of the two grey levels counted by :func:`joint_histogram`."""
    marginals = _entropy_of(joint.sum(0)) + _entropy_of(joint.sum(1))
    return max(marginals - _entropy_of(joint.ravel()), 0.0)


def mi(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information with both sources: ``I(F; A) + I(F; B)``, 256 bins, not normalised.

    Args:
        fused, a, b: equal shape, grey levels 0..255.

    Returns:
        Bits, in [0, 16].

    Source: Qu, Zhang, Yan, "Information measure for performance of image fusion", Electronics
    Letters 38 (2002); as in the CDDFuse evaluator, whose nats are bits here.
    """
    return mutual_information(fused, a) + mutual_information(fused, b)
