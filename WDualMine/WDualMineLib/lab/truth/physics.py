"""Faults by the physics of acquisition, from TorchIO: none of this code is the training's.

Source: Perez-Garcia, Sparks, Ourselin, "TorchIO: a Python library for efficient loading,
preprocessing, augmentation and patch-based sampling of medical images in deep learning",
Computer Methods and Programs in Biomedicine 208 (2021).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.random import Generator

from ...errors import WDualMineError
from .regions import Spacing

Degrade = Callable[[np.ndarray, Spacing, Generator], np.ndarray]
"""(K, J, I) in [0, 1], mm along K, J, I, randomness -> the whole volume degraded."""


def _torchio():
    try:
        import torchio
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed, and the faults by physics come from it",
            "Install it with: pip install 'wdualmine[truth]'",
        ) from error
    return torchio


def _apply(make: Callable[..., object], volume: np.ndarray, spacing: Spacing, rng: Generator):
    """One transform of TorchIO on an array, repeatable from ``rng``."""
    library = _torchio()
    # TorchIO draws from torch's global generator: it is left as it was found.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        image = library.ScalarImage(
            tensor=torch.from_numpy(np.ascontiguousarray(volume.transpose(2, 1, 0)))[None],
            affine=np.diag([*spacing[::-1], 1.0]),
        )
        changed = make(library)(image).numpy()[0]
    return np.ascontiguousarray(changed.transpose(2, 1, 0), dtype=np.float32)


def motion(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """The patient moves up to three times during the acquisition, by up to 10 mm and degrees."""
    times = int(rng.integers(1, 4))
    return _apply(
        lambda tio: tio.RandomMotion(degrees=(3, 10), translation=(3, 10), num_transforms=times),
        volume,
        spacing,
        rng,
    )


def ghosting(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """Periodic motion: ghosts along one in-plane axis."""
    return _ghosts(volume, spacing, rng, (0.6, 1.0))


def faint_ghosting(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """The same at a third of the strength."""
    return _ghosts(volume, spacing, rng, (0.2, 0.35))


def _ghosts(volume: np.ndarray, spacing: Spacing, rng: Generator, intensity: tuple[float, float]):
    return _apply(
        lambda tio: tio.RandomGhosting(num_ghosts=(3, 8), axes=(0, 1), intensity=intensity),
        volume,
        spacing,
        rng,
    )


def spike(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """A few wrong samples in k-space: stripes across the volume."""
    return _apply(
        lambda tio: tio.RandomSpike(num_spikes=(1, 3), intensity=(0.4, 1.0)), volume, spacing, rng
    )


def bias_field(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """Strong shading by a polynomial of third order, beyond what a coil does to a sound image."""
    limits = (0.8, 1.5) if rng.random() < 0.5 else (-1.5, -0.8)
    return _apply(
        lambda tio: tio.RandomBiasField(coefficients=limits, order=3), volume, spacing, rng
    )


def anisotropy(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """Three to six times coarser samples along one axis."""
    return _apply(
        lambda tio: tio.RandomAnisotropy(axes=(0, 1, 2), downsampling=(3, 6)), volume, spacing, rng
    )


def noise(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """White noise of 8 to 25 % of the window."""
    return _apply(lambda tio: tio.RandomNoise(std=(0.08, 0.25)), volume, spacing, rng)


def blur(volume: np.ndarray, spacing: Spacing, rng: Generator) -> np.ndarray:
    """A point spread of 3 to 6 mm standard deviation."""
    return _apply(lambda tio: tio.RandomBlur(std=(3, 6)), volume, spacing, rng)
