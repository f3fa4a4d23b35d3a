"""Structural similarity of a fused image with its sources."""

from __future__ import annotations

import numpy as np

from .filtering import mean_of_seven

WINDOW = 7
DATA_RANGE = 255.0


def ssim_pair(x: np.ndarray, y: np.ndarray) -> float:
    """Mean structural similarity of two images, over every full 7 x 7 window.

    ``(2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2))``, with
    ``C1 = (0.01 * 255)^2``, ``C2 = (0.03 * 255)^2``, uniform weights and unbiased (n - 1)
    variances: the defaults of scikit-image, with the data range stated.

    Args:
        x, y: (H, W) of equal shape, grey levels 0..255.

    Returns:
        In [-1, 1]; NaN if a side is shorter than 7 pixels.

    Source: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", IEEE TIP 13 (2004).
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if min(x.shape) < WINDOW:
        return float("nan")
    mean_x, mean_y = mean_of_seven(x), mean_of_seven(y)
    unbiased = WINDOW**2 / (WINDOW**2 - 1)
    variances = unbiased * (mean_of_seven(x * x + y * y) - mean_x**2 - mean_y**2)
    covariance = unbiased * (mean_of_seven(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float(np.mean(luminance * (2 * covariance + c2) / (variances + c2)))


def ssim(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity to both sources: ``(SSIM(F, A) + SSIM(F, B)) / 2``.

    The CDDFuse evaluator sums the two and leaves the data range to scikit-image, which takes 2 for
    floats, so that the stabilising constants all but vanish. Here the range is that of the grey
    levels, 255: the reading under which the pixel average of CT and MRI has the 0.73 to 0.75 of the
    figures compared with (a range of 2 would give 0.68). A Gaussian window changes that by 0.003.

    Args:
        fused, a, b: (H, W) of equal shape, grey levels 0..255.

    Returns:
        In [-1, 1]; NaN if a side is shorter than 7 pixels.
    """
    return (ssim_pair(fused, a) + ssim_pair(fused, b)) / 2
