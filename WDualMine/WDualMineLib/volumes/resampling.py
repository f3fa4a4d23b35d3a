"""One volume onto the grid of another, through patient space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..errors import InputError
from .geometry import Geometry
from .volume import Volume

# Voxels along each axis at which the overlap is looked up: a fraction of a per cent is enough.
_PROBES = 64


def to_image(volume: Volume) -> sitk.Image:
    """``volume`` as a SimpleITK image (a copy), with the same geometry, shear included."""
    image = sitk.GetImageFromArray(volume.array, isVector=volume.is_colour)
    _place(image, volume.geometry)
    return image


def resample_to(
    moving: Volume,
    fixed_geometry: Geometry,
    transform: sitk.Transform | None = None,
    fill: float | None = None,
) -> Volume:
    """``moving`` by linear interpolation at exactly the voxels of ``fixed_geometry``.

    Args:
        moving: a scalar volume.
        fixed_geometry: the grid wanted.
        transform: from points of the fixed volume to points of the moving one (LPS mm), as
            SimpleITK's registration gives it; None for volumes in one frame of reference.
        fill: value outside the moving volume; None for the least finite value in it.

    Returns:
        float32, on ``fixed_geometry``; ``moving`` itself where there is nothing to do. A voxel
        next to a NaN becomes NaN.

    Raises:
        InputError: the two do not overlap.
    """
    if transform is None and moving.geometry == fixed_geometry:
        return moving
    require_overlap(fixed_geometry, moving, transform)
    if fill is None:
        finite = moving.array[np.isfinite(moving.array)]
        fill = float(finite.min()) if finite.size else 0.0
    image = to_image(moving.with_array(np.asarray(moving.array, dtype=np.float32)))
    sampled = sample(image, fixed_geometry, transform, fill=fill)
    return replace(moving, array=sitk.GetArrayFromImage(sampled), geometry=fixed_geometry)


def sample(
    image: sitk.Image,
    geometry: Geometry,
    transform: sitk.Transform | None = None,
    interpolator: int = sitk.sitkLinear,
    fill: float = 0.0,
) -> sitk.Image:
    """``image`` at the voxels of ``geometry``, with its own pixel type; ``fill`` outside of it."""
    return sitk.Resample(
        image,
        geometry.size,
        transform or sitk.Transform(3, sitk.sitkIdentity),
        interpolator,
        geometry.origin,
        geometry.spacing,
        geometry.direction,
        fill,
        image.GetPixelID(),
    )


def overlap(fixed: Geometry, moving: Geometry, transform: sitk.Transform | None = None) -> float:
    """Part of the fixed grid, 0 to 1, that lies inside the moving grid under ``transform``.

    Looked up at no more than 64 places along each axis of the fixed grid.
    """
    i, j, k = (min(n, _PROBES) for n in fixed.size)
    counts = (i, j, k)
    x, y, z = (s * n / c for s, n, c in zip(fixed.spacing, fixed.size, counts, strict=True))
    first = np.array([0.5 * n / c - 0.5 for n, c in zip(fixed.size, counts, strict=True)])
    origin = fixed.ijk_to_lps[:3, :3] @ first + np.array(fixed.origin)
    probes = Geometry(counts, (x, y, z), tuple(origin.tolist()), fixed.direction)
    inside = sitk.Image(moving.size, sitk.sitkUInt8) + 1
    _place(inside, moving)
    hits = sample(inside, probes, transform, sitk.sitkNearestNeighbor)
    return float(sitk.GetArrayViewFromImage(hits).mean())


def require_overlap(
    fixed_geometry: Geometry, moving: Volume, transform: sitk.Transform | None = None
) -> float:
    """:func:`overlap`, which must be more than nothing.

    Raises:
        InputError: the two do not overlap.
    """
    shared = overlap(fixed_geometry, moving.geometry, transform)
    if shared == 0:
        raise InputError(
            f"{moving.name} does not overlap the fixed volume anywhere in space",
            "Register the two first, or check that they belong to one patient and frame of "
            "reference",
        )
    return shared


def _place(image: sitk.Image, geometry: Geometry) -> None:
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
