"""Makes volumes of any modality, grid and orientation comparable before they are aligned.

Everything that follows works on *isotropic, orthonormal* grids in patient space: anisotropic
spacing is respected by construction, and a sheared direction matrix (a gantry tilt), whose image
gradients ITK would get wrong, never reaches the optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from ..volumes.volume import Volume
from .grids import index_to_lps, isotropic, to_image

CT_RANGE = (-1000.0, 400.0)
"""In HU. What other modalities show lies between fat and soft tissue: bone needs no range."""

CT_BODY = -150.0
HOUNSFIELD_AIR = -500.0
PERCENTILES = (0.5, 99.8)
PERCENTILE_VOXELS = 500_000
BODY_SPACING = 4.0
DOMAIN_MM = 20.0
NO_DATA = -1e4
"""So far below the range of intensities [0, 1] that interpolating next to it gives less than 0."""

MINIMUM_EXTENT_MM = 20.0
MINIMUM_VOXELS_PER_AXIS = 4


@dataclass(frozen=True)
class Prepared:
    """A volume ready to be aligned.

    Attributes:
        image: float32 in [0, 1] on the volume's own grid, SimpleITK.
        body: uint8 mask of the body, holes filled, on an isotropic grid of 4 mm (less if small).
        centre: (3,) LPS mm, the centre of mass of the scaled intensities inside the body.
        name: the volume's name, for messages.
    """

    image: sitk.Image
    body: sitk.Image
    centre: np.ndarray
    name: str
    _levels: dict[float, sitk.Image] = field(default_factory=dict)
    _domains: dict[float, sitk.Image] = field(default_factory=dict)

    def level(self, spacing: float) -> sitk.Image:
        """The image on an isotropic grid of ``spacing`` mm; made once."""
        if spacing not in self._levels:
            self._levels[spacing] = isotropic(self.image, spacing)
        return self._levels[spacing]

    def domain(self, spacing: float) -> sitk.Image:
        """:meth:`level`, with ``NO_DATA`` further than 20 mm from the body; made once.

        There is air, or the padding that resampling leaves. A pose that puts the other volume's
        body there explains nothing, and should count as one without overlap.
        """
        if spacing not in self._domains:
            image = self.level(spacing)
            near = sitk.Resample(self._near(), image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
            self._domains[spacing] = sitk.Mask(image, near, NO_DATA)
        return self._domains[spacing]

    def _near(self) -> sitk.Image:
        """uint8 mask on the grid of the body: what is within 20 mm of it."""
        distance = sitk.SignedMaurerDistanceMap(self.body, False, False, True)
        return sitk.Cast(distance <= DOMAIN_MM, sitk.sitkUInt8)

    @property
    def view_centre(self) -> np.ndarray:
        """(3,) LPS mm: the centre of the field of view."""
        middle = [(n - 1) / 2 for n in self.image.GetSize()]
        return np.array(self.image.TransformContinuousIndexToPhysicalPoint(middle))

    @property
    def body_points(self) -> np.ndarray:
        """(N, 3) LPS mm: the centres of the voxels of ``body``."""
        k, j, i = np.nonzero(sitk.GetArrayViewFromImage(self.body))
        index = np.stack([i, j, k]).astype(np.float64)
        matrix = index_to_lps(self.body)
        return (matrix[:3, :3] @ index + matrix[:3, 3:]).T

    @property
    def body_size_mm(self) -> float:
        """The cube root of the body's volume: how large a thing is being looked at."""
        voxels = int(np.count_nonzero(sitk.GetArrayViewFromImage(self.body)))
        return float((voxels * np.prod(self.body.GetSpacing())) ** (1 / 3))


def prepare(volume: Volume) -> Prepared:
    """Scale intensities to [0, 1] and find the body.

    CT is clipped to [-1000, 400] HU and its body is what exceeds -150 HU, so that neither metal
    nor table nor cushions count. Anything else is clipped to its 0.5 and 99.8 percentiles, and its
    body found by Otsu's threshold. NaN and infinities become the lowest value.

    Raises:
        InputError: a colour volume, one too small to be aligned, or one without contrast.
    """
    check_volume(volume)
    array, threshold = scaled(volume)
    image = to_image(array, volume.geometry)
    extent = np.array(volume.geometry.size) * volume.geometry.spacing
    coarse = isotropic(image, min(BODY_SPACING, float(extent.min()) / 8))
    body = body_mask(coarse, threshold)
    weights = sitk.GetArrayViewFromImage(coarse) * sitk.GetArrayViewFromImage(body)
    if not weights.any():
        raise InputError(
            f"Nothing stands out from the background in {volume.name}",
            "Choose a volume that shows the body",
        )
    centre = np.array([np.sum(weights * axis) for axis in np.indices(weights.shape)])
    index = (centre / weights.sum())[::-1]
    return Prepared(
        image,
        body,
        np.array(coarse.TransformContinuousIndexToPhysicalPoint(index.tolist())),
        volume.name,
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
            f"{MINIMUM_EXTENT_MM:.0f} mm along each axis, or do without registration",
        )


def scaled(volume: Volume) -> tuple[np.ndarray, float | None]:
    """(K, J, I) float32 in [0, 1], and the body's threshold there where the units tell it.

    Raises:
        InputError: no finite value, or all the same.
    """
    array = np.asarray(volume.array, dtype=np.float32)
    finite = np.isfinite(array)
    if not finite.all():
        if not finite.any():
            raise InputError(f"{volume.name} holds no finite value", "Give another volume")
        array = np.where(finite, array, array[finite].min())
    lowest, highest = float(array.min()), float(array.max())
    threshold = None
    if volume.modality in ("CT", "") and lowest <= HOUNSFIELD_AIR:
        low, high = max(CT_RANGE[0], lowest), min(CT_RANGE[1], highest)
        threshold = (CT_BODY - low) / (high - low) if high > CT_BODY else None
    else:
        step = max(1, array.size // PERCENTILE_VOXELS)
        low, high = (float(p) for p in np.percentile(array.ravel()[::step], PERCENTILES))
        if high <= low:
            low, high = lowest, highest
    if high <= low:
        raise InputError(
            f"{volume.name} is constant (every voxel is {lowest:g})",
            "Choose a volume with an image in it",
        )
    return (np.clip(array, low, high) - low) / (high - low), threshold


def body_mask(coarse: sitk.Image, threshold: float | None = None) -> sitk.Image:
    """uint8 mask of the largest object above ``threshold`` and what it encloses.

    Without a threshold, half of Otsu's: fat and skin are much darker than bone or tumour, but not
    than air.
    """
    smooth = sitk.DiscreteGaussian(coarse, variance=coarse.GetSpacing()[0] ** 2)
    if threshold is None:
        low = float(sitk.GetArrayViewFromImage(smooth).min())
        otsu = sitk.OtsuThresholdImageFilter()
        otsu.Execute(smooth)
        threshold = low + 0.5 * (otsu.GetThreshold() - low)
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(smooth > threshold), True)
    return sitk.BinaryFillhole(sitk.Cast(labels == 1, sitk.sitkUInt8))
