"""Volumes that a careless program stumbles over: no error, no false alarm, maps in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...errors import WDualMineError
from ...fusion.moments import TISSUE
from ...progress import Progress, Steps
from .cases import Case
from .evaluation import Predict
from .regions import Spacing
from .scoring import Maps, false_alarms

_ALLOWED = 0.01


@dataclass(frozen=True)
class BadInputRow:
    """What became of one volume.

    Attributes:
        name: what is odd about it.
        outcome: "ok"; "refused", with the program's own words; "error", with Python's; or
            "alarm" where more than 1 % of the tissue is flagged, "range" where a map leaves [0, 1]
            or has other numbers than the volume.
        false_alarms: share of the tissue that is flagged; NaN if there is no map or no tissue.
        words: why it was refused.
    """

    name: str
    outcome: str
    false_alarms: float
    words: str = ""


def odd_volumes(case: Case) -> Iterator[tuple[str, np.ndarray, np.ndarray, Spacing]]:
    """(what is odd, fixed, moving, mm along K, J, I), all made from one sound case."""
    a, b = case.sources
    spacing = case.spacing
    k, j, i = (int(np.median(axis)) for axis in np.nonzero(case.tissue))
    yield "one slice", a[k : k + 1], b[k : k + 1], spacing
    few = tuple(slice(max(0, c - 8), max(0, c - 8) + 16) for c in (k, j, i))
    yield "16 pixels", a[few], b[few], spacing
    strided = tuple(slice(None, None, max(1, n // 16)) for n in a.shape)
    coarse = tuple(s * max(1, n // 16) for s, n in zip(spacing, a.shape, strict=True))
    yield "16 pixels, all of it", a[strided], b[strided], coarse
    yield "pixels of 0.2 mm", *_resampled((a, b), spacing, 0.2, (k, j, i), 50.0)
    yield "pixels of 10 mm", *_resampled((a, b), spacing, 10.0, (k, j, i), None)
    empty = [x.copy() for x in (a, b)]
    for x in empty:
        x[:, :, x.shape[2] // 2 :] = 0
    yield "half the field of view empty", *empty, spacing
    yield "half of the moving one's empty", a, empty[1], spacing
    yield "identical sources", a, a.copy(), spacing
    yield "a constant source", a, np.full_like(a, 0.5), spacing
    yield "an empty source", a, np.zeros_like(a), spacing


def try_bad_input(predict: Predict, case: Case) -> Steps[list[BadInputRow]]:
    """The maps of :func:`odd_volumes`; progress after each."""
    rows = []
    for name, a, b, spacing in odd_volumes(case):
        yield Progress(0.0, f"Bad input: {name}")
        a, b = (np.ascontiguousarray(x) for x in (a, b))
        try:
            maps = Maps(*predict(a, b, spacing))
        except WDualMineError as error:
            rows.append(BadInputRow(name, "refused", float("nan"), str(error)))
        # What else may come is the very thing to be reported.
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            rows.append(BadInputRow(name, "error", float("nan"), words))
        else:
            rows.append(_judge(name, maps, a, b))
    return rows


def _judge(name: str, maps: Maps, a: np.ndarray, b: np.ndarray) -> BadInputRow:
    alarms = false_alarms(maps, (a > TISSUE) | (b > TISSUE))
    fits = all(
        m.shape == a.shape and np.isfinite(m).all() and m.min() >= 0 and m.max() <= 1
        for m in (maps.fixed, maps.moving)
    )
    outcome = "range" if not fits else "alarm" if alarms > _ALLOWED else "ok"
    return BadInputRow(name, outcome, alarms)


def _resampled(
    sources: tuple[np.ndarray, np.ndarray],
    spacing: Spacing,
    plane_mm: float,
    centre: tuple[int, int, int],
    side_mm: float | None,
) -> tuple[np.ndarray, np.ndarray, Spacing]:
    """Pixels of ``plane_mm``, of a window of ``side_mm`` and five slices, or of all of it."""
    parts = sources
    if side_mm is not None:
        window = [slice(max(0, centre[0] - 2), centre[0] + 3)]
        for c, s in zip(centre[1:], spacing[1:], strict=True):
            start = max(0, c - round(side_mm / s / 2))
            window.append(slice(start, start + round(side_mm / s)))
        parts = tuple(x[tuple(window)] for x in sources)
    zoom = (1.0, spacing[1] / plane_mm, spacing[2] / plane_mm)
    fine, other = (np.clip(ndimage.zoom(x, zoom, order=1), 0, 1) for x in parts)
    return fine, other, (spacing[0], plane_mm, plane_mm)
