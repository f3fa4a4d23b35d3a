"""Reliability: low where an input is faulty, undecided where nothing is known to be."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from ....network.layers import upsample

SURE = 2.0
"""Margin from which on an input counts as faulty: a reliability of 0.12."""

COARSE = 0.1
"""Worth of a coarser scale relative to the finest."""


def reliability_loss(weights: list[Tensor], mask_a: Tensor, mask_b: Tensor) -> Tensor:
    """Cross-entropy of the ordered classes "a is faulty", "neither is", "b is faulty".

    With the margin m, the log-odds of a's reliability, they have the probabilities
    ``sigmoid(-m - SURE)``, what is left, and ``sigmoid(m - SURE)`` (McCullagh, "Regression models
    for ordinal data", JRSS B 1980). Each class weighs the same however small it is. The cost of
    the middle class is flat at m = 0, where training starts, and grows no faster than m: squares,
    which were tried, let a few bold mistakes drown the rest. Where both inputs are faulty nothing
    is asked.

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
        m = upsample(weight, mask_a.shape[2:]).logit(1e-6)
        faulty = F.softplus(m + SURE) * only_a + F.softplus(SURE - m) * only_b
        # Up to a constant, for sigmoid(m + s) - sigmoid(m - s) is a product of two sigmoids.
        sound = (F.softplus(-m - SURE) + F.softplus(m - SURE)) * neither
        cost = faulty.sum() / (only_a + only_b).sum().clamp_min(1)
        cost = cost + sound.sum() / neither.sum().clamp_min(1)
        total = total + (COARSE if scale else 1) * cost
    return total
