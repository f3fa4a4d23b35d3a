"""From two sources to a folder: the whole job of a command, a study of a batch, or a script."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dicom.identity import require_one_patient
from ..fusion.settings import FusionSettings
from ..progress import Progress, finish, part_of
from ..volumes.volume import Volume
from .alignment import Alignment, align_steps
from .anonymous import anonymous
from .folder import Extra, write_folder
from .request import AS_THEY_LIE, Request
from .result import Result
from .run import fuse_aligned_steps

if TYPE_CHECKING:
    from torch import nn


def fuse_into(
    folder: Path,
    read: Callable[[], tuple[Volume, Volume]],
    settings: FusionSettings,
    *,
    registration: str = AS_THEY_LIE,
    different_patients: bool = False,
    anonymise: bool = False,
    force: bool = False,
    extras: Callable[[Result], Sequence[Extra]] = lambda _: (),
    progress: Callable[[Progress], None] = lambda _: None,
    model: nn.Module | None = None,
) -> tuple[dict[str, Any], Alignment]:
    """Read, align, fuse, measure, and write everything or nothing into ``folder``.

    Args:
        read: gives the fixed and the moving volume.
        registration: "none", "rigid", "affine" or the file of a transform.
        different_patients: as in :class:`~.request.Request`.
        anonymise: whether it is removed whose the volumes are before anything is written.
        force: whether files that exist are replaced.
        extras: what else goes into the folder, of the result.
        progress: called after every step; what it raises stops the work and is passed on.
        model: a network instead of the one that ``settings.weights`` names.

    Returns:
        What ``report.json`` holds, and the alignment.

    Raises:
        WDualMineError: see :func:`~.run.fuse` and :func:`~.folder.write_folder`.
    """
    clock = _Clock()
    progress(Progress(0, "Reading the volumes"))
    with clock.stage("reading"):
        fixed, moving = read()
        require_one_patient(fixed.context, moving.context, allowed=different_patients)
    with clock.stage("registration"):
        request = Request.of(fixed, moving, settings, registration, different_patients)
        alignment = finish(align_steps(request), part_of(progress, 0.05, 0.3))
    with clock.stage("fusion"):
        steps = fuse_aligned_steps(request, alignment, model)
        result = finish(steps, part_of(progress, 0.3, 0.7))
    with clock.stage("measuring"):
        measures = finish(result.measure_steps(), part_of(progress, 0.7, 0.85))
        result = result.with_measures(measures)
    if anonymise:
        result = anonymous(result, (fixed, moving))
    report = write_folder(
        result,
        folder,
        force=force,
        extras=extras(result),
        seconds=clock.seconds,
        progress=part_of(progress, 0.85, 1),
    )
    return report, alignment


class _Clock:
    """Wall-clock seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
