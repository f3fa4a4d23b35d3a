"""Batches for training: pure functions of seed and step, so that a resumed run is the same run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from .corruption import TRAINED, Corrupted, corrupt
from .dataset import SlicePair

BOTH_FAULTY = 0.7
"""Share of faulty crops that carry a fault in the second source too: a lesson for one price."""

TWO_FAULTS = 0.5
"""Share of faulty images that carry two."""


def rng_of_lesson(seed: int, step: int, lesson: int) -> Generator:
    """The source of all randomness of one lesson of one step."""
    return np.random.default_rng([seed, step, lesson])


def _orient(images: list[np.ndarray], rng: Generator) -> list[np.ndarray]:
    """One of the eight symmetries of the square, the same for all (square) images."""
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    images = [np.rot90(x, turns) for x in images]
    return [x[:, ::-1] if mirrored else x for x in images]


def _tone(image: np.ndarray, rng: Generator) -> np.ndarray:
    """Another gamma and window, from dark to saturated, rounded to 8 bits again; 0 stays 0."""
    image = image ** rng.uniform(0.5, 1.6) * rng.uniform(0.7, 1.6)
    return (np.round(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)


def _stack(images: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.stack(images)))[:, None]


def _choose(pairs: list[SlicePair], rng: Generator) -> SlicePair:
    return pairs[rng.integers(len(pairs))]


def clean_batch(
    groups: dict[str, list[SlicePair]], per_group: int, toned: float, rng: Generator
) -> tuple[Tensor, Tensor]:
    """Whole slices, as many of every modality pair.

    Whole, because mutual information is a property of the slice and not of a crop.

    Args:
        groups: training pairs by modality pair; every slice of one square size.
        per_group: pairs drawn from each.
        toned: probability that an image gets another gamma and window.
        rng: source of randomness.

    Returns:
        a, b: (N, 1, H, W) in [0, 1].
    """
    first, second = [], []
    for pairs in groups.values():
        for _ in range(per_group):
            pair = _choose(pairs, rng)
            a, b = (
                _tone(x, rng) if rng.random() < toned else x for x in _orient([pair.a, pair.b], rng)
            )
            first.append(a)
            second.append(b)
    return _stack(first), _stack(second)


def _with_faults(image: np.ndarray, count: int, rng: Generator) -> Corrupted:
    """One image with so many faults of trained kinds, which may overlap."""
    kinds = list(TRAINED)
    mask = np.zeros(image.shape, bool)
    for _ in range(count):
        image, new = vars(corrupt(image, kinds[rng.integers(len(kinds))], rng)).values()
        mask |= new
    return Corrupted(image, mask)


@dataclass(frozen=True)
class FaultyBatch:
    """Crops of pairs with faults in the first source and, mostly, elsewhere in the second.

    Attributes:
        faulty: a and b, (N, 1, S, S) each.
        sound: what they were.
        masks: (N, 1, S, S) each, 1 where a or b is faulty.
    """

    faulty: tuple[Tensor, Tensor]
    sound: tuple[Tensor, Tensor]
    masks: tuple[Tensor, Tensor]


def faulty_batch(
    groups: dict[str, list[SlicePair]], count: int, side: int, toned: float, rng: Generator
) -> FaultyBatch:
    """Random crops with corruptions of trained kinds.

    Args:
        groups: training pairs by modality pair.
        count: crops.
        side: of a crop, in pixels.
        toned: probability that an image gets another gamma and window.
        rng: source of randomness.
    """
    pools = list(groups.values())
    rows = []
    for _ in range(count):
        pair = _choose(pools[rng.integers(len(pools))], rng)
        images = [pair.a, pair.b][:: rng.choice([1, -1])]
        # A crop without signal teaches nothing: look for one around the middle.
        limits = [n - side for n in pair.a.shape]
        row, column = (int(n * rng.uniform(0.15, 0.85)) for n in limits)
        images = _orient([x[row : row + side, column : column + side] for x in images], rng)
        sound = [_tone(x, rng) if rng.random() < toned else np.ascontiguousarray(x) for x in images]
        first = _with_faults(sound[0], 1 + (rng.random() < TWO_FAULTS), rng)
        both = rng.random() < BOTH_FAULTY
        second = _with_faults(sound[1], both * (1 + (rng.random() < TWO_FAULTS)), rng)
        masks = (x.mask.astype(np.float32) for x in (first, second))
        rows.append([first.image, second.image, *sound, *masks])
    a, b, sound_a, sound_b, mask_a, mask_b = (_stack(list(x)) for x in zip(*rows, strict=True))
    return FaultyBatch((a, b), (sound_a, sound_b), (mask_a, mask_b))
