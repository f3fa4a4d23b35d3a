"""Separable window sums of 2-D images, in numpy alone so that they run inside 3D Slicer."""

from __future__ import annotations

import numpy as np


def filter_valid(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Correlate both axes of ``image`` with the 1-D ``window``, keeping only full windows.

    Args:
        image: (H, W) float.
        window: (n,) odd length, symmetric.

    Returns:
        (H - n + 1, W - n + 1) float64; empty if the image is smaller than the window.
    """
    height, width = (max(size - len(window) + 1, 0) for size in image.shape)
    rows = np.zeros((height, image.shape[1]))
    for offset, weight in enumerate(window):
        rows += weight * image[offset : offset + height]
    out = np.zeros((height, width))
    for offset, weight in enumerate(window):
        out += weight * rows[:, offset : offset + width]
    return out


def mean_of_seven(image: np.ndarray) -> np.ndarray:
    """:func:`filter_valid` with seven equal weights, by a third of the sums.

    Args:
        image: (H, W) float64, sides of 7 or more.
    """
    for _ in range(2):
        pairs = image[:-1] + image[1:]
        sevens = pairs[:-5] + pairs[2:-3]
        sevens += pairs[4:-1]
        sevens += image[6:]
        sevens /= 7
        image = sevens.T
    return image


def gaussian_window(size: int, sigma: float) -> np.ndarray:
    """(size,) float64 samples of a Gaussian of ``sigma`` pixels about the centre, summing to 1."""
    offsets = np.arange(size) - (size - 1) / 2
    window = np.exp(-(offsets**2) / (2 * sigma**2))
    return window / window.sum()
