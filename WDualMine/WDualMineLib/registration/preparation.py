"""Makes volumes of any modality, grid and orientation comparable before they are aligned.

Everything that follows works on *isotropic, orthonormal* grids in patient space: anisotropic
spacing is respected by construction, and a sheared direction matrix (a gantry tilt), whose image
gradients ITK would get wrong, never reaches the optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..volumes.volume import Volume

CT_AIR = -1000.0
CT_RANGE = (-100.0, 1500.0)
PERCENTILES = (0.5, 99.8)
FOREGROUND_SPACING = 4.0
MINIMUM_EXTENT_MM = 20.0
MINIMUM_VOXELS_PER_AXIS = 4


@dataclass(frozen=True)
class Prepared:
    """A volume ready to be aligned.

    Attributes:
        image: float32 in [0, 1] on the volume's own grid, SimpleITK.
        foreground: uint8 mask of the body, holes filled, on an isotropic 4 mm grid.
        centre: LPS mm, the centre of mass of the clipped intensities inside the foreground.
        name: the volume's name, for messages.
        spacing: the volume's largest and smallest spacing, mm.
    """

    image: sitk.Image
    foreground: sitk.Image
    centre: np.ndarray
    name: str
    spacing: tuple[float, float]


def prepare(volume: Volume) -> Prepared:
    """Scale intensities to [0, 1] and find the body.

    CT is clipped to [-100, 1500] HU, so that air and table cushions do not pull the moments;
    anything else to its 0.5 and 99.8 percentiles. NaN and infinities become the lowest value.

    Raises:
        InputError: a colour volume, one too small to be aligned, or one without contrast.
    """
    check_volume(volume)
    array = scaled(volume)
    image = to_image(array, volume)
    coarse = isotropic(image, FOREGROUND_SPACING)
    foreground = body_mask(coarse)
    weights = sitk.GetArrayViewFromImage(coarse) * sitk.GetArrayViewFromImage(foreground)
    if not weights.any():
        raise InputError(
            f"Nothing stands out from the background in {volume.name}",
            "Choose a volume that shows the body",
        )
    centre = np.array([np.sum(weights * axis) for axis in np.indices(weights.shape)])
    index = (centre / weights.sum())[::-1]
    return Prepared(
        image,
        foreground,
        np.array(coarse.TransformContinuousIndexToPhysicalPoint(index.tolist())),
        volume.name,
        (max(volume.geometry.spacing), min(volume.geometry.spacing)),
    )


def check_volume(volume: Volume) -> None:
    """Raise :class:`InputError` for what cannot be aligned, with the reason."""
    if volume.is_colour:
        raise InputError(
            f"{volume.name} is a colour volume", "Give the scalar volume that it was made from"
        )
    extent = np.array(volume.geometry.size) * volume.geometry.spacing
    if min(volume.geometry.size) < MINIMUM_VOXELS_PER_AXIS or extent.min() < MINIMUM_EXTENT_MM:
        size = " x ".join(map(str, volume.geometry.size))
        millimetres = " x ".join(f"{e:.0f}" for e in extent)
        raise InputError(
            f"{volume.name} is too small to be aligned ({size} voxels, {millimetres} mm)",
            f"Give a volume of at least {MINIMUM_VOXELS_PER_AXIS} voxels and "
            f"{MINIMUM_EXTENT_MM:.0f} mm along each axis, or skip registration with 'none'",
        )


def is_hounsfield(volume: Volume, lowest: float) -> bool:
    """Whether intensities look like HU: said to be CT, or unsaid, with air near -1000."""
    return volume.modality in ("CT", "") and lowest <= -500.0


def scaled(volume: Volume) -> np.ndarray:
    """(K, J, I) float32 in [0, 1]; raises :class:`InputError` for a constant volume."""
    array = np.asarray(volume.array, dtype=np.float32)
    finite = np.isfinite(array)
    if not finite.all():
        if not finite.any():
            raise InputError(f"{volume.name} holds no finite value", "Give another volume")
        array = np.where(finite, array, array[finite].min())
    lowest, highest = float(array.min()), float(array.max())
    if is_hounsfield(volume, lowest):
        low, high = CT_RANGE
        high = min(high, highest)
    else:
        low, high = np.percentile(array[:: max(1, array.shape[0] // 64)], PERCENTILES)
        if high <= low:
            low, high = lowest, highest
    if high <= low:
        raise InputError(
            f"{volume.name} is constant (every voxel is {lowest:g})",
            "Choose a volume with an image in it",
        )
    return (np.clip(array, low, high) - low) / np.float32(high - low)


def to_image(array: np.ndarray, volume: Volume) -> sitk.Image:
    """A SimpleITK image of ``array`` on the volume's grid."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetOrigin(volume.geometry.origin)
    image.SetSpacing(volume.geometry.spacing)
    image.SetDirection(volume.geometry.direction)
    return image


def isotropic(image: sitk.Image, spacing: float, smoothing: float | None = None) -> sitk.Image:
    """``image`` on an orthonormal grid of ``spacing`` mm that covers it, smoothed before.

    Args:
        smoothing: standard deviation in mm of the Gaussian; default half of ``spacing``, less what
            the voxels of the image have blurred already along each axis.

    Outside the image the value is its lowest, 0.
    """
    sigma = 0.5 * spacing if smoothing is None else smoothing
    own = np.array(image.GetSpacing())
    sigmas = np.sqrt(np.maximum(sigma**2 - (0.3 * own) ** 2, 0.0))
    if sigmas.max() > 0.2 * own.min():
        image = sitk.DiscreteGaussian(
            image, variance=(sigmas**2).tolist(), maximumKernelWidth=64, useImageSpacing=True
        )
    return sitk.Resample(
        image, isotropic_grid(image, spacing), sitk.Transform(), sitk.sitkLinear, 0.0
    )


def isotropic_grid(image: sitk.Image, spacing: float) -> sitk.Image:
    """An empty uint8 image: the orthonormal grid of ``spacing`` mm that covers ``image``.

    Its axes are the rotation nearest to the image's direction matrix (polar decomposition), so that
    an oblique volume does not waste a box around it.
    """
    direction = np.array(image.GetDirection()).reshape(3, 3)
    left, _, right = np.linalg.svd(direction)
    axes = left @ right
    size = np.array(image.GetSize())
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in size], indexing="ij")).reshape(3, -1).T
    points = np.array([image.TransformContinuousIndexToPhysicalPoint(e.tolist()) for e in ends * 1.0])
    along = points @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    steps = np.maximum(np.round((high - low) / spacing).astype(int), 1)
    start = 0.5 * (low + high - steps * spacing)
    grid = sitk.Image((steps + 1).tolist(), sitk.sitkUInt8)
    grid.SetSpacing([spacing] * 3)
    grid.SetOrigin((axes @ start).tolist())
    grid.SetDirection(axes.ravel().tolist())
    return grid


def body_mask(coarse: sitk.Image) -> sitk.Image:
    """uint8 mask of the largest bright object and what it encloses."""
    smooth = sitk.DiscreteGaussian(coarse, variance=FOREGROUND_SPACING**2)
    low, high = (float(f(sitk.GetArrayViewFromImage(smooth))) for f in (np.min, np.max))
    if high <= low:
        return sitk.Cast(smooth > high, sitk.sitkUInt8)
    threshold = sitk.OtsuThresholdImageFilter()
    threshold.Execute(smooth)
    mask = smooth > low + 0.5 * (threshold.GetThreshold() - low)
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(mask), sortByObjectSize=True)
    return sitk.BinaryFillhole(sitk.Cast(labels == 1, sitk.sitkUInt8))
