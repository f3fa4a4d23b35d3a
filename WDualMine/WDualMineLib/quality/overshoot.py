"""Halos: values of a fused volume that neither source has in the neighbourhood."""

from __future__ import annotations

import numpy as np

MARGIN = 0.05
"""How far out of the sources' range a value must lie: thirteen grey levels of 255."""


def overshoot(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, margin: float = MARGIN
) -> tuple[float, float]:
    """Share of the head that is brighter, and share that is darker, than both sources around it.

    A fusion that mixes its sources stays between the darkest and the brightest value that either
    has within the 3 x 3 neighbourhood in the slice. Ringing along edges, and structure that is
    in neither source, leave that range.

    Args:
        fused, a, b: (K, J, I) in [0, 1] on one scale, slices along the first axis.
        margin: what does not count yet.

    Returns:
        (above, below), shares of the voxels where a or b is above 0; 0 where there are none.
    """
    above = below = head = 0
    for f, x, y in zip(fused, a, b, strict=True):
        inside = (x > 0) | (y > 0)
        above += np.count_nonzero(inside & (f > _around(np.maximum(x, y), np.max) + margin))
        below += np.count_nonzero(inside & (f < _around(np.minimum(x, y), np.min) - margin))
        head += np.count_nonzero(inside)
    return (above / head, below / head) if head else (0.0, 0.0)


def _around(image: np.ndarray, extreme) -> np.ndarray:
    """The extreme of the 3 x 3 neighbourhood of every pixel, (J, I)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, 1, mode="edge"), (3, 3))
    return extreme(windows, axis=(2, 3))
