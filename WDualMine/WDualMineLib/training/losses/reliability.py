"""Reliability: low where an input is faulty, undecided where nothing is known to be."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

FREE = 0.3
"""How far from 1/2 a reliability may move, at no cost, where neither input is faulty."""

PENALTY = 8.0
"""Worth of the squares outside the mask: w = 0.25 there costs as much as w = 0.4 inside."""


def reliability_loss(weight: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy inside the mask; outside, a penalty on doubt and beyond a dead zone.

    Args:
        weight: (N, 1, H, W) reliability of the faulty input, in (0, 1).
        mask: (N, 1, H, W), 1 where that input is faulty, 0 elsewhere.

    Returns:
        Scalar.
    """
    inside = -F.logsigmoid(-weight.logit(1e-5)) * mask
    # Squares, for they are flat at 1/2: with a slope there, a head that cannot yet tell faults from
    # the rest would lose by any move, and stay.
    decided = ((weight - 0.5).abs() - FREE).clamp_min(0) ** 2
    doubted = (0.5 - weight).clamp_min(0) ** 2
    outside = PENALTY * (decided + doubted) * (1 - mask)
    return inside.sum() / mask.sum().clamp_min(1) + outside.sum() / (1 - mask).sum().clamp_min(1)
