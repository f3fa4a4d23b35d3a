"""Clues to faults: how unusual a place and its neighbourhoods are, as a network is given it."""

from __future__ import annotations

import torch
from torch import Tensor

from .impressions import DETAILS, Impressions
from .neighbourhoods import mean_around
from .surroundings import OF_INTENSITY, STANDINGS, Surroundings

_NEIGHBOURHOODS = ((3, 1), (7, 2))
"""Cells and slices to either side: 28 mm and 60 mm across."""

ACROSS = _NEIGHBOURHOODS[-1][1]
"""Slices to either side that a clue depends on beyond those of the standings."""

CLUES = (2 + len(_NEIGHBOURHOODS)) * STANDINGS + 1 + 2 * (1 + DETAILS) + 1

_FEW = 0.02
"""Of tissue in a neighbourhood, for which there is none."""


def clues(a: Impressions, b: Impressions, known: Surroundings) -> Tensor:
    """What there is to see of a beside b, and of b beside a.

    Args:
        a, b: of N pairs.
        known: their surroundings.

    Returns:
        (2 N, D, CLUES, h, w), of a first.
    """
    n, d, _, h, w = a.intensity.shape
    tissue = ((a.tissue + b.tissue) > 0).to(a.intensity)
    weights = [(_mean(tissue, *size) + _FEW).reciprocal() for size in _NEIGHBOURHOODS]
    distance = (known.distance / 8).view(-1, 1, 1, 1, 1).expand(n, d, 1, h, w)
    rows = []
    for mine, other, of_mine, of_other in (
        (a, b, known.standing_a, known.standing_b),
        (b, a, known.standing_b, known.standing_a),
    ):
        far = of_mine[:, :, OF_INTENSITY : OF_INTENSITY + 1].abs()
        near = _mean(torch.cat([of_mine, far], 2), *_NEIGHBOURHOODS[0]) * weights[0]
        wide = _mean(of_mine, *_NEIGHBOURHOODS[1]) * weights[1]
        around = [near[:, :, :STANDINGS], wide, near[:, :, STANDINGS:]]
        shown = [mine.intensity, other.intensity, mine.detail, other.detail]
        rows.append(torch.cat([of_mine, *around, of_other, *shown, distance], 2))
    return torch.cat(rows)


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
