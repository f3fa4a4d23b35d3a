"""Align a moving volume to a fixed one: the entry points of the package."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from ..progress import Progress, Steps, finish
from ..volumes.volume import Volume
from .background import Job, run_in_background
from .initialisation import coarse_search
from .metric import PointMetric
from .preparation import prepare, to_image
from .refinement import refine
from .result import RegistrationResult
from .settings import RegistrationSettings
from .transforms import affine_transform, largest_displacement, matrix_of, rigid_transform, simplified
from .verdict import judge


def register(
    fixed: Volume,
    moving: Volume,
    settings: RegistrationSettings | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> RegistrationResult:
    """Align ``moving`` to ``fixed``; see :func:`register_steps`."""
    return finish(register_steps(fixed, moving, settings), progress)


def register_steps(
    fixed: Volume, moving: Volume, settings: RegistrationSettings | None = None
) -> Steps[RegistrationResult]:
    """Align ``moving`` to ``fixed`` in the background, yielding progress ten times a second.

    Closing the generator cancels within a second.

    Returns:
        The transform, the resampled moving volume, and a verdict. A failed alignment is returned,
        not raised: call :meth:`.RegistrationResult.require_usable` before using it.

    Raises:
        InputError: a volume is constant, tiny or coloured, or the start is not linear.
    """
    chosen = settings or RegistrationSettings()
    return run_in_background(lambda job: _register(fixed, moving, chosen, job))


def _register(
    fixed: Volume, moving: Volume, settings: RegistrationSettings, job: Job
) -> RegistrationResult:
    started = time.perf_counter()
    job.report(0.02, "Preparing the volumes")
    a, b = prepare(fixed), prepare(moving)
    start = np.eye(4)
    if settings.initial_transform is not None:
        start = matrix_of(simplified(settings.initial_transform, "The initial transform"))
    matrix, other = start, start
    if settings.kind != "none":
        job.report(0.1, "Searching for a start")
        candidates = [start, start]
        if settings.initial_transform is None:
            candidates = [found for found, _ in coarse_search(a, b, settings.seed, job)]
        job.report(0.3, "Aligning")
        threads = settings.usable_threads()
        matrix = refine(a, b, candidates[0], job, kind=settings.kind, seed=settings.seed,
                        threads=threads)
        job.report(0.6, "Checking with a second start")
        other = refine(a, b, candidates[1], job, kind=settings.kind, seed=settings.seed + 1,
                       threads=threads)
    job.report(0.9, "Judging")
    metric = PointMetric.between(a, b, 4.0, 20000, np.random.default_rng(settings.seed))
    before, _, _ = metric.information(start)
    after, _, share = metric.information(matrix)
    measures = {"agreement_mm": largest_displacement(matrix, other, fixed.geometry.corners())}
    verdict, reasons = judge(measures)
    make = affine_transform if settings.kind == "affine" else rigid_transform
    transform = make(matrix, a.centre)
    lowest = float(np.nanmin(moving.array))
    image = sitk.Resample(
        to_image(np.asarray(moving.array, np.float32), moving),
        to_image(np.asarray(fixed.array, np.float32), fixed),
        transform, sitk.sitkLinear, lowest,
    )
    resampled = Volume(
        sitk.GetArrayFromImage(image), fixed.geometry, moving.name, moving.modality,
        dict(moving.attributes),
    )
    return RegistrationResult(
        transform, resampled, verdict, reasons, share, before, after,
        {"total": time.perf_counter() - started}, settings, measures,
    )
