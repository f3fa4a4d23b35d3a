"""Sharpness of one image, without reference: spatial frequency and average gradient."""

from __future__ import annotations

import numpy as np


def sf(image: np.ndarray) -> float:
    """Spatial frequency: ``sqrt(mean((F[h, w] - F[h, w-1])^2) + mean((F[h, w] - F[h-1, w])^2))``.

    Args:
        image: (H, W), grey levels 0..255.

    Returns:
        Grey levels per pixel, 0 or more; NaN if a side is a single pixel.

    Source: Eskicioglu, Fisher, "Image quality measures and their performance", IEEE Trans. Commun.
    43 (1995); as in the CDDFuse evaluator.
    """
    image = np.asarray(image, dtype=np.float64)
    if min(image.shape) < 2:
        return float("nan")
    rows = np.mean(np.diff(image, axis=1) ** 2)
    columns = np.mean(np.diff(image, axis=0) ** 2)
    return float(np.sqrt(rows + columns))


def ag(image: np.ndarray) -> float:
    """Average gradient: ``mean(sqrt((Gx^2 + Gy^2) / 2))``, with central differences.

    At the border they are one-sided.

    Args:
        image: (H, W), grey levels 0..255.

    Returns:
        Grey levels per pixel, 0 or more; NaN if a side is a single pixel.

    Source: Cui, Feng, Xu, Li, Chen, "Detail preserved fusion of visible and infrared images using
    regional saliency extraction and multi-scale image decomposition", Opt. Commun. 341 (2015); as
    in the CDDFuse evaluator.
    """
    image = np.asarray(image, dtype=np.float64)
    if min(image.shape) < 2:
        return float("nan")
    along_height, along_width = np.gradient(image)
    return float(np.mean(np.sqrt((along_width**2 + along_height**2) / 2)))
