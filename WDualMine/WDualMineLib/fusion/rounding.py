"""Rounding to grey levels that keeps what a fused image tells of its sources."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .correlation import quantise

_PASSES = 4
"""After three the choice of fewer than one voxel in a hundred still changes."""

_SHARE = 0.3
"""Of a voxel, that is added to every cell: an empty one is not impossible, only unlikely."""

LEVELS = 255

Rounding = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""``rounding(image, a, b)``, all (H, W) in [0, 1], gives (H, W) uint8."""


def informed_rounding(image: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Round to 8 bit, down or up, whichever of the two levels tells more of both sources.

    Rounding to the nearest level spreads voxels with equal sources over two levels wherever they
    lie near the middle between them, which costs mutual information. Here each voxel takes, of the
    two levels around it, the one with the larger derivative of ``I(F; A) + I(F; B)``,

        log n(F, A) + log n(F, B) - 2 log n(F),

    n counting the other voxels of the image, and that is repeated. No voxel moves by a whole level,
    so nothing that the eye can see changes; only the measure, which tells 256 levels apart, does.
    The idea is that of rate-distortion optimised quantisation: of the levels that are near enough,
    the one that is worth more (Ramchandran and Vetterli, "Rate-distortion optimal fast
    thresholding", IEEE TIP 1994).

    Args:
        image: (H, W) in [0, 1]; clipped if not.
        a, b: (H, W) sources in [0, 1], on 8-bit levels or rounded to them.

    Returns:
        (H, W) uint8, each within one level of ``255 image``; exact levels stay as they are.
    """
    exact = np.clip(np.asarray(image, dtype=np.float32), 0, 1) * np.float32(LEVELS)
    lower, upper = (f(exact).astype(np.int64).ravel() for f in (np.floor, np.ceil))
    rows = [np.rint(x * np.float32(LEVELS)).astype(np.int64).ravel() for x in (a, b)]
    chosen = np.rint(exact).astype(np.int64).ravel()
    for _ in range(_PASSES):
        worth_of_lower, worth_of_upper = (_worth(level, chosen, rows) for level in (lower, upper))
        better = np.where(worth_of_upper > worth_of_lower, upper, lower)
        # Where both are worth the same, the nearest is as good as any.
        better = np.where(worth_of_upper == worth_of_lower, np.rint(exact).ravel(), better)
        chosen = better.astype(np.int64)
    return chosen.reshape(exact.shape).astype(np.uint8)


def nearest_rounding(image: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same by :func:`.correlation.quantise`, which does not look at the sources."""
    return quantise(image, LEVELS)


def _worth(level: np.ndarray, chosen: np.ndarray, rows: list[np.ndarray]) -> np.ndarray:
    """Derivative of the information by a voxel that takes ``level``, the others as ``chosen``."""
    width = LEVELS + 1
    own = (level == chosen).astype(np.float64)
    shares = 1.0
    for row in rows:
        joint = np.bincount(row * width + chosen, minlength=width**2)
        shares = shares * (joint[row * width + level] - own + _SHARE)
    return np.log(shares) - 2 * np.log(np.bincount(chosen, minlength=width)[level] - own + 1)
