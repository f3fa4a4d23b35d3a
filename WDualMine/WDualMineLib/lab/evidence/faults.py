"""Faults of one volume in a known region, by simple physics, so that suspicion can be taught.

Each takes an image (D, H, W) float32 in [0, 1], a soft region of the same shape in [0, 1], the
slice distance and pixel size in mm and a numpy ``Generator``, and returns the faulty image. The
benchmark of truth uses none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from .appearance import ball, field, grain, somewhere_in

Fault = Callable[[np.ndarray, np.ndarray, float, float, Generator], np.ndarray]

_ENOUGH_SLICES = 6
"""From which on k-space is filled across the slices as well."""


def noise(image, region, distance, pixel, rng):
    """Low dose, low field: white or coarse."""
    width = rng.choice([0.0, rng.uniform(0.4, 1.5)])
    return image + region * rng.uniform(0.07, 0.35) * grain(image.shape, width, rng)


def void(image, region, distance, pixel, rng):
    """No signal: an implant's shadow, a lost block; sometimes with a bright rim."""
    depth = np.clip(region * rng.uniform(1.2, 4), 0, 1)
    result = image * (1 - depth * rng.uniform(0.85, 1.0))
    if rng.random() < 0.3:
        rim = np.exp(-(((region - 0.35) / 0.15) ** 2))
        result = result + rim * rng.uniform(0.3, 0.8) * (image > 0.02)
    return result


def blur(image, region, distance, pixel, rng):
    """Loss of resolution, the same along all axes or along one."""
    sigma = rng.uniform(1.5, 5) / np.array([distance, pixel, pixel])
    if rng.random() < 0.3:
        sigma[rng.integers(3)] = 0
    return image + region * (ndimage.gaussian_filter(image, sigma) - image)


def coarse(image, region, distance, pixel, rng):
    """Large voxels along one or more axes: a small matrix, thick slices."""
    result = image
    axes = [(0,), (1,), (2,), (1, 2)][rng.integers(4)]
    for axis in axes:
        step = distance if axis == 0 else pixel
        side = max(2, round(rng.uniform(3, 12) / step))
        means = ndimage.uniform_filter1d(result, side, axis=axis)
        middle = np.arange(min(side // 2, image.shape[axis] - 1), image.shape[axis], side)
        places = np.minimum(np.arange(image.shape[axis]) // side, len(middle) - 1)
        result = np.take(np.take(means, middle, axis=axis), places, axis=axis)
        if rng.random() < 0.5:
            result = ndimage.gaussian_filter1d(result, side / 3, axis=axis)
    return image + region * (result - image)


def shading(image, region, distance, pixel, rng):
    """A coil that failed, a dielectric void: strong smooth gain."""
    gain = rng.choice([rng.uniform(0.2, 0.65), rng.uniform(1.5, 2.6)])
    # Throughout a volume an even gain is another window, and no fault.
    if region.min() == 1 or rng.random() < 0.3:
        wave = field(image.shape, rng.uniform(30, 110), distance, pixel, rng)
        return image + region * image * (np.exp(rng.uniform(0.3, 0.7) * wave) - 1)
    return image + region * image * (gain - 1)


def ghosts(image, region, distance, pixel, rng):
    """Copies along the phase direction, from lines of k-space that are weaker than the others."""
    axis = _phase_axis(image, rng)
    length = image.shape[axis]
    spectrum = np.fft.fft(image, axis=axis)
    every = int(rng.integers(2, 9))
    lines = np.ones(length)
    lines[int(rng.integers(every)) :: every] -= rng.uniform(0.3, 1.0)
    # The centre of k-space carries the contrast; what is left of it decides how much is ghost.
    centre = np.fft.fftfreq(length)
    lines[np.abs(centre) < rng.uniform(0.0, 0.03)] = 1
    shape = [1, 1, 1]
    shape[axis] = length
    ghosted = np.abs(np.fft.ifft(spectrum * lines.reshape(shape), axis=axis)).astype(np.float32)
    return image + region * (ghosted - image)


def copies(image, region, distance, pixel, rng):
    """Displaced copies laid over the image (pulsation, folding)."""
    axis = int(rng.integers(1, 3))
    shift = max(2, round(rng.uniform(5, 40) / pixel))
    both = np.roll(image, shift, axis) + np.roll(image, -shift, axis)
    return image * (1 - rng.uniform(0, 0.4) * region) + region * rng.uniform(0.15, 0.5) * both


def motion(image, region, distance, pixel, rng):
    """The patient moved while k-space was filled: its parts see displaced and turned images."""
    axis = _phase_axis(image, rng)
    length = image.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = length
    frequency = np.fft.fftfreq(length)
    order = np.argsort(np.argsort(frequency))
    bounds = np.sort(rng.uniform(0.1, 0.9, int(rng.integers(1, 4)))) * length
    part = np.searchsorted(bounds, order)
    spectrum = np.zeros(image.shape, complex)
    for number in range(len(bounds) + 1):
        moved = _moved(image, distance, pixel, rng) if number else image
        chosen = (part == number).reshape(shape)
        spectrum += np.fft.fft(moved, axis=axis) * chosen
    return image + region * (np.abs(np.fft.ifft(spectrum, axis=axis)).astype(np.float32) - image)


def _phase_axis(image: np.ndarray, rng: Generator) -> int:
    """In plane, or across the slices where there are enough of them, as in volume sequences."""
    return int(rng.integers(0 if len(image) >= _ENOUGH_SLICES else 1, 3))


def _moved(image: np.ndarray, distance: float, pixel: float, rng: Generator) -> np.ndarray:
    """Turned in plane by up to 8 degrees and shifted by up to 8 mm, half of the times in space."""
    steps = np.array([distance, pixel, pixel])
    in_space = len(image) > 1 and rng.random() < 0.5
    axes = [(1, 2), (0, 1), (0, 2)][int(rng.integers(3)) if in_space else 0]
    angle = np.deg2rad(rng.uniform(-8, 8))
    turn = np.eye(3)
    turn[np.ix_(axes, axes)] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn = turn * steps / steps[:, None]
    shift = rng.uniform(-8, 8, 3) / steps
    shift[0] *= in_space
    middle = (np.array(image.shape) - 1) / 2
    offset = middle - turn @ middle + shift
    return ndimage.affine_transform(image, turn, offset, order=1, mode="nearest")


def waves(image, region, distance, pixel, rng):
    """A spike in k-space: a regular pattern over everything."""
    frequency = rng.uniform(0.03, 0.35, 2) * rng.choice([-1, 1], 2)
    rows, columns = np.indices(image.shape[1:])
    phase = rng.uniform(0, 6.3) + rng.uniform(-1, 1) * np.arange(image.shape[0])[:, None, None]
    wave = np.cos(2 * np.pi * (frequency[0] * rows + frequency[1] * columns) + phase)
    return image + region * rng.uniform(0.07, 0.35) * wave.astype(np.float32)


def streaks(image, region, distance, pixel, rng):
    """Bright and dark lines from a point: photon starvation, metal."""
    rows, columns = np.indices(image.shape[1:])
    centre = rng.uniform(0.2, 0.8, 2) * image.shape[1:]
    angle = np.arctan2(rows - centre[0], columns - centre[1])
    spokes = np.interp(
        angle,
        np.linspace(-np.pi, np.pi, 73),
        ndimage.gaussian_filter1d(rng.standard_normal(73), 0.7),
    )
    return image + region * rng.uniform(0.15, 0.5) * spokes.astype(np.float32)


def lost_slices(image, region, distance, pixel, rng):
    """A run of slices without data, repeated, noisy, dimmed or in another order."""
    count = len(image)
    if count < 4:
        return void(image, region, distance, pixel, rng)
    run = int(rng.integers(1, max(2, min(count - 2, round(25 / distance)) + 1)))
    # Data on both sides: what is missing at the end was not scanned.
    start = int(rng.integers(1, count - run))
    result = image.copy()
    lost = slice(start, start + run)
    form = rng.integers(5)
    if form <= 1:
        result[lost] *= rng.uniform(0, 0.15) if rng.random() < 0.5 else 0
    elif form == 2:
        result[lost] *= rng.uniform(0.2, 0.6)
    elif form == 3:
        result[lost] = image[start - 1]
    else:
        away = int(rng.integers(3, 3 + max(1, round(30 / distance))))
        result[lost] = image[(np.arange(start, start + run) + away) % count]
    return result


# Displaced tissue, another contrast and saturation are left out: among modalities drawn at random
# they cannot be told from what is sound, and teach a network only to guess.
KINDS: dict[str, Fault] = {
    f.__name__: f
    for f in (
        noise,
        void,
        blur,
        coarse,
        shading,
        ghosts,
        copies,
        motion,
        waves,
        streaks,
        lost_slices,
    )
}

_VISIBLE = 0.025
"""Change of a voxel, or of its surroundings on average, from which on a fault can be seen."""


_THROUGHOUT = 0.2
"""Share of faults that fill the volume."""


@dataclass(frozen=True)
class Faulty:
    """A faulty image and where.

    Attributes:
        image: (D, H, W) float32 in [0, 1].
        visible: bool, where the fault can be seen.
        touched: bool, where it acted at all; what is not visible there proves nothing.
    """

    image: np.ndarray
    visible: np.ndarray
    touched: np.ndarray


def put_fault(
    image: np.ndarray, kind: str, distance: float, pixel: float, rng: Generator
) -> Faulty:
    """A fault in a region of about 7 to 42 mm radius in tissue, or in the whole volume.

    Args:
        image: (D, H, W) float32 in [0, 1].
        kind: of :data:`KINDS`.
        distance, pixel: of the grid in mm.
        rng: source of randomness.
    """
    if kind == "lost_slices" or rng.random() < _THROUGHOUT:
        region = np.ones(image.shape, np.float32)
    else:
        centre = somewhere_in(image > 0.05, rng)
        r = ball(image.shape, 7 * 6 ** rng.random(), distance, pixel, rng, centre)
        region = 1 / (1 + np.exp(np.clip((r - 1) * rng.uniform(6, 60), -30, 30)))
    faulty = np.clip(KINDS[kind](image, region, distance, pixel, rng), 0, 1).astype(np.float32)
    change = np.abs(faulty - image)
    window = np.maximum(1, np.round(np.array([1, 7 / pixel, 7 / pixel]))).astype(int)
    around = ndimage.uniform_filter(change, window)
    visible = (around > _VISIBLE) & (region > 0.3)
    touched = (around > 0.004) | (region > 0.05)
    if kind == "lost_slices":
        touched = np.broadcast_to((change.max((1, 2)) > 0)[:, None, None], image.shape)
        visible = visible & touched
    return Faulty(faulty, visible, touched)
