"""Align a moving volume to a fixed one: the entry points of the package."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..progress import Progress, Steps, finish
from ..volumes.resampling import resample_to
from ..volumes.volume import Volume
from .alignment import Aligner
from .background import Job, run_in_background
from .preparation import prepare
from .result import RegistrationResult
from .settings import RegistrationSettings
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
    job.report(0.02, f"Preparing {fixed.name} and {moving.name}")
    a, b = prepare(fixed), prepare(moving)
    start = None
    if settings.initial_transform is not None:
        start = matrix_of(simplified(settings.initial_transform, "The initial transform"))
    job.report(0.1, "Aligning")
    aligner = Aligner(a, b, settings.kind, settings.seed, job)
    prepared = time.perf_counter()
    if settings.kind == "none":
        matrix = np.eye(4) if start is None else start
        found = aligner.align(matrix, settings.usable_threads())
        agreement = largest_displacement(found.matrix, matrix, aligner.points)
    else:
        found = aligner.align(start, settings.usable_threads())
        matrix, agreement = found.matrix, found.agreement_mm
    aligned = time.perf_counter()
    job.report(0.9, "Judging")
    metric = aligner.metric(aligner.middle, 20_000, settings.seed)
    before, _, _ = metric.information(np.eye(4) if start is None else start)
    after, _, share = metric.information(matrix)
    measures = {"agreement_mm": agreement}
    verdict, reasons = judge(measures)
    rigid = settings.kind != "affine" and is_rigid(matrix)
    transform = (rigid_transform if rigid else affine_transform)(matrix, a.centre)
    resampled = resample_to(moving, fixed.geometry, transform)
    seconds = {
        "preparing": prepared - started,
        "aligning": aligned - prepared,
        "judging and resampling": time.perf_counter() - aligned,
    }
    return RegistrationResult(
        transform, resampled, verdict, reasons, share, before, after, seconds, settings, measures
    )
