"""Who made this voxel: how far the fused value follows either source, by its exact derivatives.

At a voxel the fused value is a function of three numbers, A and B of the sources and R of the
network; its global parameters (brightest values, what the correlation floor keeps and adds) are
those of the volume and are held as they are. With the derivatives of R by the sources
(:mod:`~..network.sensitivity`) the chain rule is complete. This is no statement on how far a source
is to be believed: that is the reliability.
"""

from __future__ import annotations

import numpy as np

from .chunks import for_ranges
from .composition import ceiling_of, slopes_of
from .correlation import FloorReport
from .tone import VOLUME_KNEE


def share_of_first(
    a: np.ndarray,
    b: np.ndarray,
    residual: np.ndarray,
    slopes: tuple[np.ndarray, np.ndarray],
    strength: float,
    floor: FloorReport,
    knee: float = VOLUME_KNEE,
) -> np.ndarray:
    """``|dF/dA| / (|dF/dA| + |dF/dB|)`` at every voxel.

    Before it is brought into [0, 1] the fused value is ``t C + x A + y B``, with C as
    :func:`~.composition.compose` makes it and t, x and y as the floor chose them. What brings it in
    acts on that sum alone, so that its slope is a factor of both derivatives and cancels out.

    Args:
        a, b, residual: arrays of one shape, as they were composed; a and b in [0, 1].
        slopes: derivatives of the residual by a and by b, the same shape.
        strength, knee: as they were composed with.
        floor: what the correlation floor did with what was composed.

    Returns:
        float32 in [0, 1], the same shape: 1 where the fused value follows a alone, 0 where it
        follows b alone. 1/2 where it follows neither, and in air, where both sources are 0.
    """
    ceiling = ceiling_of(a, b, residual, strength)
    share = np.empty(a.shape, dtype=np.float32)
    flat = share.reshape(-1)
    a, b, residual = (np.ascontiguousarray(x).reshape(-1) for x in (a, b, residual))
    flat_slopes = [np.ascontiguousarray(x).reshape(-1) for x in slopes]

    def derive(piece: slice) -> None:
        given = a[piece], b[piece], residual[piece]
        by_average, by_residual = slopes_of(*given, strength, ceiling, knee)
        follows = [
            np.abs(floor.kept * (by_average / 2 + by_residual * slope[piece]) + added)
            for slope, added in zip(flat_slopes, floor.along, strict=True)
        ]
        total = follows[0] + follows[1]
        known = (total > 0) & ((a[piece] > 0) | (b[piece] > 0))
        flat[piece] = np.divide(follows[0], total, out=np.full_like(total, 0.5), where=known)

    for _ in for_ranges(derive, a.size):
        pass
    return share
