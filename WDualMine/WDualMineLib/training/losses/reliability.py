"""Reliability: low where an input is faulty, undecided where nothing is known to be."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ...network.layers import upsample

SURE = 2.0
"""Margin beyond which a fault counts as found: a reliability of 0.12."""

FREE = 0.3
"""Margin that costs nothing where neither input is faulty: reliabilities from 0.43 to 0.57."""

COARSE = 0.3
"""Worth of a coarser scale relative to the finest."""


def reliability_loss(weights: list[Tensor], mask_a: Tensor, mask_b: Tensor) -> Tensor:
    """Cross-entropy of the margins where one input is faulty; elsewhere the squares beyond FREE.

    A margin is the log-odds of a reliability. Squares, for they are flat at 0: with a slope there,
    a head that cannot yet tell faults from the rest would lose by any move, and stay. Where both
    inputs are faulty nothing is asked.

    Args:
        weights: reliability of a at every scale, finest first: (N, 1, h, w) in [0, 1].
        mask_a, mask_b: (N, 1, H, W), 1 where that input is faulty, 0 elsewhere.

    Returns:
        Scalar.
    """
    only_a, only_b = mask_a * (1 - mask_b), mask_b * (1 - mask_a)
    neither = (1 - mask_a) * (1 - mask_b)
    total = mask_a.new_zeros(())
    for scale, weight in enumerate(weights):
        margin = upsample(weight, mask_a.shape[2:]).logit(1e-5)
        faulty = F.softplus(margin + SURE) * only_a + F.softplus(SURE - margin) * only_b
        sound = F.relu(margin.abs() - FREE) ** 2 * neither
        cost = faulty.sum() / (only_a + only_b).sum().clamp_min(1)
        cost = cost + sound.sum() / neither.sum().clamp_min(1)
        total = total + (COARSE if scale else 1) * cost
    return total
