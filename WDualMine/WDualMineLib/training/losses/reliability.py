"""Reliability: low where an input is faulty, undecided where nothing is known to be."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

FREE = 0.3
"""How far from 1/2 a reliability may move, at no cost, where neither input is faulty."""


def reliability_loss(weight: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy inside the mask, a dead-zone penalty outside; both halves weigh the same.

    Args:
        weight: (N, 1, H, W) reliability of the faulty input, in (0, 1).
        mask: (N, 1, H, W), 1 where that input is faulty, 0 elsewhere.

    Returns:
        Scalar.
    """
    inside = -F.logsigmoid(-weight.logit(1e-5)) * mask
    outside = ((weight - 0.5).abs() - FREE).clamp_min(0) * (1 - mask)
    # Undecided is not enough beside a fault: the map must tell the two apart.
    doubt = (0.5 - weight).clamp_min(0) * (1 - mask)
    area = mask.sum().clamp_min(1)
    rest = (1 - mask).sum().clamp_min(1)
    return inside.sum() / area + (4 * outside.sum() + 4 * doubt.sum()) / rest
