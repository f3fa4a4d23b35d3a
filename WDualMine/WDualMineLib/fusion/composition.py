"""From the sources and the residual to the fused volume, at any detail strength."""

from __future__ import annotations

import numpy as np

from ..volumes import scratch
from .chunks import for_ranges
from .tone import VOLUME_KNEE, bend_top, slope_of_bend

_DARK = 0.25
"""Share of the average of the sources below which the residual fades a voxel, and no longer
subtracts."""


def compose(
    a: np.ndarray,
    b: np.ndarray,
    residual: np.ndarray,
    strength: float = 1.0,
    ceiling: float | None = None,
    knee: float = VOLUME_KNEE,
) -> np.ndarray:
    """``(a + b) / 2 + strength * residual`` in [0, 1]: the residual-to-average form of W-DUALMINE.

    Nothing is cut off. Where the sum passes 1 (two bright sources, a high strength) its bright end
    is bent from the knee on, so that its :func:`ceiling_of`, its very largest value, becomes 1.
    Where the residual would take a voxel below a quarter of the average, and in the end below 0,
    the voxel fades towards 0 instead and stays above it. Where both sources are 0 (air) the
    result is exactly 0, whatever the residual says: there is nothing to be shown.

    Args:
        a, b, residual: arrays of one shape; a and b in [0, 1].
        strength: gain of the residual, 0 to 2.
        ceiling: of the volume that the arrays are a part of; None to take their own.
        knee: level in [0, 1) from which on the bright end is bent, if at all.

    Returns:
        float32, the same shape.
    """
    if ceiling is None:
        ceiling = ceiling_of(a, b, residual, strength)
    fused = scratch.empty(a.shape)
    flat = fused.reshape(-1)
    a, b, residual = (np.ascontiguousarray(x).reshape(-1) for x in (a, b, residual))

    def compose(piece: slice) -> None:
        values = _sum(a[piece], b[piece], residual[piece], strength)
        bend_top(values, ceiling, knee)
        flat[piece] = values

    for _ in for_ranges(compose, a.size):
        pass
    return fused


def ceiling_of(a: np.ndarray, b: np.ndarray, residual: np.ndarray, strength: float) -> float:
    """What has to become white for the sum to stay within [0, 1]: its largest value, at least 1.

    A level that only most of the tissue stays below, which was tried, cuts off what is rare, and
    hot tumours are.

    Args:
        a, b, residual, strength: as in :func:`compose`.
    """
    a, b, residual = (np.ascontiguousarray(x).reshape(-1) for x in (a, b, residual))

    def largest(piece: slice) -> float:
        return float(_sum(a[piece], b[piece], residual[piece], strength).max())

    return max([1.0, *for_ranges(largest, a.size)])


def _sum(a: np.ndarray, b: np.ndarray, residual: np.ndarray, strength: float) -> np.ndarray:
    """Average plus residual, float32, not negative, 0 in air and only there."""
    average = np.float32(0.5) * (a + b)
    values = np.float32(strength) * residual
    values += average
    dark = average * np.float32(_DARK)
    low = values < dark
    if low.any():
        # Where the two meet, value and slope of this are those of the sum.
        dark = dark[low]
        values[low] = dark * dark / np.maximum(2 * dark - values[low], np.float32(1e-12))
    values *= average > 0
    return values


def slopes_of(
    a: np.ndarray,
    b: np.ndarray,
    residual: np.ndarray,
    strength: float,
    ceiling: float,
    knee: float = VOLUME_KNEE,
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of :func:`compose` at each voxel, by the average of a and b and by the residual.

    Args:
        a, b, residual, strength, ceiling, knee: as there; the ceiling is held as it is.

    Returns:
        Two float64 arrays of the same shape, 0 in air, where nothing is shown.
    """
    average = 0.5 * (a.astype(np.float64) + b)
    values = strength * residual.astype(np.float64) + average
    by_average = np.ones_like(values)
    by_sum = np.ones_like(values)
    dark = average * _DARK
    low = (values < dark) & (average > 0)
    if low.any():
        d, reach = dark[low], 2 * dark[low] - values[low]
        by_sum[low] = (d / reach) ** 2
        by_average[low] = by_sum[low] + 2 * _DARK * (d / reach - by_sum[low])
        values[low] = d * d / reach
    bent = slope_of_bend(values, ceiling, knee) * (average > 0)
    return by_average * bent, strength * by_sum * bent
