"""The correlation floor: the least change that makes a fused volume correlate with its sources.

With A^, B^ the standardised sources and U = A^ + B^,

    CC(F) = (corr(F, A) + corr(F, B)) / 2 = corr(F, U) sqrt((1 + corr(A, B)) / 2),

so CC has a hard upper bound, which U itself reaches, and CC / bound = corr(F, U) is one angle. What
the residual-to-average form of W-DUALMINE (arXiv 2601.08920) aims at is made exact here: F is moved
towards U until that angle is small enough, by a factor known in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .chunks import for_ranges
from .moments import Moments, measure

# Two computations of one correlation in float64 differ by this much.
_ROUNDING = 1e-10
# Aim so much above the floor that rounding to float32 does not fall below it.
_MARGIN = 1e-9
# Where clipping or rounding cost some, a result this little above the floor is close enough.
_CLOSE = 1e-4
_TRIES = 8


@dataclass(frozen=True)
class FloorReport:
    """What the correlation floor did.

    Attributes:
        floor: the tau asked for; 0 = off.
        bound: the largest possible CC of these sources.
        cc_before, cc: CC without and with the floor, as stored.
        cc_over_bound_before, cc_over_bound: the same over ``bound``; nan where U does not exist.
        cc_over_bound_in_head: measured only where a or b is above 0, against the bound there. The
            floor is promised for the whole volume, where air helps; this says how much.
        kept: t, the share of the fused volume that was kept; 1 = unchanged.
        met: whether ``cc >= floor * bound`` holds for what is stored.
        reason: why the floor was not applied or not met, as a sentence; else "".
    """

    floor: float
    bound: float
    cc_before: float
    cc: float
    cc_over_bound_before: float
    cc_over_bound: float
    cc_over_bound_in_head: float
    kept: float
    met: bool
    reason: str = ""


def correlation_bound(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> float:
    """The largest CC that any image can have with a and b: ``sqrt((1 + corr(a, b)) / 2)``.

    A constant source takes no part: the bound is 1 if the other varies, nan if neither does.
    """
    return measure(a, a, b, mask)[0].bound


def correlation(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None
) -> float:
    """CC: the mean of the Pearson correlations of ``fused`` with ``a`` and with ``b``.

    Over all voxels, or those of ``mask``. A constant source takes no part; nan if both are
    constant; 0 if only ``fused`` is.
    """
    return measure(fused, a, b, mask)[0].cc


def quantise(image: np.ndarray, levels: int) -> np.ndarray:
    """``image`` in [0, 1] as integers 0..levels (uint8 up to 255, else uint16), rounded to nearest.

    Writers must use this very function, for the floor is promised for its result.
    """
    kind = np.uint8 if levels <= 255 else np.uint16
    return np.rint(np.clip(image, 0, 1) * np.float32(levels)).astype(kind)


def apply_floor(
    fused: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    tau: float,
    mask: np.ndarray | None = None,
    levels: int | None = None,
    readback: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, FloorReport]:
    """The nearest blend of ``fused`` with U whose CC is at least ``tau`` times the bound.

    ``t fused + (1 - t) s V`` with V = a / sd(a) + b / sd(b), which is U shifted so that air, where
    a = b = 0, only fades with ``fused``: black stays black. s is the least-squares scale of V to
    ``fused``; where clipping s V to 1 costs too much correlation, s is kept below that. t is the
    largest value in [0, 1] that reaches the floor.

    Args:
        fused: any shape, in [0, 1] (clipped first if not).
        a, b: sources, the same shape, in [0, 1], 0 in air.
        tau: floor of CC / bound, 0 <= tau < 1; 0 measures only.
        mask: boolean; statistics and change only inside it.
        levels: the result will be stored as integers 0..levels by :func:`quantise`, and the floor
            must hold for them. Default: stored as float32.
        readback: what will be read back of a result, in place of ``levels``, for any other storage.

    Returns:
        (result, report). ``result`` is float32 in [0, 1]; it is ``fused`` itself, not a copy, where
        that is float32 and meets the floor already. A higher ``tau`` keeps less.
    """
    if not 0 <= tau < 1:
        raise ValueError(f"the correlation floor must be in [0, 1), got {tau}")
    if readback is None:
        readback = _stored_as_float if levels is None else _stored_in(levels)
    original = _within_unit_range(fused)
    before, head = measure(readback(original), a, b, mask)

    def report(kept: float, now: Moments, head: Moments, reason: str = "") -> FloorReport:
        met = not before.has_common_direction or now.cc_over_bound >= tau - _ROUNDING
        return FloorReport(
            tau,
            before.bound,
            before.cc,
            now.cc,
            before.cc_over_bound,
            now.cc_over_bound,
            head.cc_over_bound,
            kept,
            met,
            reason,
        )

    if not before.has_common_direction:
        return original, report(1.0, before, head, _why_no_direction(before))
    if tau == 0 or before.cc_over_bound >= tau - _ROUNDING:
        return original, report(1.0, before, head)

    exact = before if readback is _stored_as_float else measure(original, a, b, mask)[0]

    def blend(kept: float, scale: float) -> _Candidate:
        image = _blend(original, a, b, kept, (1 - kept) * scale, exact.weights, mask)
        return _Candidate(kept, image, *measure(readback(image), a, b, mask))

    fitted, limit = _scale(exact, a, b, mask)
    limited = min(fitted, limit)
    # The fitted scale keeps the brightness but may leave [0, 1] where both sources are bright; the
    # limited one does not, and what lies between clips less.
    for scale in (fitted, math.sqrt(fitted * limited), limited):
        found = _search(blend, exact, scale, tau)
        if found is not None:
            return found.image, report(found.kept, found.whole, found.head)
    # U alone; at its brightest rounding costs it the least.
    for scale in (limited, limit):
        found = blend(0.0, scale)
        if found.whole.cc_over_bound >= tau - _ROUNDING:
            return found.image, report(0.0, found.whole, found.head)
    reason = (
        f"the correlation floor of {tau:g} cannot be reached with values stored this coarsely: "
        f"even the best image gets {found.whole.cc_over_bound:.6f}"
    )
    return found.image, report(0.0, found.whole, found.head, reason)


class _Candidate(NamedTuple):
    """A blend that keeps so much of the fused volume, and its moments as stored."""

    kept: float
    image: np.ndarray
    whole: Moments
    head: Moments


def _stored_as_float(image: np.ndarray) -> np.ndarray:
    return image


def _stored_in(levels: int) -> Callable[[np.ndarray], np.ndarray]:
    # A common factor does not change a correlation, so the integers serve as they are.
    return lambda image: quantise(image, levels)


def _within_unit_range(fused: np.ndarray) -> np.ndarray:
    fused = np.asarray(fused, dtype=np.float32)
    if fused.size and (fused.min() < 0 or fused.max() > 1):
        return np.clip(fused, 0, 1)
    return fused


def _why_no_direction(moments: Moments) -> str:
    if not any(moments.weights):
        return "both sources are constant, so nothing can correlate with them"
    return "each source is the other's negative, so nothing can correlate with both"


def _search(
    blend: Callable[[float, float], _Candidate], moments: Moments, scale: float, tau: float
) -> _Candidate | None:
    """The blend that keeps the most, closely, of those that reach ``tau``; None if none does.

    Without clipping and rounding the first is exact. Else the correlation to aim at is raised
    until, by the secant through the last two tries, what is reached lies just above the floor.
    """
    aim, last, best = tau + _MARGIN, None, None
    for _ in range(_TRIES):
        tried = blend(_share(moments, scale, aim), scale)
        reached = tried.whole.cc_over_bound
        if reached >= tau - _ROUNDING:
            if best is None or tried.kept > best.kept:
                best = tried
            if reached <= tau + _CLOSE:
                break
        slope = 1.0 if last is None else (reached - last[1]) / (aim - last[0])
        last = (aim, reached)
        aim += (tau + _CLOSE / 4 - reached) / min(max(slope, 0.2), 2.0)
        if not tau < aim < 1:
            break
    return best


def _scale(
    moments: Moments, a: np.ndarray, b: np.ndarray, mask: np.ndarray | None
) -> tuple[float, float]:
    """(s by least squares, the largest s for which s V stays within 1)."""
    wa, wb = moments.weights
    v = np.array([0.0, wa, wb])
    energy = moments.second_moment(v, v)
    fitted = moments.second_moment(np.array([1.0, 0.0, 0.0]), v) / energy
    # A fused volume that shows neither source would call for a black one in its place.
    average = moments.second_moment(np.array([0.0, 0.5, 0.5]), v) / energy
    limit = 1 / _largest(a, b, (wa, wb), mask)
    return max(fitted, average / 2), limit


def _largest(
    a: np.ndarray, b: np.ndarray, weights: tuple[float, float], mask: np.ndarray | None
) -> float:
    a, b = (np.ascontiguousarray(x).reshape(-1) for x in (a, b))
    inside = True if mask is None else np.ascontiguousarray(mask, dtype=bool).reshape(-1)

    def largest(piece: slice) -> float:
        v = weights[0] * a[piece].astype(np.float64) + weights[1] * b[piece]
        return v.max(where=inside if inside is True else inside[piece], initial=0.0)

    return float(max(for_ranges(largest, a.size)))


def _share(moments: Moments, scale: float, target: float) -> float:
    """t for which corr(t F + (1 - t) s V, U) = target, in closed form.

    Split F - mean into ``along`` U and the ``rest``. F + x V has the wanted angle where
    ``along + x sd(U) = target / sqrt(1 - target^2) * rest``, the root of the quadratic that has the
    right sign, and t F + (1 - t) s V is that image times t where ``x = (1 - t) s / t``.
    """
    spread = math.sqrt(moments.variance_of_u)
    along = float(np.dot(moments.weights, moments.covariance[0, 1:])) / spread
    rest = math.sqrt(max(0.0, moments.covariance[0, 0] - along**2))
    x = (target / math.sqrt(1 - target**2) * rest - along) / spread
    return scale / (scale + max(x, 0.0))


def _blend(
    fused: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    kept: float,
    scale: float,
    weights: tuple[float, float],
    mask: np.ndarray | None,
) -> np.ndarray:
    """``kept fused + scale V`` as float32, inside ``mask``; outside it ``fused`` as it is."""
    result = np.empty(fused.shape, dtype=np.float32)
    flat = result.reshape(-1)
    f, a, b = (np.ascontiguousarray(x).reshape(-1) for x in (fused, a, b))
    inside = None if mask is None else np.ascontiguousarray(mask, dtype=bool).reshape(-1)
    for_a, for_b = (scale * w for w in weights)

    def blend(piece: slice) -> None:
        mixed = kept * f[piece].astype(np.float64)
        mixed += for_a * a[piece].astype(np.float64)
        mixed += for_b * b[piece].astype(np.float64)
        np.clip(mixed, 0, 1, out=mixed)
        flat[piece] = mixed if inside is None else np.where(inside[piece], mixed, f[piece])

    for _ in for_ranges(blend, f.size):
        pass
    return result
