"""What is usual around a place: the yardstick by which evidence judges what it sees there.

Noise, blur and shading are known by comparison: with what the same volume shows elsewhere in tissue
of the kind, and with what the other volume leads one to expect. Both are taken from windows as
large as the crops of the training, not from whole volumes, in which a thigh would be judged by a
pelvis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .impressions import DETAILS, Impressions
from .standing import Sums, kinds, scores, sums

WINDOW = 32
"""Cells of 4 mm to a side of a window: 128 mm."""

_STRIDE = WINDOW // 2

REACH = 4
"""Slices before and behind that count as around a slice."""

STANDINGS = 3 * DETAILS + 1
"""Standard scores of a volume at a place: of its detail among places of the same intensity, of the
same intensity in the other volume, and of as much detail in the other; of its intensity among
places of the same intensity in the other, which is number :data:`OF_INTENSITY`."""

OF_INTENSITY = 2 * DETAILS


class Surroundings(NamedTuple):
    """Of N pairs of stacks of D slices with (h, w) cells.

    Attributes:
        standing_a, standing_b: (N, D, STANDINGS, h, w), how unusual either is for what it is, in
            [-2, 2]; 0 in air.
        distance: (N,), of the slices in mm.
    """

    standing_a: Tensor
    standing_b: Tensor
    distance: Tensor


def surroundings_of_crops(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Each pair of stacks is its own window.

    Args:
        a, b: of N pairs.
        distance: (N,) mm.
    """
    depth = a.intensity.shape[1]

    def together(x: Tensor) -> Tensor:
        stacks = x.unflatten(0, (-1, depth))
        return stacks.sum(1, keepdim=True).expand_as(stacks).flatten(0, 1)

    return Surroundings(*_standings(a, b, together), distance)


def surroundings_of_volumes(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Windows that overlap by half, blended from one centre to the next; nine slices deep.

    Args:
        a, b: of one pair (N = 1), with four slices before the first and behind the last that
            matter, as far as there are any.
        distance: (1,) mm.
    """
    depth, h, w = a.intensity.shape[1], *a.intensity.shape[3:]
    standing = [a.intensity.new_zeros(1, depth, STANDINGS, h, w) for _ in range(2)]
    for rows, of_rows in _windows(h, a.intensity):
        for columns, of_columns in _windows(w, a.intensity):
            share = of_rows[:, None] * of_columns
            seen = [Impressions(*(x[..., rows, columns] for x in y)) for y in (a, b)]
            for k, found in enumerate(_standings(*seen, _with_neighbours)):
                standing[k][..., rows, columns] += share * found
    return Surroundings(*standing, distance)


def _windows(count: int, like: Tensor) -> list[tuple[slice, Tensor]]:
    """Windows along one side, and how much each counts at each of its cells; 1 in all."""
    centres = torch.arange(0, count + _STRIDE, _STRIDE, device=like.device)
    cells = torch.arange(count, device=like.device) + 0.5
    hats = (1 - (cells - centres[:, None]).abs() / _STRIDE).clamp_min(0).to(like.dtype)
    hats = hats / hats.sum(0)
    windows = []
    for centre, hat in zip(centres.tolist(), hats, strict=True):
        part = slice(max(0, centre - _STRIDE), min(count, centre + _STRIDE))
        if part.stop > part.start:
            windows.append((part, hat[part]))
    return windows


def _standings(
    a: Impressions, b: Impressions, gather: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """(N, D, STANDINGS, h, w) of either.

    ``gather`` adds up what belongs together of slices (N * D, ...).
    """
    shape = a.intensity.shape
    tissue = _places(((a.tissue + b.tissue) > 0).to(a.intensity))
    intensities = [_places(x.intensity) for x in (a, b)]
    details = [_places(x.detail) for x in (a, b)]
    by_intensity = [kinds(x[:, 0]) for x in intensities]
    by_detail = [kinds(x[:, :2].mean(1)) for x in details]

    def standing(values: Tensor, kind: Tensor) -> Tensor:
        known = Sums(*map(gather, sums(values, kind, tissue[:, 0])))
        return scores(values, kind, known)

    found = []
    for mine, other in ((0, 1), (1, 0)):
        both = torch.cat([details[mine], intensities[mine]], 1)
        parts = [
            standing(details[mine], by_intensity[mine]),
            standing(both, by_intensity[other]),
            standing(details[mine], by_detail[other]),
        ]
        z = torch.cat(parts, 1) * tissue
        found.append(z.unflatten(2, shape[3:]).unflatten(0, shape[:2]))
    return found[0], found[1]


def _places(x: Tensor) -> Tensor:
    """(N, D, C, h, w) -> (N * D, C, h * w)."""
    return x.flatten(0, 1).flatten(2)


def _with_neighbours(x: Tensor) -> Tensor:
    """(D, ...) summed over the slices around each, as far as there are any."""
    total = x.clone()
    for step in range(1, min(REACH, len(x) - 1) + 1):
        total[step:] += x[:-step]
        total[:-step] += x[step:]
    return total
