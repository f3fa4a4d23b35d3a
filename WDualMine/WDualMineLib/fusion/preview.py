"""One slice fused at once, for a live preview and for 2-D images."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ..network.compiled.readiness import ready
from ..network.statistics import JointStatistics
from .composition import compose
from .correlation import FloorReport, apply_floor
from .engine import SliceEngine
from .settings import DEFAULT_FLOOR, DEFAULT_STRENGTH
from .tone import IMAGE_KNEE, VOLUME_KNEE


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
    reliability: np.ndarray | None = None,
) -> FusedSlice:
    """Fuse one pair of slices.

    Slices of a volume get the tone curve and the promise of volumes: the correlation floor in the
    head as well as over the slice. An image that stands alone gets what published measures look at:
    the floor over the image, and edges as strong as they can be.

    Floor and brightest value are those of this slice alone; in a volume they are those of all
    slices together, so that a preview can differ a little in brightness from the final slice.

    Args:
        a, b: (H, W) in [0, 1], the right way up (:meth:`~.slices.Slicing.stack`).
        engine: keep it between calls: making one loads and moves the network.
        strength, correlation_floor: as in :class:`~.settings.FusionSettings`.
        statistics: of the two volumes that the slices are of, which make the preview look like the
            final slice; None for images that stand alone.
        reliability: of a, (H, W) in [0, 1], as its neighbours tell; None for what the slice alone
            tells.
        levels, readback: how the result will be stored; see :func:`~.correlation.apply_floor`.
    """
    a, b = (np.ascontiguousarray(x, dtype=np.float32) for x in (a, b))
    given = None if reliability is None else _as_batch(reliability)
    # No slice waits for them to load; a volume that was fused has them loaded.
    loops = statistics is not None and ready()
    maps = engine.batch(_as_batch(a), _as_batch(b), statistics, given, loops=loops)
    residual, reliability, arbitration = (x[0, 0].cpu().numpy() for x in maps)
    if statistics is None and np.ptp(a) * np.ptp(b) == 0:
        # Joint statistics say nothing then of how to mix the two; the one that varies is shown.
        residual = (a - b) / 2 if np.ptp(b) == 0 else (b - a) / 2
    of_volume = statistics is not None
    knee = VOLUME_KNEE if of_volume else IMAGE_KNEE
    composed = compose(a, b, residual, strength, knee=knee)
    fused, floor = apply_floor(
        composed,
        a,
        b,
        correlation_floor,
        levels=levels,
        readback=readback,
        in_head=of_volume,
        knee=knee,
    )
    return FusedSlice(fused, reliability, arbitration, floor)


def _as_batch(image: np.ndarray) -> torch.Tensor:
    """(H, W) as (1, 1, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None, None]
