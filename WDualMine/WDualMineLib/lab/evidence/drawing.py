"""Draws a crop of an anatomy: any axis, zoom, slice distance and pixel size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from .anatomies import Anatomy

FIELD_MM = 128
"""Side of a crop in plane."""

_PIXELS_MM = (1.0, 1.0, 1.0, 1.0, 1.33, 2.0, 2.0, 4.0)
"""Pixel sizes of the grid that the two volumes share; each as often as it stands here."""

_ENOUGH_TISSUE = 0.1
_TRIES = 8


class Crop(NamedTuple):
    """Aligned images (D, H, W) in [0, 1] on one grid, with its distances in mm."""

    images: list[np.ndarray]
    distance: float
    pixel: float


def draw_crop(anatomy: Anatomy, slices: int, rng: Generator) -> Crop:
    """A random crop that holds tissue, windowed at random.

    Args:
        anatomy: what to draw from.
        slices: D.
        rng: source of randomness.

    Returns:
        Images of FIELD_MM / pixel pixels a side.
    """
    windows = [_window(x, kind, rng) for x, kind in zip(anatomy.images, anatomy.kinds, strict=True)]
    for _ in range(_TRIES):
        crop = _cut(anatomy, windows, slices, rng)
        if np.mean(np.maximum.reduce(crop.images) > 0.05) > _ENOUGH_TISSUE:
            break
    return crop


def windowed(anatomy: Anatomy, rng: Generator) -> list[np.ndarray]:
    """The images of an anatomy in [0, 1], by windows at random."""
    return [
        _through(x, _window(x, kind, rng))
        for x, kind in zip(anatomy.images, anatomy.kinds, strict=True)
    ]


def _through(image: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    low, high = window
    return np.clip((image - low) / np.float32(max(high - low, 1e-6)), 0, 1)


def _window(image: np.ndarray, kind: str, rng: Generator) -> tuple[float, float]:
    """Lowest and highest value that a user could choose for the volume; some saturate."""
    if kind == "8-bit":
        return 0.0, 1.0
    if kind == "CT":
        low, high = _CT_WINDOWS[rng.integers(len(_CT_WINDOWS))]
        width = (high - low) * rng.uniform(0.7, 1.5)
        low += rng.uniform(-0.1, 0.1) * width
        return low, low + width
    sample = image.reshape(-1)[:: max(1, image.size // 100000)]
    if kind == "PET":
        return 0.0, rng.choice([rng.uniform(2.5, 15), sample.max() * rng.uniform(0.4, 1.0)])
    sample = sample[sample > sample.max() * 0.02]
    low, high = (np.quantile(sample, q) for q in (0.0, rng.uniform(0.95, 1.0)))
    return low * rng.uniform(0, 1), high


_CT_WINDOWS = ((0, 80), (-160, 240), (-160, 240), (-450, 1050), (-100, 900), (-20, 120))


def _cut(anatomy: Anatomy, windows: list[tuple[float, float]], slices: int, rng: Generator) -> Crop:
    pixel = float(_PIXELS_MM[rng.integers(len(_PIXELS_MM))])
    side = round(FIELD_MM / pixel)
    native = np.array(anatomy.spacing)
    # Mostly along the slices' own axis; else another one, as reformatted volumes are.
    axes = [0, 1, 2] if rng.random() < 0.6 else list(rng.permutation(3))
    zoom = rng.uniform(0.65, 1.5)
    distance = float(rng.choice([rng.uniform(1.5, 3), rng.uniform(2, 6)]))
    if axes[0] == 0 and native[0] >= 3 and rng.random() < 0.6:
        distance = float(native[0] * zoom)
    steps = np.array([distance, pixel, pixel]) / zoom / native[axes]
    angle = rng.uniform(-0.5, 0.5) if rng.random() < 0.7 else 0.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.zeros((3, 3))
    matrix[axes[0], 0] = steps[0]
    for row, axis in enumerate(axes[1:]):
        matrix[axis, 1:] = turn[row] * steps[1 + row] * rng.choice([-1, 1])
    size = np.array([slices, side, side])
    shape = np.array(anatomy.images[0].shape)
    centre = shape * rng.uniform(0.2, 0.8, 3)
    # A volume with few slices is taken whole rather than mostly outside of it.
    reach = np.abs(matrix) @ ((size - 1) / 2)
    centre = np.where(2 * reach >= shape, (shape - 1) / 2, np.clip(centre, reach, shape - reach))
    offset = centre - matrix @ ((size - 1) / 2)
    mode = "nearest" if rng.random() < 0.1 else "constant"
    cut = []
    for image, window in zip(anatomy.images, windows, strict=True):
        values = ndimage.affine_transform(
            image,
            matrix,
            offset,
            output_shape=tuple(size),
            order=1,
            mode=mode,
            cval=window[0],
            prefilter=False,
        )
        cut.append(_through(values, window).astype(np.float32))
    return Crop(cut, distance, pixel)
