"""Blends of a fused volume with V, the sum of its standardised sources, that reach a correlation.

With V = v_a a + v_b b the blend is ``t F + (1 - t) s V``. V is U of the correlation floor, shifted
so that air, where a = b = 0, only fades with F: black stays black. How much of V is needed has a
closed form. What leaves [0, 1] is bent or divided back into it, never cut off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..volumes import scratch
from .chunks import for_ranges
from .moments import Moments, Sets
from .tone import bend_top

ROUNDING = 1e-10
"""Two computations of one correlation in float64 differ by this much."""

# Aim so much above the floor that rounding to float32 does not fall below it.
_MARGIN = 1e-9
# Where bending or rounding cost some, a result this little above the floor is close enough.
_CLOSE = 1e-4
_TRIES = 8
_DIRECTIONS = 33
"""That are looked at between two: the least and the most that they let be kept differ little."""

_FUSED = np.array([1.0, 0.0, 0.0])
_AVERAGE = np.array([0.0, 0.5, 0.5])


class Blend(NamedTuple):
    """A blend that keeps the share ``kept`` of the fused volume, and what is measured of it.

    Attributes:
        kept: t.
        image: float32 in [0, 1].
        peak: the largest value before it was brought into [0, 1].
        stored: its moments as it will be stored.
        along: what was added of a and of b, before it was brought into [0, 1].
    """

    kept: float
    image: np.ndarray
    peak: float
    stored: Sets
    along: tuple[float, float] = (0.0, 0.0)

    def reaches(self, tau: float, sets: Iterable[str]) -> bool:
        """Whether CC / bound is ``tau`` or more over each of the sets."""
        return all(reaches(getattr(self.stored, name), tau) for name in sets)


def reaches(moments: Moments, tau: float) -> bool:
    """Whether CC / bound is ``tau`` or more; also where no image could have any."""
    return not moments.has_common_direction or moments.cc_over_bound >= tau - ROUNDING


def direction(constraints: Mapping[str, Moments], tau: float) -> tuple[float, float] | None:
    """(v_a, v_b) of the V with which the most of F can be kept; None if none reaches ``tau``.

    With one constraint that is its U. Deviations in the tissue are not those of the volume, so that
    with more V lies somewhere between the U of the first and the U of the last.

    Args:
        constraints: moments over the sets, by their names in :class:`~.moments.Sets`.
        tau: CC / bound to be reached over each of them.
    """
    sets = list(constraints.values())
    first, last = (np.array(m.weights) / np.linalg.norm(m.weights) for m in (sets[0], sets[-1]))
    if len(sets) == 1:
        return tuple(first.tolist())
    best, most = None, -1.0
    for part in np.linspace(0, 1, _DIRECTIONS):
        v = tuple(((1 - part) * first + part * last).tolist())
        if not all(_is_close(m, v, tau) for m in sets):
            continue
        scale = fitted_scale(sets[0], v)
        kept = min(_share(m, v, scale, tau) for m in sets)
        if kept > most:
            best, most = v, kept
    return best


def fitted_scale(moments: Moments, v: tuple[float, float]) -> float:
    """The s for which ``s V`` is the nearest to F by least squares.

    A fused volume that shows neither source would call for a black one in its place: s is at least
    half of what fits the average.
    """
    along = np.array([0.0, *v])
    energy = moments.second_moment(along, along)
    fitted = moments.second_moment(_FUSED, along) / energy
    return max(fitted, moments.second_moment(_AVERAGE, along) / energy / 2)


def search(
    blend: Callable[[float], Blend],
    constraints: Mapping[str, Moments],
    v: tuple[float, float],
    scale: float,
    tau: float,
) -> Blend | None:
    """The blend that keeps the most, closely, of those that reach ``tau``; None if none does.

    Without bending and rounding the first is exact. Else the correlations to aim at are raised
    until, by the secant through the last two tries, what is reached lies just above the floor.

    Args:
        blend: makes and measures the blend that keeps the share it is given.
        constraints: moments of (fused, a, b) over the sets that count, by their names in
            :class:`~.moments.Sets`.
        v: of V, as :func:`direction` gives it.
        scale: s.
        tau: to be reached under each of the constraints.
    """
    aims, last, best = np.full(len(constraints), tau + _MARGIN), None, None
    for _ in range(_TRIES):
        pairs = zip(constraints.values(), aims.tolist(), strict=True)
        kept = min(_share(m, v, scale, aim) for m, aim in pairs)
        tried = blend(kept)
        reached = np.array([getattr(tried.stored, name).cc_over_bound for name in constraints])
        if tried.reaches(tau, constraints):
            if best is None or tried.kept > best.kept:
                best = tried
            if reached.min() <= tau + _CLOSE:
                break
        slopes = np.ones(len(aims))
        if last is not None:
            moved = aims - last[0]
            np.divide(reached - last[1], moved, out=slopes, where=moved != 0)
        last = (aims, reached)
        step = (tau + _CLOSE / 4 - reached) / np.clip(slopes, 0.2, 2.0)
        # One that is reached anyway must not be aimed at less than the floor.
        aims = np.maximum(aims + step, tau + _MARGIN)
        if aims.max() >= 1 or np.array_equal(aims, last[0]):
            break
    return best


def _is_close(moments: Moments, v: tuple[float, float], tau: float) -> bool:
    """Whether V by itself has more than the correlation ``tau`` with U."""
    along, u = np.array([0.0, *v]), np.array([0.0, *moments.weights])
    covariance = moments.covariance
    both = float(along @ covariance @ u)
    return both > tau * math.sqrt(float(u @ covariance @ u) * float(along @ covariance @ along))


def _share(moments: Moments, v: tuple[float, float], scale: float, target: float) -> float:
    """The largest t for which corr(t F + (1 - t) s V, U) >= target.

    ``F + x V`` is that image over t with ``x = (1 - t) s / t``, and
    ``cov(F + x V, U)^2 = target^2 var(U) var(F + x V)`` is a quadratic in x. What is close enough
    to U is a cone, and V lies in it: so from its larger root on all x are good.
    """
    along, u = np.array([0.0, *v]), np.array([0.0, *moments.weights])
    covariance = moments.covariance
    asked = target**2 * float(u @ covariance @ u)
    of_fused, of_v = float(_FUSED @ covariance @ u), float(along @ covariance @ u)
    square = of_v**2 - asked * float(along @ covariance @ along)
    if square <= 0:
        return 0.0
    linear = of_fused * of_v - asked * float(_FUSED @ covariance @ along)
    constant = of_fused**2 - asked * float(covariance[0, 0])
    x = (math.sqrt(max(linear**2 - square * constant, 0.0)) - linear) / square
    return scale / (scale + max(x, 0.0))


def blended(
    fused: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    kept: float,
    along: tuple[float, float],
    mask: np.ndarray | None,
    knee: float,
    dimmed: float,
) -> tuple[np.ndarray, float]:
    """``kept fused + along_a a + along_b b`` brought into [0, 1], and its peak before that.

    Args:
        fused, a, b: one shape; in [0, 1].
        kept, along: not negative.
        mask: outside of it the result is ``fused`` as it is.
        knee: level from which on bright values are bent.
        dimmed: where the peak is beyond 1, all values are divided by the peak to this power, 0 to
            1, which costs no correlation; what is still beyond is bent.

    Returns:
        float32 in [0, 1], and the peak inside the mask.
    """
    result = scratch.empty(fused.shape)
    flat = result.reshape(-1)
    f, a, b = (np.ascontiguousarray(x).reshape(-1) for x in (fused, a, b))
    inside = None if mask is None else np.ascontiguousarray(mask, dtype=bool).reshape(-1)

    def mix(piece: slice) -> float:
        mixed = kept * f[piece].astype(np.float64)
        mixed += along[0] * a[piece].astype(np.float64)
        mixed += along[1] * b[piece].astype(np.float64)
        if inside is None:
            flat[piece] = mixed
            return float(mixed.max())
        flat[piece] = np.where(inside[piece], mixed, f[piece])
        return float(mixed.max(where=inside[piece], initial=0.0))

    peak = max(for_ranges(mix, f.size))
    divisor = max(peak, 1.0) ** dimmed

    def bring_in(piece: slice) -> None:
        values = flat[piece] / np.float32(divisor)
        bend_top(values, peak / divisor, knee)
        np.minimum(values, 1, out=values)
        flat[piece] = values if inside is None else np.where(inside[piece], values, f[piece])

    if peak > 1:
        for _ in for_ranges(bring_in, f.size):
            pass
    return result, peak
