"""Align a moving volume to a fixed one: the entry points of the package."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..background import Job, run_in_background
from ..progress import Progress, Steps, finish
from ..volumes.resampling import overlap, resample_to
from ..volumes.volume import Volume
from .aligner import Aligner
from .evidence import measure
from .preparation import prepare
from .registration_result import RegistrationResult
from .registration_settings import RegistrationSettings
from .transforms import (
    affine_transform,
    is_rigid,
    largest_displacement,
    matrix_of,
    rigid_transform,
    simplified,
)
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
    """Align ``moving`` to ``fixed`` in the background, yielding progress all the while.

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
    job.report(0.02, f"Preparing {fixed.name} and {moving.name}")
    a, b = prepare(fixed), prepare(moving)
    start = None
    if settings.initial_transform is not None:
        start = matrix_of(simplified(settings.initial_transform, "The initial transform"))
    job.report(0.1, "Aligning")
    kind = "affine" if settings.kind == "affine" else "rigid"
    aligner = Aligner(a, b, kind, settings.seed, job)
    prepared = time.perf_counter()
    given, threads = settings.kind == "none", settings.usable_threads()
    found = aligner.align(np.eye(4) if given and start is None else start, threads)
    matrix = found.matrix
    if given:
        matrix = np.eye(4) if start is None else start
    aligned = time.perf_counter()
    job.report(0.7, "Judging the alignment")
    figures = measure(aligner, found, matrix, np.eye(4) if start is None else start)
    if given:
        figures["offset_mm"] = largest_displacement(found.matrix, matrix, aligner.points)
    verdict, reasons = judge(figures, given)
    rigid = settings.kind != "affine" and is_rigid(matrix)
    transform = (rigid_transform if rigid else affine_transform)(matrix, a.centre)
    job.report(0.9, f"Resampling {moving.name}")
    resampled = _resampled(moving, fixed, transform)
    seconds = {
        "preparing": prepared - started,
        "aligning": aligned - prepared,
        "judging and resampling": time.perf_counter() - aligned,
    }
    return RegistrationResult(
        transform=transform,
        resampled=resampled,
        verdict=verdict,
        reasons=reasons,
        overlap=figures["overlap"],
        mi_before=figures["mi_before"],
        mi_after=figures["mi_after"],
        seconds=seconds,
        settings=settings,
        measures=figures,
    )


def _resampled(moving: Volume, fixed: Volume, transform: sitk.Transform) -> Volume:
    """``moving`` on the grid of ``fixed``; all background where the fields of view do not meet."""
    if overlap(fixed.geometry, moving.geometry, transform) > 0:
        return resample_to(moving, fixed.geometry, transform)
    finite = moving.array[np.isfinite(moving.array)]
    array = np.full(fixed.geometry.array_shape, finite.min(), np.float32)
    return replace(moving, array=array, geometry=fixed.geometry)
