"""Whether the slices of a series lie as one even, upright stack, from its headers alone.

For volumes that another program made of the files: it may have taken for granted that they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .frames import frames_of
from .headers import scan
from .stacking import stack


@dataclass(frozen=True)
class SliceLayout:
    """How the slices of a series lie.

    Attributes:
        size: (I, J, K) of a grid that holds each slice once, in the order of their places.
        fault: why such a grid is not where the slices were taken, as a clause; "" where it is.
    """

    size: tuple[int, int, int]
    fault: str


def layout_of(files: Sequence[Path]) -> SliceLayout | None:
    """How the slices in exactly these files lie; None where their headers do not tell.

    Never raises for what a file holds: who asks has a volume of them already.
    """
    try:
        headers = [header for found in scan(list(files)).series.values() for header in found]
        frames = [frame for header in headers for frame in frames_of(header)]
    except InputError:
        return None
    if not frames:
        return None
    rows, columns = frames[0].shape
    return SliceLayout((columns, rows, len(frames)), _fault("the series", frames))


def _fault(name: str, frames: list) -> str:
    try:
        # What images at one place show is no matter here.
        ordered = stack(name, frames, lambda _one, _other: True)
    except InputError as error:
        return error.what
    doubled = len(frames) - len(ordered.frames)
    if doubled:
        return f"{doubled} of its {len(frames)} images lie where another one does"
    if ordered.tilted:
        return f"the gantry was tilted by {ordered.tilt_degrees:.1f} degrees"
    if not ordered.even:
        gaps = np.diff(ordered.depths)
        return f"its slice gaps vary from {gaps.min():.2f} to {gaps.max():.2f} mm"
    return ""
