"""Faults of one input in a known region, so that reliability can be taught and measured.

Each corruption takes a slice (H, W) float32 in [0, 1], a soft region (H, W) in [0, 1] and a numpy
``Generator``, and returns the faulty slice. Physics is imitated only as far as a network must
learn to recognise it: where the fault is, and that it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import ndimage

Corruption = Callable[[np.ndarray, np.ndarray, Generator], np.ndarray]


def noise(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """White or grainy Gaussian noise (low dose, low field)."""
    grain = ndimage.gaussian_filter(rng.standard_normal(image.shape), rng.choice([0.0, 0.8]))
    sigma = rng.uniform(0.08, 0.3)
    return image + region * sigma * grain / grain.std()


def dropout(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Blocks without signal."""
    side = int(rng.integers(4, 17))
    rows, columns = (-(-n // side) for n in image.shape)
    lost = (rng.random((rows, columns)) < rng.uniform(0.3, 0.7)).repeat(side, 0).repeat(side, 1)
    return image * (1 - region * lost[: image.shape[0], : image.shape[1]])


def streaks(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Fan of bright and dark lines from a point (photon starvation)."""
    rows, columns = np.indices(image.shape)
    centre = rng.uniform(0.2, 0.8, 2) * image.shape
    angle = np.arctan2(rows - centre[0], columns - centre[1])
    spokes = np.sin(angle * rng.integers(12, 40) + rng.uniform(0, 6.3))
    return image + region * rng.uniform(0.15, 0.4) * spokes


def ghosts(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Displaced copies along the phase direction (motion)."""
    axis = int(rng.integers(2))
    shift = int(rng.integers(6, 24))
    copies = np.roll(image, shift, axis) + np.roll(image, -shift, axis)
    return image * (1 - 0.3 * region) + region * rng.uniform(0.25, 0.5) * copies


def bias(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Strong smooth shading (surface coil, dielectric effect)."""
    gain = rng.choice([rng.uniform(0.2, 0.5), rng.uniform(1.6, 2.4)])
    return image * (1 + region * (gain - 1))


def saturation(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Values driven to the top of the range (receiver overflow, wrong window)."""
    return image * (1 - region) + region * np.clip(image * rng.uniform(3, 8), 0, 1)


def missing_slab(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """No data beyond a line (field of view ends)."""
    return image * (1 - (region > 0.5))


def pixelation(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Coarse voxels (a small acquisition matrix)."""
    side = int(rng.integers(3, 9))
    means = ndimage.uniform_filter(image, side)[side // 2 :: side, side // 2 :: side]
    rows, columns = (
        np.minimum(np.arange(n) // side, m - 1)
        for n, m in zip(image.shape, means.shape, strict=True)
    )
    return image + region * (means[rows][:, columns] - image)


def distortion(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Smooth warp of a few pixels (inhomogeneous field)."""
    sigma = rng.uniform(5, 12)
    warp = ndimage.gaussian_filter(rng.standard_normal((2, *image.shape)), (0, sigma, sigma))
    warp *= region * rng.uniform(3, 9) / np.abs(warp).max()
    return ndimage.map_coordinates(image, np.indices(image.shape) + warp, order=1, mode="nearest")


def transplant(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Tissue from elsewhere (slices out of order, folding)."""
    shift = rng.integers(20, max(21, min(image.shape) // 2), 2) * rng.choice([-1, 1], 2)
    other = np.roll(image, shift, (0, 1))
    if rng.random() < 0.5:
        other = other[::-1] if rng.random() < 0.5 else other[:, ::-1]
    return image + region * (other - image)


def contrast(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Another tone curve, down to inverted contrast (wrong sequence, wrong rescale)."""
    if rng.random() < 0.4:
        other = np.where(image > 0.02, rng.uniform(0.6, 1.0) - 0.8 * image, image)
    else:
        other = image ** rng.choice([rng.uniform(0.25, 0.55), rng.uniform(1.8, 3.0)])
    return image + region * (np.clip(other, 0, 1) - image)


def blur(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """Loss of resolution (motion, partial volume)."""
    return image + region * (ndimage.gaussian_filter(image, rng.uniform(2, 5)) - image)


def metal(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """A void with a bright rim and distortion around it (implant)."""
    depth = region * (2 + rng.uniform(0, 1))
    void = np.clip(depth - 1, 0, 1)
    rim = np.exp(-(((depth - 0.8) / 0.25) ** 2))
    return image * (1 - void) + rim * rng.uniform(0.5, 0.9)


def misregistration(image: np.ndarray, region: np.ndarray, rng: Generator) -> np.ndarray:
    """The region is displaced by several pixels."""
    shift = rng.uniform(4, 10, 2) * rng.choice([-1, 1], 2)
    return image + region * (ndimage.shift(image, shift, order=1, mode="nearest") - image)


TRAINED: dict[str, Corruption] = {
    f.__name__: f
    for f in (
        noise,
        dropout,
        streaks,
        ghosts,
        bias,
        saturation,
        missing_slab,
        pixelation,
        distortion,
        transplant,
        contrast,
    )
}
"""Kinds that the network is trained on."""

UNSEEN: dict[str, Corruption] = {f.__name__: f for f in (blur, metal, misregistration)}
"""Kinds kept from training, to measure whether reliability generalises."""


@dataclass(frozen=True)
class Corrupted:
    """A faulty slice (H, W) float32 in [0, 1] and the boolean (H, W) mask of where it is faulty."""

    image: np.ndarray
    mask: np.ndarray


def random_region(shape: tuple[int, int], rng: Generator, kind: str) -> np.ndarray:
    """A soft region (H, W) in [0, 1]: a half-plane or band for a slab, else a smooth blob."""
    rows, columns = np.indices(shape) / np.max(shape)
    if kind == "missing_slab":
        angle = rng.uniform(0, 2 * np.pi)
        distance = (rows - 0.5) * np.sin(angle) + (columns - 0.5) * np.cos(angle)
        start = rng.uniform(-0.15, 0.2)
        end = start + rng.uniform(0.08, 0.8)
        return ((distance > start) & (distance < end)).astype(np.float32)
    centre = rng.uniform(0.3, 0.7, 2) * np.array(shape) / np.max(shape)
    radii = rng.uniform(0.08, 0.3, 2)
    angle = rng.uniform(0, np.pi)
    u = (rows - centre[0]) * np.cos(angle) + (columns - centre[1]) * np.sin(angle)
    v = (columns - centre[1]) * np.cos(angle) - (rows - centre[0]) * np.sin(angle)
    distance = np.hypot(u / radii[0], v / radii[1])
    return (1 / (1 + np.exp((distance - 1) * rng.uniform(8, 40)))).astype(np.float32)


def corrupt(image: np.ndarray, kind: str, rng: Generator) -> Corrupted:
    """Apply a corruption to a random region.

    Args:
        image: (H, W) float32 in [0, 1].
        kind: a key of :data:`TRAINED` or :data:`UNSEEN`.
        rng: source of randomness.

    Returns:
        The faulty slice, rounded to 8 bits as the training data are, and the mask of the voxels
        around which it differs visibly (by more than 0.03 within two pixels).
    """
    function = TRAINED.get(kind) or UNSEEN[kind]
    region = random_region(image.shape, rng, kind)
    faulty = np.clip(function(image, region, rng), 0, 1)
    faulty = (np.round(faulty * 255) / 255).astype(np.float32)
    mask = ndimage.maximum_filter(np.abs(faulty - image), 5) > 0.03
    return Corrupted(faulty, mask)
