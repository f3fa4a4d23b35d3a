"""The correlation floor: the least change that makes a fused volume correlate with its sources.

With A^, B^ the standardised sources and U = A^ + B^,

    CC(F) = (corr(F, A) + corr(F, B)) / 2 = corr(F, U) sqrt((1 + corr(A, B)) / 2),

so CC has a hard upper bound, which U itself reaches, and CC / bound = corr(F, U) is one angle. What
the residual-to-average form of W-DUALMINE (arXiv 2601.08920) aims at is made exact here: F is moved
towards U until that angle is small enough, by a factor known in closed form. In volumes that holds
inside the head as well, where no air helps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from .blending import Blend, blended, direction, fitted_scale, search
from .chunks import extremes
from .moments import Moments, Sets, measure
from .tone import IMAGE_KNEE

_DIMMED = (0.0, 0.5, 1.0)
"""Powers of the peak by which a blend beyond 1 is divided, in the order in which they are tried.
Bending alone keeps the brightness but costs correlation, dividing alone the other way round."""


@dataclass(frozen=True)
class FloorReport:
    """What the correlation floor did.

    Attributes:
        floor: the tau asked for; 0 = off.
        bound: the largest possible CC of these sources.
        cc_before, cc: CC without and with the floor, as stored.
        cc_over_bound_before, cc_over_bound: the same over ``bound``; nan where U does not exist.
        cc_over_bound_in_head: measured only where a or b is above 0, against the bound there.
        cc_over_bound_in_tissue: the same where a or b is above :data:`~.moments.TISSUE`.
        kept: t, the share of the fused volume that was kept; 1 = unchanged.
        met: whether ``cc >= floor * bound`` holds for what is stored.
        met_in_head: whether that holds in the head and in the tissue too, which is promised only
            where it was asked for: over a whole picture air helps.
        reason: why the floor was not applied or not met, as a sentence; else "".
        along: (1 - t) s times the weights of V: what was added of a and of b, before the blend was
            brought into [0, 1].
    """

    floor: float
    bound: float
    cc_before: float
    cc: float
    cc_over_bound_before: float
    cc_over_bound: float
    cc_over_bound_in_head: float
    cc_over_bound_in_tissue: float
    kept: float
    met: bool
    met_in_head: bool
    reason: str = ""
    along: tuple[float, float] = (0.0, 0.0)


def correlation_bound(a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None) -> float:
    """The largest CC that any image can have with a and b: ``sqrt((1 + corr(a, b)) / 2)``.

    A constant source takes no part: the bound is 1 if the other varies, nan if neither does.
    """
    return measure(a, a, b, mask).whole.bound


def correlation(
    fused: np.ndarray, a: np.ndarray, b: np.ndarray, mask: np.ndarray | None = None
) -> float:
    """CC: the mean of the Pearson correlations of ``fused`` with ``a`` and with ``b``.

    Over all voxels, or those of ``mask``. A constant source takes no part; nan if both are
    constant; 0 if only ``fused`` is.
    """
    return measure(fused, a, b, mask).whole.cc


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
    in_head: bool = False,
    knee: float = IMAGE_KNEE,
) -> tuple[np.ndarray, FloorReport]:
    """The nearest blend of ``fused`` with U whose CC is at least ``tau`` times the bound.

    ``t fused + (1 - t) s V`` with V = a / sd(a) + b / sd(b), which is U shifted so that air, where
    a = b = 0, only fades with ``fused``: black stays black. s is the least-squares scale of V to
    ``fused``. t is the largest value in [0, 1] that reaches the floor. Where that leaves [0, 1] its
    bright end is bent; where bending costs too much correlation the whole is dimmed, which costs
    none. Nothing is cut off.

    Args:
        fused: any shape, in [0, 1] (clipped first if not).
        a, b: sources, the same shape, in [0, 1], 0 in air.
        tau: floor of CC / bound, 0 <= tau < 1; 0 measures only.
        mask: boolean; statistics and change only inside it.
        levels: the result will be stored as integers 0..levels by :func:`quantise`, and the floor
            must hold for them. Default: stored as float32.
        readback: what will be read back of a result, in place of ``levels``, for any other storage.
        in_head: the floor must hold as well where a or b is above 0, and in the tissue, against the
            bounds there. V is then chosen so that it can; where no V can, the report says so.
        knee: level in [0, 1) from which on the bright end is bent, if at all.

    Returns:
        (result, report). ``result`` is float32 in [0, 1]; it is ``fused`` itself, not a copy, where
        that is float32 and meets the floor already. A higher ``tau`` keeps less.
    """
    if not 0 <= tau < 1:
        raise ValueError(f"the correlation floor must be in [0, 1), got {tau}")
    if readback is None:
        readback = _stored_as_float if levels is None else _stored_in(levels)
    original = _within_unit_range(fused)
    before = Blend(1.0, original, 1.0, measure(readback(original), a, b, mask))
    sets = Sets._fields if in_head else ("whole",)

    def report(found: Blend, reason: str = "") -> tuple[np.ndarray, FloorReport]:
        return found.image, FloorReport(
            tau,
            before.stored.whole.bound,
            before.stored.whole.cc,
            found.stored.whole.cc,
            before.stored.whole.cc_over_bound,
            *(moments.cc_over_bound for moments in found.stored),
            found.kept,
            found.reaches(tau, ("whole",)),
            found.reaches(tau, Sets._fields),
            reason,
            found.along,
        )

    if not before.stored.whole.has_common_direction:
        return report(before, _why_no_direction(before.stored.whole))
    if tau == 0 or before.reaches(tau, sets):
        return report(before)

    exact = before.stored if readback is _stored_as_float else measure(original, a, b, mask)
    constraints = {name: getattr(exact, name) for name in sets}
    constraints = {name: m for name, m in constraints.items() if m.has_common_direction}
    reason = ""
    while (v := direction(constraints, tau)) is None:
        constraints.popitem()
        reason = f"the correlation floor of {tau:g} cannot hold in the tissue and over the volume"
    if before.reaches(tau, constraints):
        return report(before, reason)
    scale = fitted_scale(exact.whole, v)

    def blend(kept: float, dimmed: float, scale: float = scale) -> Blend:
        along = ((1 - kept) * scale * v[0], (1 - kept) * scale * v[1])
        image, peak = blended(original, a, b, kept, along, mask, knee, dimmed)
        return Blend(kept, image, peak, measure(readback(image), a, b, mask), along)

    for dimmed in _DIMMED:
        found = search(partial(blend, dimmed=dimmed), constraints, v, scale, tau)
        if found is not None:
            return report(found, reason)
    # V alone; at its brightest rounding costs it the least.
    found = blend(0.0, 1.0)
    if not found.reaches(tau, constraints):
        found = blend(0.0, 1.0, scale / found.peak)
    missed = [name for name in constraints if not found.reaches(tau, (name,))]
    if missed and "whole" not in missed:
        reason = f"the correlation floor of {tau:g} cannot be reached in the {missed[0]}"
    elif missed:
        reason = (
            f"the correlation floor of {tau:g} cannot be reached with values stored this coarsely: "
            f"even the best image gets {found.stored.whole.cc_over_bound:.6f}"
        )
    return report(found, reason)


def _stored_as_float(image: np.ndarray) -> np.ndarray:
    return image


def _stored_in(levels: int) -> Callable[[np.ndarray], np.ndarray]:
    # A common factor does not change a correlation, so the integers serve as they are.
    return lambda image: quantise(image, levels)


def _within_unit_range(fused: np.ndarray) -> np.ndarray:
    fused = np.asarray(fused, dtype=np.float32)
    if fused.size:
        low, high = extremes(fused)
        if low < 0 or high > 1:
            return np.clip(fused, 0, 1)
    return fused


def _why_no_direction(moments: Moments) -> str:
    if not any(moments.weights):
        return "both sources are constant, so nothing can correlate with them"
    return "each source is the other's negative, so nothing can correlate with both"
