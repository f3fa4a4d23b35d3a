"""Makes log-odds of scores: one fit over whole volumes, sound and with faults.

Crops of the training are stranger than volumes of patients, and hold a fault more often. So the
scale is taken from whole volumes of the training's patients, half of them sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from ...fusion.evidence import EvidenceGrid, volume_scores
from ...network.evidence import Evidence
from ...network.reliability import shown
from .anatomies import Anatomy
from .drawing import windowed
from .faults import KINDS, put_fault

_SEED = 1 << 20
"""Of the faults that calibrate; training uses another."""

_EACH = 4000
"""Places taken of each source of a volume."""

_DEEPEST = 60
"""Slices of a volume at most: its middle ones."""

_TISSUE = 0.05

_FLAGGED = 0.5
"""What is shown of a suspicion where the reliability is .25."""


class Places(NamedTuple):
    """Places in the tissue of one source of one volume.

    Attributes:
        score: (N,).
        faulty: (N,), 0 or 1.
        sound: whether the volume has no fault at all.
    """

    score: Tensor
    faulty: Tensor
    sound: bool


def collect_places(model: Evidence, anatomies: list[Anatomy], faults: int = 3) -> Iterator[Places]:
    """Of every pair among the anatomies: sound, and with so many faults, one at a time."""
    rng = np.random.default_rng(_SEED)
    for anatomy in anatomies:
        if len(anatomy.images) != 2:
            continue
        pair = [_middle(x) for x in windowed(anatomy, rng)]
        nothing = np.zeros(pair[0].shape, bool)
        yield from _places(model, pair, anatomy, [nothing, nothing], nothing, rng, True)
        for _ in range(faults):
            source = int(rng.integers(2))
            kind = list(KINDS)[rng.integers(len(KINDS))]
            fault = put_fault(pair[source], kind, anatomy.spacing[0], anatomy.spacing[1], rng)
            if not fault.visible.any():
                continue
            images, visible = list(pair), [nothing, nothing]
            images[source], visible[source] = fault.image, fault.visible
            unknown = fault.touched & ~fault.visible
            yield from _places(model, images, anatomy, visible, unknown, rng, False)


def _middle(image: np.ndarray) -> np.ndarray:
    start = max(0, (len(image) - _DEEPEST) // 2)
    return np.ascontiguousarray(image[start : start + _DEEPEST], dtype=np.float32)


def _places(
    model: Evidence,
    images: list[np.ndarray],
    anatomy: Anatomy,
    visible: list[np.ndarray],
    unknown: np.ndarray,
    rng: Generator,
    sound: bool,
) -> Iterator[Places]:
    grid = EvidenceGrid.of(images[0].shape, anatomy.spacing)
    scores = volume_scores(model, *images, grid).float()
    counts = _on(np.maximum(*images) > _TISSUE, scores) & ~_on(unknown, scores)
    for score, where in zip(scores, visible, strict=True):
        chosen = counts.flatten().nonzero()[:, 0]
        chosen = chosen[torch.from_numpy(rng.permutation(len(chosen))[:_EACH])]
        faulty = _on(where, scores).flatten()[chosen].float()
        if len(chosen):
            yield Places(score.flatten()[chosen], faulty, sound)


def _on(mask: np.ndarray, scores: Tensor) -> Tensor:
    """bool, where the cells of scores (2, D, h, w) lie in a mask (K, J, I)."""
    whole = torch.from_numpy(mask.astype(np.float32))[None, None]
    return F.adaptive_avg_pool3d(whole, tuple(scores.shape[1:]))[0, 0] > 0.5


class Scaling(NamedTuple):
    """``score * gain + shift`` is the log-odds of a fault."""

    gain: float
    shift: float


def fit_scaling(places: list[Places]) -> Scaling:
    """The scaling under which the outcomes are likeliest (Platt, "Probabilistic outputs for support
    vector machines", 1999). Sound and faulty volumes count by halves, each volume alike.
    """
    scores, faulty, worth = [], [], []
    for part in (True, False):
        chosen = [x for x in places if x.sound == part]
        for x in chosen:
            scores.append(x.score.double())
            faulty.append(x.faulty.double())
            worth.append(torch.full_like(scores[-1], 1 / (len(chosen) * len(x.score))))
    score, outcome, weight = torch.cat(scores), torch.cat(faulty), torch.cat(worth)
    parameters = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([parameters], max_iter=60, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimiser.zero_grad()
        gain, shift = parameters
        loss = F.binary_cross_entropy_with_logits(
            gain * score + shift, outcome, weight, reduction="sum"
        )
        loss.backward()
        return loss

    optimiser.step(cost)
    return Scaling(*parameters.tolist())


def quiet(scaling: Scaling, places: list[Places], allowed: float) -> Scaling:
    """The scaling, with a shift so low that a part ``allowed`` of sound volumes is flagged at most.

    One that flags less by itself stays as it is.
    """
    sound = [x.score.double() for x in places if x.sound]

    def flagged(shift: float) -> float:
        shares = [shown(torch.sigmoid(scaling.gain * x + shift)) > _FLAGGED for x in sound]
        return float(np.mean([x.double().mean().item() for x in shares]))

    low, high = -40.0, scaling.shift
    if flagged(high) <= allowed:
        return scaling
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if flagged(middle) > allowed else (middle, high)
    return scaling._replace(shift=low)


@torch.no_grad()
def fold(model: Evidence, scaling: Scaling) -> None:
    """Build a scaling into a network: its scores become what the scaling makes of them."""
    for score in (*(layer for _, layer in model.scores), model.direct):
        score.weight *= scaling.gain
        score.bias *= scaling.gain
    model.direct.bias += scaling.shift
