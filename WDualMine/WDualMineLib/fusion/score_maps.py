"""Scores of suspicion on the evidence's grid: of several planes put together, and smoothed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.evidence import SILENT

_ACROSS_MM = 3.0
"""Standard deviation of a Gaussian across the slices that scores pass through. A fault is seldom
seen equally well in all slices it is in: without it lost slices are found less fully (.62 and not
.84 at 1 % false alarms, ``bench truth --quick``)."""

_AROUND_MM = 16.0
_OF_AROUND = 0.4
"""Standard deviation of a Gaussian in space, in tissue, and how much its mean counts beside what
was seen at the place itself. The network is unsure of single places: what is suspected all around
is likelier true. With half of the score from around AUROC rose from .828 to .835, and what is found
at 1 % false alarms from .546 to .570 (cases of ``bench truth --quick``, former weights, by a script
that is not kept)."""

SHARPENED = 2.0
"""A mean of looks, planes and neighbours lies nearer to *undecided* than what they say together is
worth: on volumes of the training with its faults what is suspected is off by .036 on average (error
of calibration) and by .009 times two; by one and a half .012, by three .016
(taken once, by a script that is not kept)."""

_ADDED = 3.0
"""Standard deviations to either side that a Gaussian is added up to."""


def of_planes(planes: list[tuple[Tensor, float]], shape: tuple[int, int, int]) -> Tensor:
    """Weighted mean of the planes that say something of a place; silent where none does.

    Args:
        planes: scores (2, d, h, w) of one volume each, axes in the same order, on whatever grid,
            and what they count.
        shape: (D, H, W) of the grid of the result.

    Returns:
        (2, D, H, W) float32.
    """
    total, weights = (planes[0][0].new_zeros(n, *shape, dtype=torch.float32) for n in (2, 2))
    for scores, weight in planes:
        speaks = (scores > SILENT).float()
        both = torch.cat([scores.float() * speaks, speaks])
        if both.shape[1:] != shape:
            both = F.interpolate(both[None], size=shape, mode="trilinear", align_corners=False)[0]
        total, weights = total + weight * both[:2], weights + weight * both[2:]
    return torch.where(weights > 0, total / weights.clamp_min(1e-6), SILENT)


def smoothed(scores: Tensor, tissue: Tensor, sizes: tuple[float, float, float]) -> Tensor:
    """Scores that neighbours take part in, as sharp as they are worth together.

    Args:
        scores: (2, D, H, W).
        tissue: (D, H, W), share of a cell in which something is shown.
        sizes: mm of a cell along each axis.

    Returns:
        The same shape; silent places stay silent.
    """
    speaks = scores > SILENT
    scores = gaussian(scores, 1, _ACROSS_MM / sizes[0])
    around, weight = scores * (tissue * speaks), tissue * speaks
    for axis, size in enumerate(sizes, 1):
        around, weight = (gaussian(x, axis, _AROUND_MM / size) for x in (around, weight))
    mean = torch.where(weight > 1e-2, around / weight.clamp_min(1e-2), scores)
    score = SHARPENED * torch.lerp(scores, mean, _OF_AROUND)
    return torch.where(speaks, score.clamp(SILENT, -SILENT), SILENT)


def gaussian(x: Tensor, axis: int, sigma: float) -> Tensor:
    """A Gaussian along one axis, of so many places; the ends are repeated."""
    half = int(_ADDED * sigma + 0.5)
    if half < 1:
        return x
    offsets = torch.arange(-half, half + 1, device=x.device)
    weights = torch.exp(-((offsets / sigma) ** 2) / 2)
    weights /= weights.sum()
    places = torch.arange(x.shape[axis], device=x.device)
    total = torch.zeros_like(x)
    for offset, weight in zip(offsets.tolist(), weights.tolist(), strict=True):
        index = (places + offset).clamp(0, len(places) - 1)
        total.add_(x.index_select(axis, index), alpha=weight)
    return total
