"""How unusual a place is for its kind of tissue: the standard scores that evidence is judged by.

Noise in white matter is known by the noise in other white matter, lost detail by the detail that
the other volume shows at places like it. So each quantity is set against its mean and deviation
among all places with about the same intensity in either volume, or as much detail in the other.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

LEVELS = 16
"""Kinds of places that are told apart by one quantity."""

_RARE = 12.0
"""Places of a kind up to which all places together count more than they."""

_STEADY = 0.02
"""Least deviation: what differs by less is no news."""

_FARTHEST = 4.0


class Sums(NamedTuple):
    """Of C quantities at each level of another one, in each of N groups; groups can be added.

    Attributes:
        count: (N, 1, LEVELS).
        first, second: (N, C, LEVELS), sums of the quantities and of their squares.
    """

    count: Tensor
    first: Tensor
    second: Tensor


def kinds(quantity: Tensor) -> Tensor:
    """(N, P) in [0, 1] -> (N, P, LEVELS), how far a place belongs to the two nearest levels."""
    position = quantity.clamp(0, 1)[..., None] * (LEVELS - 1)
    levels = torch.arange(LEVELS, device=quantity.device, dtype=quantity.dtype)
    return (1 - (position - levels).abs()).clamp_min(0)


def sums(values: Tensor, kind: Tensor, counts: Tensor) -> Sums:
    """Add up.

    Args:
        values: (N, C, P).
        kind: (N, P, LEVELS) of :func:`kinds`.
        counts: (N, P), 1 where a place counts.
    """
    kind = kind * counts[..., None]
    return Sums(kind.sum(1)[:, None], values @ kind, values.square() @ kind)


def scores(values: Tensor, kind: Tensor, known: Sums) -> Tensor:
    """Deviations that each value lies above the mean of its kind: (N, C, P), about [-2, 2]."""
    count = known.count
    everywhere = count.sum(2, keepdim=True).clamp_min(1)
    means = [x.sum(2, keepdim=True) / everywhere for x in (known.first, known.second)]
    first, second = (
        (x + _RARE * mean) / (count + _RARE)
        for x, mean in zip((known.first, known.second), means, strict=True)
    )
    deviation = (second - first.square()).clamp_min(0).sqrt()
    per_place = kind.transpose(1, 2)
    distance = values - first @ per_place
    return (distance / (deviation @ per_place + _STEADY)).clamp(-_FARTHEST, _FARTHEST) / 2
