"""Halos: values of a fused volume that its tones do not explain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MARGIN = 0.05
"""How far out of range a value must lie: thirteen grey levels of 255."""

_BINS = 64


def overshoot(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, margin: float = MARGIN
) -> tuple[float, float]:
    """Share of the head that is brighter, and share that is darker, than anything around it.

    Which tone a pair of values gets is the fusion's choice: where both sources are bright, a sum
    is brighter than either. What is compared is therefore the fused volume with the function of the
    two values that comes closest to it (the mean of F at each cell of the joint histogram).
    A fusion that mixes its sources stays between the extremes which that function has within the
    3 x 3 neighbourhood in the slice; ringing along edges, and structure of neither source, do not.

    Args:
        fused, a, b: (K, J, I) in [0, 1], slices along the first axis.
        margin: what does not count yet.

    Returns:
        (above, below), shares of the voxels where a or b is above 0; 0 where there are none.
    """
    explained = tones(fused, a, b)
    above = below = head = 0
    for f, tone, x, y in zip(fused, explained, a, b, strict=True):
        inside = (x > 0) | (y > 0)
        above += int(np.count_nonzero(inside & (f > _around(tone, np.max) + margin)))
        below += int(np.count_nonzero(inside & (f < _around(tone, np.min) - margin)))
        head += int(np.count_nonzero(inside))
    return (above / head, below / head) if head else (0.0, 0.0)


def tones(fused: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The mean of ``fused`` over all voxels with the same values of a and b (64 levels each)."""
    cells = [np.rint(np.clip(x, 0, 1) * (_BINS - 1)).astype(np.int64) for x in (a, b)]
    index = (cells[0] * _BINS + cells[1]).ravel()
    count = np.bincount(index, minlength=_BINS**2)
    total = np.bincount(index, weights=fused.ravel(), minlength=_BINS**2)
    return (total / np.maximum(count, 1))[index].reshape(fused.shape)


def _around(image: np.ndarray, extreme: Callable[..., np.ndarray]) -> np.ndarray:
    """The extreme of the 3 x 3 neighbourhood of every pixel, (J, I)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1, mode="edge"), (3, 3))
    return extreme(windows, axis=(2, 3))
