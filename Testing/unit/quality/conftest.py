"""Synthetic image pairs with edges, texture and air, as the measures meet them."""

from __future__ import annotations

import numpy as np
import pytest


def blobs(shape: tuple[int, int], seed: int) -> np.ndarray:
    """(H, W) float64 of whole grey levels 0..255: ellipses of constant grey, noise, and air."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for _ in range(6):
        centre = rng.uniform(0.2, 0.8, 2) * shape
        radii = rng.uniform(0.08, 0.35, 2) * shape
        inside = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1
        image[inside] = rng.integers(30, 255)
    image[image > 0] += rng.normal(0, 6, int((image > 0).sum()))
    return np.clip(np.rint(image), 0, 255)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two sources of 60 x 47 grey levels."""
    return blobs((60, 47), 1), blobs((60, 47), 2)


@pytest.fixture
def fused(pair) -> np.ndarray:
    """The rounded average of ``pair`` with some noise: it resembles both and equals neither."""
    noise = np.random.default_rng(3).normal(0, 4, pair[0].shape)
    return np.clip(np.rint((pair[0] + pair[1]) / 2 + noise), 0, 255)
