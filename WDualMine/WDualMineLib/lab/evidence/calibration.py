"""Makes scores of suspicion probabilities: two numbers, folded into the network's last layers."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ...network.evidence import Evidence
from .anatomies import Anatomy
from .batches import NATURAL, draw_stacks

_SEED = 1 << 20
"""Of the batches that calibrate; training uses another."""

_EACH = 4000
"""Voxels taken of each batch."""


class Scaling(NamedTuple):
    """``score * gain + shift`` is the log-odds of a fault."""

    gain: float
    shift: float


def fit_scaling(score: Tensor, faulty: Tensor) -> Scaling:
    """The scaling under which the outcomes are likeliest (Platt, "Probabilistic outputs for support
    vector machines", 1999).

    Args:
        score: (N,), any numbers that grow with suspicion.
        faulty: (N,), 0 or 1.
    """
    parameters = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    score, faulty = score.double(), faulty.double()
    optimiser = torch.optim.LBFGS([parameters], max_iter=60, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimiser.zero_grad()
        gain, shift = parameters
        loss = F.binary_cross_entropy_with_logits(gain * score + shift, faulty)
        loss.backward()
        return loss

    optimiser.step(cost)
    return Scaling(*parameters.tolist())


@torch.inference_mode()
def collect_scores(
    model: Evidence, anatomies: list[Anatomy], batches: int
) -> tuple[Tensor, Tensor]:
    """Scores and outcomes of voxels in batches of natural prevalence that nothing was taught on."""
    scores, outcomes = [], []
    chosen = torch.Generator().manual_seed(_SEED)
    for number in range(batches):
        stacks = draw_stacks(anatomies, 8, NATURAL, _SEED, number)
        of_a, of_b = model(stacks.a, stacks.b, stacks.distance)
        for score, faulty, counts in (
            (of_a, stacks.faulty_a, stacks.counts_a),
            (of_b, stacks.faulty_b, stacks.counts_b),
        ):
            inside = counts > 0
            taken = torch.randperm(int(inside.sum()), generator=chosen)[:_EACH]
            scores.append(score[inside][taken])
            outcomes.append(faulty[inside][taken])
    return torch.cat(scores), torch.cat(outcomes)


@torch.no_grad()
def fold(model: Evidence, scaling: Scaling) -> None:
    """Build a scaling into a network: its scores become what the scaling makes of them."""
    for score in (*(layer for _, layer in model.scores), model.direct):
        score.weight *= scaling.gain
        score.bias *= scaling.gain
    model.direct.bias += scaling.shift
