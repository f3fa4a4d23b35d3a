"""Stacks of slices with and without faults: pure functions of a seed and a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from ...network.statistics import AIR
from .anatomies import Anatomy
from .appearance import sound
from .drawing import FIELD_MM, draw_crop
from .faults import KINDS, put_fault


@dataclass(frozen=True)
class Prevalence:
    """How common faults are.

    Attributes:
        faulty: share of stacks with one; in the others all is sound.
        both: share of these in which the other volume has one as well.
        second: probability of a second fault in the same volume.
    """

    faulty: float
    both: float
    second: float


DENSE = Prevalence(0.95, 0.6, 0.4)
"""To learn what faults look like: much to learn from in every batch."""

NATURAL = Prevalence(0.5, 0.15, 0.2)
"""To learn how likely they are."""

_ATLAS_SHARE = 0.35
"""Of draws from the slice atlas, whose cases are many and alike."""


@dataclass(frozen=True)
class Stacks:
    """Pairs of stacks on pixels of 1 mm.

    Attributes:
        a, b: (N, D, H, W) in [0, 1].
        faulty_a, faulty_b: (N, D, H / 2, W / 2), 1 where that volume is visibly faulty.
        counts_a, counts_b: the same shape, 1 where the answer is known: tissue, and not what a
            fault touched without being visible.
        distance: (N,) mm.
        kinds: what was put into each; "" for nothing.
    """

    a: Tensor
    b: Tensor
    faulty_a: Tensor
    faulty_b: Tensor
    counts_a: Tensor
    counts_b: Tensor
    distance: Tensor
    kinds: tuple[str, ...]

    def exchanged(self) -> Stacks:
        """The same with a and b in each other's place, mirrored."""
        a, b, faulty_a, faulty_b, counts_a, counts_b = (
            x.flip(3)
            for x in (self.a, self.b, self.faulty_a, self.faulty_b, self.counts_a, self.counts_b)
        )
        return Stacks(b, a, faulty_b, faulty_a, counts_b, counts_a, self.distance, self.kinds)


def draw_anatomy(anatomies: list[Anatomy], rng: Generator) -> Anatomy:
    """One of them; those of the slice atlas together no more often than their share."""
    atlas = [x for x in anatomies if "8-bit" in x.kinds]
    others = [x for x in anatomies if "8-bit" not in x.kinds]
    pool = atlas if atlas and (not others or rng.random() < _ATLAS_SHARE) else others
    return pool[rng.integers(len(pool))]


def draw_stacks(
    anatomies: list[Anatomy], count: int, prevalence: Prevalence, seed: int, number: int
) -> Stacks:
    """``count`` pairs of stacks of equal depth.

    Args:
        anatomies: see :func:`.anatomies.read_anatomies`.
        count: N.
        prevalence: of faults.
        seed, number: of the batch; equal ones give the same batch.
    """
    rng = np.random.default_rng([seed, number])
    depth = int(rng.choice([1, 4, 6, 8, 10], p=[0.1, 0.25, 0.3, 0.25, 0.1]))
    rows = [_draw(draw_anatomy(anatomies, rng), depth, prevalence, rng) for _ in range(count)]
    tensors = [torch.stack(column) for column in zip(*(row[0] for row in rows), strict=True)]
    distance = torch.tensor([row[1] for row in rows], dtype=torch.float32)
    return Stacks(*tensors, distance, tuple(row[2] for row in rows))


def _draw(
    anatomy: Anatomy, depth: int, prevalence: Prevalence, rng: Generator
) -> tuple[list[Tensor], float, str]:
    crop = draw_crop(anatomy, depth, rng)
    images = list(sound(crop.images, crop.distance, crop.pixel, rng))
    visible = [np.zeros(x.shape, bool) for x in images]
    touched = [np.zeros(x.shape, bool) for x in images]
    kinds = []
    tissue = np.maximum(*images) > AIR
    if rng.random() < prevalence.faulty:
        which = [0, 1] if rng.random() < prevalence.both else [0]
        if rng.random() < 0.5:
            which = [1 - k for k in which]
        for source in which:
            for _ in range(1 + (rng.random() < prevalence.second)):
                kind = list(KINDS)[rng.integers(len(KINDS))]
                fault = put_fault(images[source], kind, crop.distance, crop.pixel, rng)
                images[source] = fault.image
                visible[source] |= fault.visible
                touched[source] |= fault.touched
                kinds.append(kind)
    tissue |= np.maximum(*images) > AIR
    if rng.random() < 0.3:
        images = [np.round(x * 255) / 255 for x in images]
    shown = [_resized(x, FIELD_MM, smooth=True) for x in images]
    faulty = [_resized(x, FIELD_MM // 2) for x in visible]
    counts = [
        _resized(tissue & ~(t & ~v), FIELD_MM // 2) for t, v in zip(touched, visible, strict=True)
    ]
    return [*shown, *faulty, *counts], crop.distance, "+".join(kinds)


def _resized(stack: np.ndarray, side: int, smooth: bool = False) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(stack, dtype=np.float32))[None]
    if x.shape[-1] != side:
        if smooth:
            x = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
        else:
            x = F.interpolate(x, size=(side, side), mode="nearest")
    return x[0].clamp(0, 1)
