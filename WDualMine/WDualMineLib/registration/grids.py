"""Images and isotropic grids in patient space."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..volumes.geometry import Geometry

SMOOTHING = 0.5
BOX_SIGMA = 0.29  # standard deviation of a box of width 1: what averaging voxels blurs already


def to_image(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """A SimpleITK image of ``array`` (K, J, I) on ``geometry``."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetOrigin(geometry.origin)
    image.SetSpacing(geometry.spacing)
    image.SetDirection(geometry.direction)
    return image


def index_to_lps(image: sitk.Image) -> np.ndarray:
    """4x4 matrix from voxel indices (i, j, k, 1) to LPS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def isotropic(image: sitk.Image, spacing: float) -> sitk.Image:
    """``image`` on an orthonormal grid of ``spacing`` mm that covers it; 0 outside.

    It is averaged over blocks of voxels, then smoothed, so that its blur along each axis comes to
    that of a Gaussian of half of ``spacing``: physical units, whatever the voxels' shape.
    """
    factors = [max(1, round(spacing / s)) for s in image.GetSpacing()]
    factors = [min(f, n) for f, n in zip(factors, image.GetSize(), strict=True)]
    if max(factors) > 1:
        image = sitk.BinShrink(image, factors)
    blurred = BOX_SIGMA * np.array(image.GetSpacing())
    variance = np.maximum((SMOOTHING * spacing) ** 2 - blurred**2, 0.0)
    image = sitk.DiscreteGaussian(image, variance.tolist(), 32, 0.01, True)
    return sitk.Resample(
        image, isotropic_grid(image, spacing), sitk.Transform(), sitk.sitkLinear, 0.0
    )


def isotropic_grid(image: sitk.Image, spacing: float) -> sitk.Image:
    """An empty uint8 image: the orthonormal grid of ``spacing`` mm that covers ``image``.

    Its axes are the rotation nearest to the image's direction matrix (polar decomposition), so that
    an oblique volume does not waste a box around it.
    """
    left, _, right = np.linalg.svd(np.array(image.GetDirection()).reshape(3, 3))
    axes = left @ right
    matrix = index_to_lps(image)
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in image.GetSize()], indexing="ij"))
    points = ends.reshape(3, -1).T @ matrix[:3, :3].T + matrix[:3, 3]
    along = points @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    steps = np.maximum(np.round((high - low) / spacing).astype(int), 1)
    start = 0.5 * (low + high - steps * spacing)
    grid = sitk.Image((steps + 1).tolist(), sitk.sitkUInt8)
    grid.SetSpacing([spacing] * 3)
    grid.SetOrigin((axes @ start).tolist())
    grid.SetDirection(axes.ravel().tolist())
    return grid
