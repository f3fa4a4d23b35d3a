"""An FDG-PET of the brain, simulated from tissue maps because no package carries a real one."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..volumes.geometry import Geometry
from ..volumes.volume import Volume

# Grey to white matter 4:1 as in the Hoffman brain phantom (Hoffman et al. 1990); the level is that
# of cortex in SUV about an hour after injection.
GREY_MATTER_SUV = 8.0
WHITE_MATTER_SUV = 2.0
POINT_SPREAD_FWHM_MM = 6.0
VOXEL_MM = 2.0
COUNTS_PER_SUV = 50.0

_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


def simulate_fdg_pet(grey_matter: Volume, white_matter: Volume, seed: int = 0) -> Volume:
    """What a scanner of 6 mm resolution would see of the two tissues.

    Uptake from the maps, blurred by a Gaussian point spread of 6 mm FWHM, sampled at 2 mm, with
    Poisson noise of 50 expected counts a voxel and SUV (5 % in cortex). Attenuation, scatter and
    reconstruction are not modelled.

    Args:
        grey_matter: fraction map, 0 to 255 for 0 to 1, shape (K, J, I).
        white_matter: the same on the same grid.
        seed: of the noise; equal seeds give equal volumes.

    Returns:
        SUV, float32, modality "PT", at 2 mm over the maps' field of view; its name says that it is
        simulated.
    """
    uptake = (GREY_MATTER_SUV * grey_matter.array + WHITE_MATTER_SUV * white_matter.array).astype(
        np.float32
    ) / 255.0
    fine = grey_matter.geometry
    image = sitk.GetImageFromArray(uptake)
    image.SetSpacing(fine.spacing)
    image.SetOrigin(fine.origin)
    image.SetDirection(fine.direction)
    blurred = sitk.SmoothingRecursiveGaussian(image, POINT_SPREAD_FWHM_MM / _FWHM_PER_SIGMA)
    coarse = _resampled_grid(fine, VOXEL_MM)
    sampled = sitk.Resample(
        blurred, coarse.size, sitk.Transform(), sitk.sitkLinear,
        coarse.origin, coarse.spacing, coarse.direction, 0.0,
    )  # fmt: skip
    expected = np.maximum(sitk.GetArrayFromImage(sampled), 0.0) * COUNTS_PER_SUV
    counts = np.random.default_rng(seed).poisson(expected)
    return Volume(
        (counts / COUNTS_PER_SUV).astype(np.float32),
        coarse,
        "Simulated FDG-PET",
        "PT",
        {
            "source": "SIMULATED from tissue maps, not a measurement",
            "units": "SUV",
            "seed": seed,
            "point_spread_fwhm_mm": POINT_SPREAD_FWHM_MM,
        },
    )


def _resampled_grid(geometry: Geometry, spacing: float) -> Geometry:
    """A grid of cubic voxels of ``spacing`` mm over the same field of view."""
    i, j, k = (
        max(1, round(n * s / spacing)) for n, s in zip(geometry.size, geometry.spacing, strict=True)
    )
    # Keep the outer corner where it was: half a voxel before the first centre on either grid.
    shift = geometry.direction_matrix @ ((spacing - np.array(geometry.spacing)) / 2.0)
    origin = tuple((np.array(geometry.origin) + shift).tolist())
    return Geometry((i, j, k), (spacing,) * 3, origin, geometry.direction)
