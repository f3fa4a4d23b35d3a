"""Clues to faults: how unusual a place and its neighbourhoods are, and what they look like."""

from __future__ import annotations

import torch
from torch import Tensor

from .impressions import DETAILS, FORMS, Impressions
from .neighbourhoods import mean_around
from .surroundings import OF_INTENSITY, STANDINGS, Surroundings

_NEIGHBOURHOODS = ((3, 1), (7, 2))
"""Cells and slices to either side: 28 mm and 60 mm across."""

ACROSS = _NEIGHBOURHOODS[-1][1]
"""Slices to either side that a clue depends on beyond those of the standings."""

CLUES = (2 + len(_NEIGHBOURHOODS)) * STANDINGS + 1 + 2 * (1 + DETAILS + FORMS) + 1

_FEW = 0.02
"""Of tissue in a neighbourhood, for which there is none."""


def clues(a: Impressions, b: Impressions, known: Surroundings) -> list[Tensor]:
    """What there is to see of a beside b, and of b beside a.

    Args:
        a, b: of N pairs.
        known: their surroundings.

    Returns:
        Parts (2 N D, C, h, w), of a first, of which all together have CLUES channels.
    """
    n, d, _, h, w = a.intensity.shape
    tissue = ((a.tissue + b.tissue) > 0).to(a.intensity)
    near_weight, wide_weight = (
        (_mean(tissue, *size) + _FEW).reciprocal().repeat(2, 1, 1, 1, 1) for size in _NEIGHBOURHOODS
    )
    mine, others = _both_ways(known.standing_a, known.standing_b)
    far = mine[:, :, OF_INTENSITY : OF_INTENSITY + 1].abs()
    near = _mean(torch.cat([mine, far], 2), *_NEIGHBOURHOODS[0]) * near_weight
    wide = _mean(mine, *_NEIGHBOURHOODS[1]) * wide_weight
    near, far_near = near.split([STANDINGS, 1], 2)
    distance = (known.distance / 8).repeat(2).view(-1, 1, 1, 1, 1).expand(2 * n, d, 1, h, w)
    shown = [
        x
        for part in ("intensity", "detail", "form")
        for x in _both_ways(getattr(a, part), getattr(b, part))
    ]
    parts = [mine, near, wide, far_near, others, *shown, distance]
    return [part.flatten(0, 1) for part in parts]


def _both_ways(of_a: Tensor, of_b: Tensor) -> tuple[Tensor, Tensor]:
    """Of a then of b, and of the other one each."""
    return torch.cat([of_a, of_b]), torch.cat([of_b, of_a])


def _mean(x: Tensor, cells: int, slices: int) -> Tensor:
    """(N, D, C, h, w) averaged over so many cells and slices to either side; 0 beyond the ends."""
    within = mean_around(x, cells, of_those_there=False)
    if x.shape[1] == 1:
        return within / (2 * slices + 1)
    total = within.clone()
    for step in range(1, min(slices, x.shape[1] - 1) + 1):
        total[:, step:] += within[:, :-step]
        total[:, :-step] += within[:, step:]
    return total / (2 * slices + 1)
