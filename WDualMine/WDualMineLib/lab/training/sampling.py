"""Batches for training: pure functions of seed and step, so that a resumed run is the same run."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from .dataset import SlicePair


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
