"""What sound images look like: tone, resolution, noise, shading, lesions; all of it no fault.

Domain randomisation after Billot et al., "SynthSeg", Medical Image Analysis 2023: the appearance is
drawn far more widely than scanners vary, so that a network has to look at what makes a fault.
Images are (D, H, W) float32 in [0, 1], a slice distance and a pixel size in mm go with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import ndimage

AIR = 0.02
"""Below it a voxel shows nothing."""


def tone(image: np.ndarray, rng: Generator) -> np.ndarray:
    """Another contrast: a smooth curve of the intensity, often not monotone; 0 stays 0."""
    nodes = int(rng.integers(3, 7))
    levels = np.linspace(0, 1, nodes + 1)
    if rng.random() < 0.4:
        values = np.cumsum(rng.uniform(0.2, 1, nodes + 1))
        values = (values - values[0]) / (values[-1] - values[0])
    else:
        values = rng.uniform(0.05, 1, nodes + 1)
        values /= values.max()
    values[0] = 0
    fine = np.linspace(0, 1, 256)
    curve = ndimage.gaussian_filter1d(np.interp(fine, levels, values), 8, mode="nearest")
    curve *= np.minimum(fine / 0.03, 1)
    return np.interp(image, fine, curve).astype(np.float32)


def soften(image: np.ndarray, fwhm_mm: float, distance: float, pixel: float) -> np.ndarray:
    """Resolution of a scanner: a Gaussian point spread of this full width at half maximum."""
    sigma = fwhm_mm / 2.355
    return ndimage.gaussian_filter(image, (sigma / distance, sigma / pixel, sigma / pixel))


def grain(shape: tuple[int, ...], width: float, rng: Generator) -> np.ndarray:
    """Unit noise, smoothed in plane by a Gaussian of so many pixels."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if width > 0.2:
        noise = ndimage.gaussian_filter(noise, (width / 3, width, width))
        noise /= noise.std() + 1e-6
    return noise


def add_noise(image: np.ndarray, strength: float, width: float, rng: Generator) -> np.ndarray:
    """Noise of the whole image: even, growing with the signal (counts), or Rician (magnitudes)."""
    noise = strength * grain(image.shape, width, rng)
    form = rng.integers(3)
    if form == 0:
        return image + noise * (image > AIR)
    if form == 1:
        return image + noise * np.sqrt(np.maximum(image, 0))
    return np.hypot(image + noise, strength * grain(image.shape, width, rng)) - strength * 0.5


def field(shape: tuple[int, ...], smooth_mm: float, distance: float, pixel: float, rng: Generator):
    """A smooth random field, standardised, with structure of about so many mm."""
    extent = np.array([shape[0] * distance, shape[1] * pixel, shape[2] * pixel])
    coarse = np.maximum(2, np.ceil(extent / smooth_mm).astype(int) + 1)
    # Interpolating and smoothing are separable: a matrix an axis does both, and costs little.
    values = rng.standard_normal(coarse).astype(np.float32)
    for axis, (c, n, step) in enumerate(zip(coarse, shape, (distance, pixel, pixel), strict=True)):
        places = np.linspace(0, c - 1, n)[:, None]
        hats = np.maximum(0, 1 - np.abs(places - np.arange(c)))
        hats = ndimage.gaussian_filter1d(hats, 0.25 * smooth_mm / step, axis=0)
        values = np.moveaxis(np.tensordot(hats.astype(np.float32), values, (1, axis)), 0, axis)
    return (values - values.mean()) / (values.std() + 1e-6)


def shade(image: np.ndarray, distance: float, pixel: float, rng: Generator) -> np.ndarray:
    """Shading of coils, within reason: smooth over the whole head, up to 25 %."""
    gain = 1 + rng.uniform(0.02, 0.12) * field(
        image.shape, rng.uniform(90, 200), distance, pixel, rng
    )
    return image * np.clip(gain, 0.7, 1.3)


def ball(
    shape: tuple[int, ...],
    radius_mm: float,
    distance: float,
    pixel: float,
    rng: Generator,
    centre: np.ndarray | None = None,
) -> np.ndarray:
    """Distance from the middle of an uneven ellipsoid, 1 at its surface (D, H, W)."""
    if centre is None:
        centre = rng.uniform(0.1, 0.9, 3)
    radii = radius_mm * rng.uniform(0.6, 1.5, 3)
    axes = [
        (np.arange(n) - c * (n - 1)) * step
        for n, c, step in zip(shape, centre, (distance, pixel, pixel), strict=True)
    ]
    angle = rng.uniform(0, np.pi)
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    u, v = y * np.cos(angle) - x * np.sin(angle), y * np.sin(angle) + x * np.cos(angle)
    r = np.sqrt((z / radii[0]) ** 2 + (u / radii[1]) ** 2 + (v / radii[2]) ** 2)
    if rng.random() < 0.6:
        r = r * (1 + rng.uniform(0.05, 0.25) * field(shape, radius_mm, distance, pixel, rng))
    return r.astype(np.float32)


def somewhere_in(tissue: np.ndarray, rng: Generator) -> np.ndarray:
    """A random place in the mask, as shares of the sides."""
    inside = np.flatnonzero(tissue)
    if inside.size == 0:
        return rng.uniform(0.3, 0.7, 3)
    place = np.unravel_index(inside[rng.integers(inside.size)], tissue.shape)
    return np.array(place) / np.maximum(np.array(tissue.shape) - 1, 1)


def add_lesions(images: list[np.ndarray], distance: float, pixel: float, rng: Generator) -> None:
    """Lesions in one or both images, in place: cold, hot, necrotic, large, with their texture."""
    tissue = np.maximum(*images) > 0.1
    for _ in range(int(rng.integers(1, 4))):
        radius = rng.choice([rng.uniform(3, 10), rng.uniform(8, 35)])
        r = ball(tissue.shape, radius, distance, pixel, rng, somewhere_in(tissue, rng))
        edge = rng.uniform(0.04, 0.4)
        inside = 1 / (1 + np.exp(np.clip((r - 1) / edge * 4, -30, 30)))
        inside *= ndimage.gaussian_filter(tissue.astype(np.float32), 1)
        core = 1 / (1 + np.exp(np.clip((r - rng.uniform(0.4, 0.8)) / edge * 4, -30, 30)))
        necrotic = rng.random() < 0.3
        shown = rng.integers(1, 4)  # 1: first, 2: second, 3: both
        for index, image in enumerate(images):
            if not shown >> index & 1:
                continue
            level = rng.uniform(0.1, 1.0) if rng.random() < 0.6 else rng.uniform(0.7, 1.0)
            texture = rng.uniform(0, 0.12) * field(
                image.shape, rng.uniform(4, 20), distance, pixel, rng
            )
            share = inside * rng.uniform(0.4, 1.0)
            values = level * (1 + texture)
            if necrotic:
                values = values + core * (rng.uniform(0.0, 0.5) - level)
            # Part of the anatomy shines through, as fat or muscle strands in a tumour do.
            image += share * (values - image)
            np.clip(image, 0, 1, out=image)


def cut_field_of_view(image: np.ndarray, rng: Generator) -> np.ndarray:
    """No data beyond a plane or outside a cylinder: the scanner saw no more. That is no fault."""
    d, h, w = image.shape
    axes = np.meshgrid(
        *(np.linspace(-1, 1, max(n, 2))[:n] for n in (d, h, w)), indexing="ij", sparse=True
    )
    form = rng.random()
    if form < 0.3:
        seen = np.hypot(axes[1], axes[2]) < rng.uniform(0.6, 1.1)
    else:
        axis = rng.integers(3)
        seen = axes[axis] * rng.choice([-1, 1]) < rng.uniform(-0.3, 0.9)
    return image * np.broadcast_to(seen, image.shape)


@dataclass(frozen=True)
class Odds:
    """How often a stack shows what scanners, windows and patients do to an anatomy.

    Attributes:
        as_it_is: two aligned images are shown as they are; where there is one, the others hold.
        from_one: both images are made from one of two.
        toned: another contrast, of each.
        lesions: of the pair.
        softened: worse resolution, of each that is not emission.
        shaded, noisy, cut, saturated: of each.
    """

    as_it_is: bool
    from_one: float
    toned: float
    lesions: float
    softened: float
    shaded: float
    noisy: float
    cut: float
    saturated: float


VARIED = Odds(False, 0.25, 0.35, 0.45, 0.5, 0.4, 0.75, 0.12, 0.15)
"""Far more widely than patients vary."""

PLAIN = Odds(True, 0.25, 0.35, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0)
"""Patients as they are: what is drawn at random is stranger, and less can be found in it."""

_EMISSION = 0.45


def sound(
    images: list[np.ndarray], distance: float, pixel: float, rng: Generator, odds: Odds = VARIED
) -> tuple[np.ndarray, np.ndarray]:
    """Two aligned images as two scanners may show one anatomy.

    Args:
        images: one or two (D, H, W) in [0, 1]; both results are made from one where there is one.
        distance, pixel: of the grid in mm.
        rng: source of randomness.
        odds: of all that happens to them.
    """
    if odds.as_it_is and len(images) == 2:
        pair = [np.clip(x, 0, 1).astype(np.float32) for x in images]
        return (pair[0], pair[1]) if rng.random() < 0.5 else (pair[1], pair[0])
    pair = _contrasts(images, odds, rng)
    if rng.random() < odds.lesions:
        add_lesions(pair, distance, pixel, rng)
    emission = rng.random() < _EMISSION
    result = [
        _scanned(x, emission and number == 1, odds, distance, pixel, rng)
        for number, x in enumerate(pair)
    ]
    if rng.random() < 0.02:
        result[1] = result[0].copy()
    if rng.random() < 0.5:
        result.reverse()
    return result[0], result[1]


def _contrasts(images: list[np.ndarray], odds: Odds, rng: Generator) -> list[np.ndarray]:
    """Two contrasts of one anatomy."""
    if len(images) == 1 or rng.random() < odds.from_one:
        base = images[rng.integers(len(images))]
        pair = [tone(base, rng), tone(base, rng) if rng.random() < 0.8 else base.copy()]
    else:
        pair = [tone(x, rng) if rng.random() < odds.toned else x.astype(np.float32) for x in images]
    return [np.ascontiguousarray(x) for x in pair[:: int(rng.choice([-1, 1]))]]


def _scanned(
    image: np.ndarray,
    emission: bool,
    odds: Odds,
    distance: float,
    pixel: float,
    rng: Generator,
) -> np.ndarray:
    """What one scanner makes of an image, in [0, 1]."""
    if emission:
        image = soften(image, rng.uniform(4, 14), distance, pixel)
    elif rng.random() < odds.softened:
        image = soften(image, rng.uniform(1, 4.5), distance, pixel)
    if rng.random() < odds.shaded:
        image = shade(image, distance, pixel, rng)
    if rng.random() < odds.noisy:
        # Noise that the eye takes for granted; that of the moving volume was resampled.
        strength = 10 ** rng.uniform(-2.5, -1.15)
        image = add_noise(image, strength, rng.choice([0.0, rng.uniform(0.4, 2.5)]), rng)
    if rng.random() < odds.cut:
        image = cut_field_of_view(image, rng)
    if rng.random() < odds.saturated:
        image = image * rng.uniform(1.0, 1.6)
    return np.clip(image, 0, 1).astype(np.float32)
