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
_WIDTH = LEVELS + 1

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
    Of all passes, and of rounding to nearest, the one that tells the most is kept.
    The idea is that of rate-distortion optimised quantisation: of the levels that are near enough,
    the one that is worth more (Ramchandran and Vetterli, "Rate-distortion optimal fast
    thresholding", IEEE TIP 1994).

    Args:
        image: (H, W) in [0, 1]; clipped if not.
        a, b: (H, W) sources in [0, 1], on 8-bit levels or rounded to them.

    Returns:
        (H, W) uint8, each within one level of ``255 image``; exact levels stay as they are.
    """
    # A thousandth of a level is noise of the computation, which must not tip the choice.
    exact = np.round(np.clip(np.asarray(image, dtype=np.float64), 0, 1) * LEVELS, 3)
    lower, upper = (f(exact).astype(np.int64).ravel() for f in (np.floor, np.ceil))
    rows = [np.rint(x * np.float32(LEVELS)).astype(np.int64).ravel() for x in (a, b)]
    nearest = np.rint(exact).astype(np.int64).ravel()
    chosen = best = nearest
    most = _told(best, rows)
    for _ in range(_PASSES):
        down, up = (_worth(level, chosen, rows) for level in (lower, upper))
        # Where both are worth the same, the nearest is as good as any.
        chosen = np.where(down == up, nearest, np.where(up > down, upper, lower))
        told = _told(chosen, rows)
        if told > most:
            best, most = chosen, told
    return best.reshape(exact.shape).astype(np.uint8)


def nearest_rounding(image: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same by :func:`.correlation.quantise`, which does not look at the sources."""
    return quantise(image, LEVELS)


def _sum_x_log_x(counts: np.ndarray) -> float:
    return float(counts @ np.log(counts))


def _told(levels: np.ndarray, rows: list[np.ndarray]) -> float:
    """``I(F; A) + I(F; B)`` times the number of voxels, in nats, up to a constant of A and B."""
    counts = [np.bincount(row * _WIDTH + levels) for row in rows]
    joint = sum(_sum_x_log_x(c[c > 0]) for c in counts)
    of_levels = np.bincount(levels)
    return float(joint - 2 * _sum_x_log_x(of_levels[of_levels > 0]))


def _worth(level: np.ndarray, chosen: np.ndarray, rows: list[np.ndarray]) -> np.ndarray:
    """Derivative of the information by a voxel that takes ``level``, the others as ``chosen``."""
    own = (level == chosen).astype(np.float64)
    shares = 1.0
    for row in rows:
        joint = np.bincount(row * _WIDTH + chosen, minlength=_WIDTH**2)
        shares = shares * (joint[row * _WIDTH + level] - own + _SHARE)
    return np.log(shares) - 2 * np.log(np.bincount(chosen, minlength=_WIDTH)[level] - own + 1)
