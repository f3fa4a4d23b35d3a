"""Who made this voxel: how far the fused value follows either source, by its exact derivatives.

At a voxel the fused value is a function of three numbers, A and B of the sources and R of the
network; its global parameters (brightest values, what the correlation floor keeps and adds) are
those of the volume and are held as they are. With the derivatives of R by the sources
(:mod:`~..network.sensitivity`) the chain rule is complete. This is no statement on how far a source
is to be believed: that is the reliability.
"""

from __future__ import annotations

import numpy as np

from ..quality.filtering import gaussian_window
from .chunks import for_ranges
from .composition import ceiling_of, slopes_of
from .correlation import FloorReport
from .tone import VOLUME_KNEE

_REACH = 1.5
"""Standard deviation, in pixels of the slices, of the surroundings that brighten together. What the
network does to edges answers to a lone voxel with large derivatives of either sign, which say
nothing of whom the voxel follows; from here on next to none is below 0."""

_TAILS = 3.0
"""Standard deviations after which a Gaussian is cut off."""


def share_of_first(
    a: np.ndarray,
    b: np.ndarray,
    residual: np.ndarray,
    slopes: tuple[np.ndarray, np.ndarray],
    strength: float,
    floor: FloorReport,
    surroundings: tuple[float, ...] = (0.0, 0.0, 0.0),
    knee: float = VOLUME_KNEE,
) -> np.ndarray:
    """``|dF/dA| / (|dF/dA| + |dF/dB|)`` at every voxel, where either brightens around it.

    Before it is brought into [0, 1] the fused value is ``t C + x A + y B``, with C as
    :func:`~.composition.compose` makes it and t, x and y as the floor chose them. What brings it in
    acts on that sum alone, so that its slope is a factor of both derivatives and cancels out.

    Args:
        a, b, residual: arrays of one shape, as they were composed; a and b in [0, 1].
        slopes: derivatives of the residual by a and by b, the same shape.
        strength, knee: as they were composed with.
        floor: what the correlation floor did with what was composed.
        surroundings: over which derivatives are averaged before they are compared, as the standard
            deviation of a Gaussian along each axis, in voxels (:func:`surroundings_of`); 0 for
            those of the voxel alone.

    Returns:
        float32 in [0, 1], the same shape: 1 where the fused value follows a alone, 0 where it
        follows b alone. 1/2 where it follows neither, and in air, where both sources are 0.
    """
    ceiling = ceiling_of(a, b, residual, strength)
    follows = [np.empty(a.shape, dtype=np.float32) for _ in slopes]
    flat_a, flat_b, flat_residual = (np.ascontiguousarray(x).reshape(-1) for x in (a, b, residual))
    flat_slopes = [np.ascontiguousarray(x).reshape(-1) for x in slopes]
    flat_follows = [x.reshape(-1) for x in follows]

    def derive(piece: slice) -> None:
        given = flat_a[piece], flat_b[piece], flat_residual[piece]
        by_average, by_residual = slopes_of(*given, strength, ceiling, knee)
        tissue = (given[0] > 0) | (given[1] > 0)
        for slope, added, into in zip(flat_slopes, floor.along, flat_follows, strict=True):
            own = floor.kept * (by_average / 2 + by_residual * slope[piece]) + added
            into[piece] = np.where(tissue, own, 0)

    for _ in for_ranges(derive, a.size):
        pass
    to_a, to_b = (np.abs(_averaged(x, surroundings)) for x in follows)
    total = to_a + to_b
    known = (total > 0) & ((a > 0) | (b > 0))
    return np.divide(to_a, total, out=np.full_like(total, 0.5), where=known)


def surroundings_of(spacing: tuple[float, ...]) -> tuple[float, ...]:
    """As far along every axis as 1.5 of the smallest pixels, in voxels of that axis.

    Args:
        spacing: mm along each axis of an array.
    """
    return tuple(_REACH * min(spacing) / step for step in spacing)


def _averaged(values: np.ndarray, surroundings: tuple[float, ...]) -> np.ndarray:
    """``values`` through a Gaussian, as if there were 0 outside; the loss at the border is the same
    for both sources."""
    for axis, sigma in enumerate(surroundings):
        half = min(int(_TAILS * sigma + 0.5), values.shape[axis] - 1)
        if half < 1:
            continue
        weights = gaussian_window(2 * half + 1, sigma).astype(np.float32)
        lines = np.moveaxis(values, axis, 0)
        averaged = weights[half] * lines
        for step in range(1, half + 1):
            averaged[step:] += weights[half + step] * lines[:-step]
            averaged[:-step] += weights[half - step] * lines[step:]
        values = np.moveaxis(averaged, 0, axis)
    return values
