"""Dense reliability: how far each modality is to be trusted, at every place and scale."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .layers import shrink
from .statistics import AIR

_SHARPNESS = 6.0
"""Of the bend between suspicion that is not shown yet and suspicion that is."""

_DOUBT = 0.5
"""``|w_A - w_B|`` up to which neither source is convicted of a fault: reliabilities .25 to .75."""


def shown(suspicion: Tensor) -> Tensor:
    """How far a reliability leaves 1/2 for a probability of a fault, in [0, 1]; about
    ``2 P - 1`` from .6 on, and next to nothing where a fault is less likely than not.

    So a reliability of .1 means a fault in nine of ten cases, while what is merely possible stays
    at 1/2, yet keeps its order.
    """
    bend = suspicion.new_full((), _SHARPNESS)
    low, high = F.softplus(-bend), F.softplus(bend)
    return (F.softplus(bend * (2 * suspicion - 1)) - low) / (high - low)


def reliability_of(score_a: Tensor, score_b: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Reliability of the first source; that of the second is 1 minus it.

    The paper's softmax over two scores cannot say *nothing speaks against either*, whatever the
    scores are. Here each source has a calibrated probability of being faulty, and both together
    decide: 1/2 where neither or both are suspected, towards 0 where a is, towards 1 where b is.

    Args:
        score_a, score_b: log-odds that a or b is faulty there, of any one shape.
        a, b: the sources in [0, 1], the same shape.

    Returns:
        In [0, 1]; exactly 1/2 in air, where both sources are 0.
    """
    doubt = shown(torch.sigmoid(score_b)) - shown(torch.sigmoid(score_a))
    # Almost nothing is shown in almost air, and nothing can be wrong with it.
    return 0.5 + 0.5 * doubt * ((a + b) / AIR).clamp(0, 1)


def weigh(features: list[Tensor], reliability: Tensor) -> list[Tensor]:
    """Features of both sources times how far each is trusted, doubled so that indifference (1/2
    each) changes nothing.

    Args:
        features: one (2N, C_s, H / 2^s, W / 2^s) for s = 1, 2, ...: of the a, then of the b.
        reliability: of a, (N, 1, H, W).
    """
    weight = torch.cat([2 * reliability, 2 * (1 - reliability)])
    weighted = []
    for x in features:
        weight = F.avg_pool2d(weight, 2)
        weighted.append(x * weight)
    return weighted


def convict(weight: Tensor) -> Tensor:
    """Where one of two sources is more likely faulty than not: to -1 if a is, to 1 if b is, else 0.

    Edges and intensities follow this and not the map itself, so that suspicion that would not be
    shown changes nothing.

    Args:
        weight: reliability of a, in [0, 1].

    Returns:
        The same shape; in between as far as the reliability is beyond the limit.
    """
    return shrink(2 * weight - 1, _DOUBT) / (1 - _DOUBT)
