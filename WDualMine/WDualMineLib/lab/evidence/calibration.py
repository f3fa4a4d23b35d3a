"""Makes scores of suspicion probabilities: two numbers, folded into the network's last layers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...fusion.evidence import EvidenceGrid, volume_scores
from ...network.evidence import Evidence
from ...network.reliability import shown
from .anatomies import Anatomy
from .batches import NATURAL, draw_stacks
from .drawing import windowed

_SEED = 1 << 20
"""Of the batches that calibrate; training uses another."""

_EACH = 4000
"""Voxels taken of each batch."""


_TISSUE = 0.05

_FLAGGED = 0.5
"""What is shown of a suspicion where the reliability is .25."""


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


def quiet_shift(scores: list[Tensor], scaling: Scaling, allowed: float) -> float:
    """The largest shift with which, on average over volumes, a part ``allowed`` is flagged.

    Crops of the training are stranger than patients: on these, a network that is calibrated on
    crops says less than it knows.

    Args:
        scores: of sound volumes, (N,) each, before the scaling.
        scaling: what is applied to them; its own shift is not counted.
        allowed: share of the tissue.
    """
    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        flagged = [
            (shown(torch.sigmoid(scaling.gain * x + middle)) > _FLAGGED).double().mean()
            for x in scores
        ]
        if torch.stack(flagged).mean() > allowed:
            high = middle
        else:
            low = middle
    return low


def scores_of_sound(model: Evidence, anatomies: list[Anatomy]) -> list[Tensor]:
    """Scores in the tissue of whole volumes that are sound: of each pair among the anatomies."""
    rng = np.random.default_rng(_SEED)
    found = []
    for anatomy in anatomies:
        if len(anatomy.images) != 2:
            continue
        a, b = windowed(anatomy, rng)
        grid = EvidenceGrid.of(a.shape, anatomy.spacing)
        scores = volume_scores(model, a, b, grid)
        tissue = np.maximum(a, b) > _TISSUE
        inside = F.interpolate(
            torch.from_numpy(tissue.astype(np.float32))[None, None], size=scores.shape[1:]
        )
        found += [x[inside[0, 0] > 0.5] for x in scores.float()]
    return found
