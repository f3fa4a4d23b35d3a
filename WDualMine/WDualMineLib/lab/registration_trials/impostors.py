"""Volumes that must not pass: another patient, mirrored, cut up, shuffled, or no patient at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from ...registration.grids import isotropic, to_image
from ...registration.preparation import prepare
from ...volumes.volume import Volume

BLOCKS = 4
FIELD_SPACING = 6.0
NOISE_SIGMA_VOXELS = 3.0


def mirrored(volume: Volume, rng: np.random.Generator) -> Volume:
    """The array flipped along its first index, the header left as it was."""
    return volume.with_array(volume.array[:, :, ::-1].copy(), f"mirrored {volume.name}")


def scrambled(volume: Volume, rng: np.random.Generator) -> Volume:
    """4 x 4 x 4 blocks in another order."""
    sides = [n // BLOCKS for n in volume.array.shape]
    array = volume.array.copy()
    part = array[tuple(slice(0, s * BLOCKS) for s in sides)]
    split = [x for side in sides for x in (BLOCKS, side)]
    blocks = part.reshape(split).transpose(0, 2, 4, 1, 3, 5).reshape(BLOCKS**3, *sides)
    blocks = blocks[rng.permutation(BLOCKS**3)].reshape(*(3 * [BLOCKS]), *sides)
    part[:] = blocks.transpose(0, 3, 1, 4, 2, 5).reshape(part.shape)
    return volume.with_array(array, f"scrambled {volume.name}")


def shuffled(volume: Volume, rng: np.random.Generator) -> Volume:
    """Slices in another order, as sorting by the wrong tag leaves them."""
    order = rng.permutation(len(volume.array))
    return volume.with_array(volume.array[order], f"shuffled {volume.name}")


def noise(volume: Volume, rng: np.random.Generator) -> Volume:
    """Smoothed noise on the same grid."""
    image = sitk.GetImageFromArray(rng.standard_normal(volume.array.shape).astype(np.float32))
    image = sitk.DiscreteGaussian(image, NOISE_SIGMA_VOXELS**2)
    return volume.with_array(sitk.GetArrayFromImage(image), "noise")


def another_patient(
    volume: Volume,
    rng: np.random.Generator,
    amplitude_mm: float = 5.0,
    reach_mm: float = 35.0,
    stretch: float = 0.06,
) -> Volume:
    """The volume deformed into another person's: smoothly by ``amplitude_mm`` and in its size.

    Args:
        amplitude_mm: standard deviation of the displacement along each axis.
        reach_mm: standard deviation of the Gaussian that smooths it.
        stretch: each axis changes by up to this part.
    """
    image = to_image(np.asarray(volume.array, np.float32), volume.geometry)
    grid = isotropic(image, FIELD_SPACING)
    components = []
    for _ in range(3):
        field = sitk.GetImageFromArray(rng.standard_normal(grid.GetSize()[::-1]).astype(np.float32))
        field.CopyInformation(grid)
        smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(field, reach_mm))
        components.append(smooth * (amplitude_mm / smooth.std()))
    displacement = sitk.GetImageFromArray(np.stack(components, -1).astype(np.float64), True)
    displacement.CopyInformation(grid)
    size = sitk.ScaleTransform(3, (1 + rng.uniform(-stretch, stretch, 3)).tolist())
    size.SetCenter(prepare(volume).centre.tolist())
    bend = sitk.DisplacementFieldTransform(sitk.Cast(displacement, sitk.sitkVectorFloat64))
    transform = sitk.CompositeTransform([bend, size])
    lowest = float(volume.array.min())
    bent = sitk.Resample(image, image, transform, sitk.sitkLinear, lowest)
    return volume.with_array(sitk.GetArrayFromImage(bent), f"another patient's {volume.name}")


IMPOSTORS: dict[str, Callable[[Volume, np.random.Generator], Volume]] = {
    "mirrored": mirrored,
    "scrambled": scrambled,
    "shuffled": shuffled,
    "noise": noise,
    "another patient": another_patient,
}
