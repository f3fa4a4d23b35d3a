"""From the sources and the residual to the fused volume, at any detail strength."""

from __future__ import annotations

import numpy as np

from .chunks import for_ranges


def compose(
    a: np.ndarray, b: np.ndarray, residual: np.ndarray, strength: float = 1.0
) -> np.ndarray:
    """``(a + b) / 2 + strength * residual`` in [0, 1]: the residual-to-average form of W-DUALMINE.

    Where both sources are 0 (air) the result is exactly 0, whatever the residual says: there is
    nothing to be shown.

    Args:
        a, b, residual: arrays of one shape; a and b in [0, 1].
        strength: gain of the residual, 0 to 2.

    Returns:
        float32, the same shape.
    """
    fused = np.empty(a.shape, dtype=np.float32)
    flat = fused.reshape(-1)
    a, b, residual = (np.ascontiguousarray(x).reshape(-1) for x in (a, b, residual))
    half, gain = np.float32(0.5), np.float32(strength)

    def compose(piece: slice) -> None:
        total = a[piece] + b[piece]
        values = gain * residual[piece]
        values += half * total
        np.clip(values, 0, 1, out=values)
        values *= total > 0
        flat[piece] = values

    for _ in for_ranges(compose, a.size):
        pass
    return fused
