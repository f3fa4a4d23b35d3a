"""Pairs with exact truth: CT and PET simulated from the tissue maps of a real T1.

The templates' own alignment is only good to about a millimetre; here both volumes are made from the
same maps, so whatever error remains is the method's. Brain contrast is real; skull and scalp are
shells at a distance from the brain, since no map of them comes with the T1.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ...volumes.geometry import Geometry
from ...volumes.volume import Volume

SKULL_MM = (3.0, 9.0)
SCALP_MM = 15.0
HU = {"grey": 37.0, "white": 28.0, "fluid": 8.0, "bone": 900.0, "scalp": -20.0, "air": -1000.0}
UPTAKE = {"grey": 4.0, "white": 1.0, "fluid": 0.2, "scalp": 0.4, "bone": 0.2, "air": 0.0}
T1 = {"scalp": 0.9, "bone": 0.08}


class Head:
    """A head to be scanned: tissue shares on the grid of its T1.

    Args:
        t1, grey, white: co-registered SimpleITK images of a stripped brain, of any scale.
    """

    def __init__(self, t1: sitk.Image, grey: sitk.Image, white: sitk.Image) -> None:
        self.grid = t1
        self.t1 = sitk.GetArrayFromImage(t1).astype(np.float32)
        self.t1 /= np.percentile(self.t1[self.t1 > 0], 99.5)
        shares = [sitk.GetArrayFromImage(m).astype(np.float32) for m in (grey, white)]
        top = max(float(s.max()) for s in shares)
        self.shares = {"grey": shares[0] / top, "white": shares[1] / top}
        brain = sitk.Cast(t1 > 0, sitk.sitkUInt8)
        distance = sitk.GetArrayFromImage(
            sitk.SignedMaurerDistanceMap(brain, squaredDistance=False, useImageSpacing=True)
        )
        self.shares["bone"] = _shell(distance, *SKULL_MM)
        self.shares["scalp"] = _shell(distance, SKULL_MM[1], SCALP_MM)
        self.shares["fluid"] = np.clip(
            (distance < SKULL_MM[0]) - self.shares["grey"] - self.shares["white"], 0.0, 1.0
        ).astype(np.float32)
        self.shares["air"] = np.clip(1.0 - sum(self.shares.values()), 0.0, 1.0)

    def mr(self, spacing: tuple[float, float, float], noise: float, rng) -> Volume:
        """T1-weighted MR: the real T1 inside, dark skull and bright scalp around, Rician noise."""
        clean = self.t1 * (1.0 - self.shares["air"])
        clean = np.maximum(clean, sum(T1[name] * self.shares[name] for name in T1))
        sampled = self._sampled(clean, spacing, 0.5 * np.array(spacing))
        real, other = (noise * rng.standard_normal(sampled.array.shape) for _ in range(2))
        return _renamed(sampled, np.hypot(sampled.array + real, other) * 1000, "simulated MR", "MR")

    def ct(self, spacing: tuple[float, float, float], noise: float, rng) -> Volume:
        """CT in HU with Gaussian noise of ``noise`` HU."""
        clean = sum(HU[name] * share for name, share in self.shares.items())
        sampled = self._sampled(clean, spacing, 0.5 * np.array(spacing))
        noisy = sampled.array + noise * rng.standard_normal(sampled.array.shape)
        return _renamed(sampled, np.clip(noisy, -1000, 3000), "simulated CT", "CT")

    def pet(self, spacing: tuple[float, float, float], fwhm: float, counts: float, rng) -> Volume:
        """PET in uptake units: point spread of ``fwhm`` mm, Poisson noise at ``counts`` a unit."""
        clean = sum(UPTAKE[name] * share for name, share in self.shares.items())
        sampled = self._sampled(clean, spacing, np.full(3, fwhm / 2.355))
        noisy = rng.poisson(np.maximum(sampled.array, 0) * counts) / counts
        return _renamed(sampled, noisy, "simulated PET", "PT")

    def _sampled(self, array: np.ndarray, spacing, sigma: np.ndarray) -> Volume:
        image = sitk.GetImageFromArray(array.astype(np.float32))
        image.CopyInformation(self.grid)
        image = sitk.DiscreteGaussian(image, (sigma**2).tolist(), 64, 0.01, True)
        extent = np.array(image.GetSize()) * image.GetSpacing()
        size = np.floor(extent / spacing).astype(int)
        grid = sitk.Image(size.tolist(), sitk.sitkFloat32)
        grid.SetSpacing(list(map(float, spacing)))
        grid.SetDirection(image.GetDirection())
        first = 0.37 * np.array(spacing) / image.GetSpacing()
        grid.SetOrigin(image.TransformContinuousIndexToPhysicalPoint(first.tolist()))
        result = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, float(array.min()))
        geometry = Geometry(
            result.GetSize(), result.GetSpacing(), result.GetOrigin(), result.GetDirection()
        )
        return Volume(sitk.GetArrayFromImage(result), geometry)


def _shell(distance: np.ndarray, inner: float, outer: float) -> np.ndarray:
    """Share of each voxel between two distances from the brain, with a soft millimetre at each."""
    return (np.clip(distance - inner, 0, 1) * np.clip(outer - distance, 0, 1)).astype(np.float32)


def _renamed(volume: Volume, array: np.ndarray, name: str, modality: str) -> Volume:
    return Volume(array.astype(np.float32), volume.geometry, name, modality)


def slab(volume: Volume, first: float, last: float) -> Volume:
    """The part of ``volume`` between two shares of its extent along K: a smaller field of view."""
    count = volume.geometry.size[2]
    low, high = round(first * count), round(last * count)
    origin = volume.geometry.ijk_to_lps @ np.array([0, 0, low, 1.0])
    size = (*volume.geometry.size[:2], high - low)
    geometry = Geometry(size, volume.geometry.spacing, tuple(origin[:3]), volume.geometry.direction)
    return Volume(volume.array[low:high], geometry, volume.name, volume.modality)
