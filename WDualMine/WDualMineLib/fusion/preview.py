"""One slice fused at once, for a live preview and for 2-D images."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ..network.statistics import JointStatistics
from .composition import compose
from .correlation import FloorReport, apply_floor
from .engine import SliceEngine
from .settings import DEFAULT_FLOOR, DEFAULT_STRENGTH


class FusedSlice(NamedTuple):
    """A fused slice and its maps, float32 (H, W), and what the correlation floor did.

    ``reliability`` is that of the first source; the other's is 1 minus it.
    """

    fused: np.ndarray
    reliability: np.ndarray
    arbitration: np.ndarray
    floor: FloorReport


def fuse_slice(
    a: np.ndarray,
    b: np.ndarray,
    engine: SliceEngine,
    strength: float = DEFAULT_STRENGTH,
    correlation_floor: float = DEFAULT_FLOOR,
    levels: int | None = None,
    readback: Callable[[np.ndarray], np.ndarray] | None = None,
    statistics: JointStatistics | None = None,
) -> FusedSlice:
    """Fuse one pair of slices.

    The correlation floor is that of this slice alone; in a volume it holds over all slices
    together, so that a preview can differ a little in brightness from the final slice.

    Args:
        a, b: (H, W) in [0, 1], the right way up (:meth:`~.slices.Slicing.stack`).
        engine: keep it between calls: making one loads and moves the network.
        strength, correlation_floor: as in :class:`~.settings.FusionSettings`.
        statistics: of the two volumes that the slices are of, which make the preview look like the
            final slice; None for images that stand alone.
        levels, readback: how the result will be stored; see :func:`~.correlation.apply_floor`.
    """
    a, b = (np.ascontiguousarray(x, dtype=np.float32) for x in (a, b))
    maps = engine.batch(*(torch.from_numpy(x)[None, None] for x in (a, b)), statistics)
    residual, reliability, arbitration = (x[0, 0].cpu().numpy() for x in maps)
    if statistics is None and np.ptp(a) * np.ptp(b) == 0:
        # Joint statistics say nothing then of how to mix the two; the one that varies is shown.
        residual = (a - b) / 2 if np.ptp(b) == 0 else (b - a) / 2
    composed = compose(a, b, residual, strength)
    fused, floor = apply_floor(composed, a, b, correlation_floor, levels=levels, readback=readback)
    return FusedSlice(fused, reliability, arbitration, floor)
