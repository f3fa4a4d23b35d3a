"""Figures on the validation cases during training, by the measures that users will see."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from ...fusion.correlation import quantise
from ...fusion.engine import SliceEngine
from ...fusion.preview import fuse_slice
from ...fusion.rounding import LEVELS, informed_rounding
from ...network.model import DualMineNetwork
from ...quality.metrics import measure_pair
from .dataset import SlicePair

REPORTED = ("CC/bound", "MI", "SSIM", "Qabf", "VIF", "SCD")


@torch.no_grad()
def validate(
    model: DualMineNetwork, groups: dict[str, list[SlicePair]], every: int, floor: float
) -> dict[str, dict[str, float]]:
    """Mean measures of the 8-bit fused slices by modality pair.

    Args:
        model: in eval mode.
        groups: validation pairs by modality pair.
        every: take each ``every``-th slice.
        floor: correlation floor, applied to every slice as users' slices are.

    Returns:
        ``{group: {measure: mean}}`` for :data:`REPORTED`.
    """
    engine = SliceEngine(model, str(next(model.parameters()).device))
    table = {}
    for group, pairs in groups.items():
        rows = []
        for pair in pairs[::every]:
            stored = partial(informed_rounding, a=pair.a, b=pair.b)
            fused = fuse_slice(pair.a, pair.b, engine, correlation_floor=floor, readback=stored)
            sources = (quantise(x, LEVELS) for x in (pair.a, pair.b))
            rows.append(measure_pair(stored(fused.fused), *sources))
        table[group] = {name: float(np.mean([row[name] for row in rows])) for name in REPORTED}
    return table
