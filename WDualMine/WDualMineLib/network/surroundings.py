"""What is usual around a place: the yardstick by which evidence judges what it sees there.

Noise, blur and shading are known by comparison: with the activity that is usual in the same volume,
and with what the other volume leads one to expect. Both are taken from windows as large as the
crops of the training, not from whole volumes, in which a thigh would be judged by a pelvis.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .impressions import ACTIVITIES, Impressions
from .statistics import AIR, LEVELS, between_levels, expect, expectation, joint_statistics

WINDOW = 32
"""Cells of 4 mm to a side of a window: 128 mm."""

_STRIDE = WINDOW // 2

REACH = 4
"""Slices before and behind that count as around a slice."""


class Surroundings(NamedTuple):
    """Of N pairs of stacks of D slices with (h, w) cells.

    Attributes:
        usual_a, usual_b: (N, D or 1, 6, h or 1, w or 1), mean activity around each place.
        unlike_a, unlike_b: (N, D, 1, h, w), how far either is from what the other leads to expect.
        distance: (N,), of the slices in mm.
    """

    usual_a: Tensor
    usual_b: Tensor
    unlike_a: Tensor
    unlike_b: Tensor
    distance: Tensor


def surroundings_of_crops(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Each pair of stacks is its own window.

    Args:
        a, b: of N pairs.
        distance: (N,) mm.
    """
    expected = joint_statistics(a.form, b.form).expected
    usual = [
        (x.activity * x.tissue).sum((1, 3, 4)) / x.tissue.sum((1, 3, 4)).clamp_min(1)
        for x in (a, b)
    ]
    usual_a, usual_b = (x[:, None, :, None, None] for x in usual)
    unlike_a = _unlike(a.form, b.form, expected[:, 0])
    unlike_b = _unlike(b.form, a.form, expected[:, 1])
    return Surroundings(usual_a, usual_b, unlike_a, unlike_b, distance)


def surroundings_of_volumes(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Windows that overlap by half, blended from one centre to the next; nine slices deep.

    Args:
        a, b: of one pair (N = 1), with four slices before the first and behind the last that
            matter, as far as there are any.
        distance: (1,) mm.
    """
    depth, h, w = a.form.shape[1], *a.form.shape[3:]
    usual = [a.activity.new_zeros(1, depth, ACTIVITIES, h, w) for _ in range(2)]
    unlike = [a.form.new_zeros(1, depth, 1, h, w) for _ in range(2)]
    for rows, of_rows in _windows(h, a.form):
        for columns, of_columns in _windows(w, a.form):
            share = of_rows[:, None] * of_columns
            seen = [Impressions(*(x[..., rows, columns] for x in y)) for y in (a, b)]
            forms = [x.form for x in seen]
            expected = _expected_around(*forms)
            for k, (mine, other) in enumerate((forms, forms[::-1])):
                found = _unlike(mine[0], other[0], expected[k])
                unlike[k][..., rows, columns] += share * found
                around = _usual_around(seen[k])
                usual[k][..., rows, columns] += share * around[None, :, :, None, None]
    return Surroundings(usual[0], usual[1], unlike[0], unlike[1], distance)


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


def _usual_around(x: Impressions) -> Tensor:
    """(D, 6), mean activity in the tissue of a window and its neighbouring slices."""
    total = _with_neighbours((x.activity * x.tissue).sum((3, 4))[0])
    return total / _with_neighbours(x.tissue.sum((3, 4))[0]).clamp_min(1)


def _expected_around(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(D, LEVELS) twice: mean of a at each level of b, of b at each level of a."""
    # On a GPU the order of such sums changes from run to run.
    home = a.device
    a, b = (x[0].flatten(1).cpu() for x in (a, b))
    tissue = (a + b > AIR).to(a)
    found = []
    for mine, other in ((a, b), (b, a)):
        low, part = between_levels(other, LEVELS)
        total, count = (a.new_zeros(len(a), LEVELS) for _ in range(2))
        for place, share in ((low, tissue * (1 - part)), (low + 1, tissue * part)):
            total.scatter_add_(1, place, share * mine)
            count.scatter_add_(1, place, share)
        table = expectation(_with_neighbours(total), _with_neighbours(count))
        found.append(table.to(home))
    return found[0], found[1]


def _with_neighbours(x: Tensor) -> Tensor:
    """(D, ...) summed over the slices around each, as far as there are any."""
    total = x.clone()
    for step in range(1, min(REACH, len(x) - 1) + 1):
        total[step:] += x[:-step]
        total[:-step] += x[step:]
    return total


def _unlike(form: Tensor, other: Tensor, expected: Tensor) -> Tensor:
    """(N, D, 4, h, w) of both and (N, LEVELS) -> (N, D, 1, h, w); or without N, a table a slice."""
    flat = other.reshape(len(other), 1, -1, other.shape[-1])
    likely = expect(flat, expected).reshape(form.shape)
    return (form - likely).mean(-3, keepdim=True)
