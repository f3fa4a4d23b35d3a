"""What the summary tells of a result, and which of them stand out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.parts import RELIABILITY_FIXED, RELIABILITY_MOVING
from ..volumes.reading import read_volume

DOUBTED = 0.25
"""A voxel is flagged where either reliability is lower: a fault is three times as likely as none.
The benchmark of the maps (docs/truth.md) counts by the same."""

MEASURED = ("cc_over_bound", "flagged_ml", "flicker", "mi", "ssim", "qabf", "seconds")
"""Figures that are compared across studies."""

# Iglewicz and Hoaglin (1993): a modified z-score beyond 3.5 is an outlier.
_BEYOND, _TO_SIGMA = 3.5, 0.6745
_FEWEST = 8
# Where most studies agree to the last digit, what differs by less than this part is none.
_LEAST_SPREAD = 0.01


def figures_of(report: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Verdict, floor, flagged volume (ml), flicker and measures of a result that lies in a folder.

    Args:
        report: its ``report.json``.
    """
    measures = report["measures"]
    return {
        "verdict": report["registration"].get("verdict") or "as they lie",
        "floor_met": measures.get("floor_met"),
        "cc_over_bound": measures.get("cc_over_bound"),
        "flagged_ml": flagged_ml(folder),
        "flicker": measures.get("flicker"),
        "mi": measures.get("mi"),
        "ssim": measures.get("ssim"),
        "qabf": measures.get("qabf"),
        "device": measures.get("device", ""),
        "stages": dict(report.get("seconds", {})),
    }


def flagged_ml(folder: Path) -> float:
    """Millilitres in which a fault in either source is suspected."""
    maps = [read_volume(folder / part.file) for part in (RELIABILITY_FIXED, RELIABILITY_MOVING)]
    flagged = (maps[0].array < DOUBTED) | (maps[1].array < DOUBTED)
    voxel = float(np.prod(maps[0].geometry.spacing))
    return round(float(np.count_nonzero(flagged)) * voxel / 1000, 3)


def outliers(figures: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Of each study, in the order given, the names of :data:`MEASURED` in which it stands out.

    By the modified z-score, from median and median absolute deviation; with fewer than eight
    studies nothing is said.
    """
    found: list[list[str]] = [[] for _ in figures]
    for name in MEASURED:
        values = [(n, each.get(name)) for n, each in enumerate(figures)]
        there = [(n, float(value)) for n, value in values if isinstance(value, (int, float))]
        if len(there) < _FEWEST:
            continue
        array = np.array([value for _, value in there])
        middle = float(np.median(array))
        spread = float(np.median(np.abs(array - middle)))
        spread = max(spread, _LEAST_SPREAD * abs(middle), 1e-9)
        for (n, _), score in zip(there, _TO_SIGMA * (array - middle) / spread, strict=True):
            if abs(score) > _BEYOND:
                found[n].append(name)
    return found
