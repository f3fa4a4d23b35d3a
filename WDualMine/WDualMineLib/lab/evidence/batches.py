"""Stacks of slices with and without faults: pure functions of a seed and a number."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from ...network.evidence import CELL
from ...network.statistics import AIR
from .anatomies import Anatomy
from .appearance import PLAIN, VARIED, sound
from .drawing import FIELD_MM, Crop, draw_crop
from .faults import KINDS, put_fault


@dataclass(frozen=True)
class Prevalence:
    """How common faults are.

    Attributes:
        faulty: share of stacks with one; in the others all is sound.
        both: share of these in which the other volume has one as well.
        second: probability of a second fault in the same volume.
        plain: share of stacks that show an anatomy as it is, see :data:`.appearance.PLAIN`.
    """

    faulty: float
    both: float
    second: float
    plain: float = 0.5


DENSE = Prevalence(0.95, 0.6, 0.4)
"""To learn what faults look like: much to learn from in every batch."""

NATURAL = Prevalence(0.5, 0.15, 0.2)
"""To learn how likely they are."""

_USUAL_DEPTH = 7

_CELLS = FIELD_MM // CELL

_EASY = ("noise", "waves", "streaks", "lost_slices")
"""Kinds that are found early, and half as often as others: an hour's learning is for the rest."""

_ODDS = np.array([0.5 if kind in _EASY else 1.0 for kind in KINDS])
_ODDS /= _ODDS.sum()

_ATLAS_SHARE = 0.35
"""Of draws from the slice atlas, whose cases are many and alike."""


@dataclass(frozen=True)
class Stacks:
    """Pairs of stacks on pixels of 1 mm.

    Attributes:
        a, b: (N, D, H, W) in [0, 1], half precision, which holds 8 bits and more.
        faulty_a, faulty_b: bool (N, D, H / 4, W / 4), where that volume is visibly faulty.
        counts_a, counts_b: the same shape, where the answer is known: tissue, and not what a
            fault touched without being visible.
        kind_a, kind_b: the same shape, uint8, 0 where that volume is not visibly faulty, else 1
            plus the number in :data:`.faults.KINDS` of the fault put in last.
        distance: (N,) mm.
        kinds: what was put into each; "" for nothing.
    """

    a: Tensor
    b: Tensor
    faulty_a: Tensor
    faulty_b: Tensor
    counts_a: Tensor
    counts_b: Tensor
    kind_a: Tensor
    kind_b: Tensor
    distance: Tensor
    kinds: tuple[str, ...]

    def tensors(self) -> dict[str, Tensor]:
        """All fields but ``kinds``, by name."""
        return {name: x for name, x in vars(self).items() if isinstance(x, Tensor)}

    def moved_to(self, device: str) -> Stacks:
        """The same on a torch device."""
        return replace(self, **{name: x.to(device) for name, x in self.tensors().items()})

    def exchanged(self) -> Stacks:
        """The same with a and b in each other's place."""
        other = {"a": "b", "b": "a"}
        named = self.tensors()
        return replace(
            self,
            **{n: named[n[:-1] + other[n[-1]]] for n in named if n[-1] in other},
        )

    def turned(self, number: int) -> Stacks:
        """One of the sixteen ways to lay it out: mirrored, transposed, exchanged.

        Args:
            number: below 16; 0 leaves it as it is.
        """
        named = self.tensors()
        for name, x in named.items():
            if x.ndim == 4:
                axes = [axis for axis in (2, 3) if number >> (axis - 2) & 1]
                x = x.flip(axes) if axes else x
                named[name] = x.transpose(2, 3) if number & 4 else x
        stacks = replace(self, **named)
        return stacks.exchanged() if number & 8 else stacks


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
        count: N at most; of deep stacks fewer.
        prevalence: of faults.
        seed, number: of the batch; equal ones give the same batch.
    """
    rng = np.random.default_rng([seed, number])
    depth = int(rng.choice([1, 4, 6, 8, 12], p=[0.1, 0.2, 0.25, 0.25, 0.2]))
    # A batch costs about the same whatever its depth.
    count = min(count, max(1, count * _USUAL_DEPTH // depth))
    rows = []
    while len(rows) < count:
        crop = draw_crop(draw_anatomy(anatomies, rng), depth, rng)
        # To cut it out takes a third of the time: it is shown twice, by other scanners.
        rows += [_draw(crop, prevalence, rng) for _ in range(min(2, count - len(rows)))]
    tensors = [torch.stack(column) for column in zip(*(row[0] for row in rows), strict=True)]
    distance = torch.tensor([row[1] for row in rows], dtype=torch.float32)
    return Stacks(*tensors, distance, tuple(row[2] for row in rows))


def _draw(crop: Crop, prevalence: Prevalence, rng: Generator) -> tuple[list[Tensor], float, str]:
    odds = PLAIN if rng.random() < prevalence.plain else VARIED
    images = list(sound(crop.images, crop.distance, crop.pixel, rng, odds))
    visible = [np.zeros(x.shape, bool) for x in images]
    touched = [np.zeros(x.shape, bool) for x in images]
    numbers = [np.zeros(x.shape, np.uint8) for x in images]
    kinds = []
    tissue = np.maximum(*images) > AIR
    if rng.random() < prevalence.faulty:
        which = [0, 1] if rng.random() < prevalence.both else [0]
        if rng.random() < 0.5:
            which = [1 - k for k in which]
        for source in which:
            for _ in range(1 + (rng.random() < prevalence.second)):
                kind = str(rng.choice(list(KINDS), p=_ODDS))
                fault = put_fault(images[source], kind, crop.distance, crop.pixel, rng)
                images[source] = fault.image
                visible[source] |= fault.visible
                touched[source] |= fault.touched
                numbers[source][fault.visible] = 1 + list(KINDS).index(kind)
                kinds.append(kind)
    tissue |= np.maximum(*images) > AIR
    if rng.random() < 0.3:
        images = [np.round(x * 255) / 255 for x in images]
    shown = [_enlarged(x) for x in images]
    faulty = [_cells(x) for x in visible]
    counts = [_cells(tissue & ~(t & ~v)) for t, v in zip(touched, visible, strict=True)]
    kind = [F.interpolate(_tensor(x), size=(_CELLS, _CELLS))[0].byte() for x in numbers]
    return [*shown, *faulty, *counts, *kind], crop.distance, "+".join(kinds)


def _enlarged(stack: np.ndarray) -> Tensor:
    """On pixels of 1 mm."""
    x, size = _tensor(stack), (FIELD_MM, FIELD_MM)
    if x.shape[2:] != size:
        x = F.interpolate(x, size=size, mode="bilinear", align_corners=False)
    return x[0].clamp(0, 1).half()


def _cells(mask: np.ndarray) -> Tensor:
    """Cells of which the mask holds more than half."""
    return (F.adaptive_avg_pool2d(_tensor(mask), _CELLS) > 0.5)[0]


def _tensor(stack: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(stack, dtype=np.float32))[None]
