"""Multi-resolution refinement by Mattes mutual information, in physical space (SimpleITK)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from .background import Job
from .metric import near_body
from .preparation import Prepared, isotropic
from .transforms import affine_transform, matrix_of, rigid_transform


@dataclass(frozen=True)
class Level:
    """One resolution: grid in mm, share of its points used, histogram bins, longest step in mm."""

    spacing: float
    points: int
    bins: int
    step: float
    iterations: int


LEVELS = (
    Level(4.0, 30000, 32, 2.0, 60),
    Level(2.0, 60000, 50, 0.5, 60),
)


def refine(
    fixed: Prepared,
    moving: Prepared,
    start: np.ndarray,
    job: Job,
    levels: tuple[Level, ...] = LEVELS,
    kind: str = "rigid",
    seed: int = 0,
    threads: int = 1,
) -> np.ndarray:
    """The 4x4 matrix from fixed to moving points at which mutual information peaks near ``start``."""
    make = rigid_transform if kind == "rigid" else affine_transform
    matrix = start
    for level in levels:
        job.check()
        transform = make(matrix, fixed.centre)
        method = sitk.ImageRegistrationMethod()
        fixed_image = isotropic(fixed.image, level.spacing)
        mask = near_body(fixed_image, fixed.foreground, 8.0)
        inside = int(sitk.GetArrayViewFromImage(mask).sum())
        method.SetMetricAsMattesMutualInformation(level.bins)
        method.SetMetricFixedMask(mask)
        if inside > level.points:
            method.SetMetricSamplingStrategy(method.RANDOM)
            method.SetMetricSamplingPercentage(level.points / inside, seed + 1)
        method.MetricUseFixedImageGradientFilterOff()
        method.MetricUseMovingImageGradientFilterOff()
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            level.step, 0.01 * level.step, level.iterations, relaxationFactor=0.6
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(transform, inPlace=True)
        method.SetNumberOfWorkUnits(threads)
        method.AddCommand(
            sitk.sitkIterationEvent,
            lambda method=method: method.StopRegistration() if job.stopped else None,
        )
        method.Execute(fixed_image, isotropic(moving.image, level.spacing))
        job.check()
        matrix = matrix_of(transform)
    return matrix
