"""Two volumes in, a fused volume and its maps out: the documented entry points."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import WDualMineError
from ..fusion.settings import FusionSettings
from ..fusion.slices import slicings
from ..progress import Progress, Steps, finish, scaled
from .alignment import Alignment, align_steps
from .look import NetworkOutput
from .pair import prepare
from .record import Record, SourceRecord, as_matrix
from .request import AS_THEY_LIE, Request, Source
from .result import Result, assemble

if TYPE_CHECKING:
    import SimpleITK as sitk
    from torch import nn

    from ..fusion.engine import SliceEngine

# Share of the progress bar for an alignment, where there is one.
_ALIGNED = 0.3
# Shares of what is left: preparation, then the network, then floor and colour.
_NETWORK_STARTS, _NETWORK_ENDS = 0.05, 0.95


def fuse(
    fixed: Source,
    moving: Source,
    settings: FusionSettings | None = None,
    *,
    registration: str | os.PathLike[str] | sitk.Transform = AS_THEY_LIE,
    different_patients: bool = False,
    progress: Callable[[Progress], None] | None = None,
    model: nn.Module | None = None,
) -> Result:
    """Align, prepare and fuse two volumes of one patient.

    Args:
        fixed: scalar volume, or where it lies; its grid becomes that of every output, to the last
            bit.
        moving: scalar volume, or where it lies; resampled if its grid differs.
        settings: windows, axis, strength, floor, colour, device; see
            :class:`~..fusion.settings.FusionSettings`.
        registration: "none" (both lie in one frame of reference), "rigid", "affine", or a linear
            transform or the file of one, from fixed to moving points.
        different_patients: whether the volumes may be of different patients; such a result goes
            out under no patient's header.
        progress: called after every step; what it raises stops the work and is passed on.
        model: a network instead of the one that ``settings.weights`` names.

    Raises:
        DifferentPatients: DICOM says that the volumes are of two patients.
        InputError: a volume or a setting cannot be used.
        RegistrationFailed: no alignment was found that could be believed.
        WeightsError: the weights are missing, corrupt, or of another architecture.
        DeviceError: the device asked for is absent, or memory does not hold a single slice.
    """
    steps = fuse_steps(
        fixed,
        moving,
        settings,
        registration=registration,
        different_patients=different_patients,
        model=model,
    )
    return finish(steps, progress)


def fuse_steps(
    fixed: Source,
    moving: Source,
    settings: FusionSettings | None = None,
    *,
    registration: str | os.PathLike[str] | sitk.Transform = AS_THEY_LIE,
    different_patients: bool = False,
    model: nn.Module | None = None,
) -> Steps[Result]:
    """:func:`fuse` as a generator, which yields progress and may be closed to cancel.

    Nothing is done before the first ``next``; then bad input raises before the network is loaded.
    """
    yield Progress(0.0, "Reading the volumes")
    request = Request.of(fixed, moving, settings, registration, different_patients)
    return (yield from run_steps(request, model))


def run_steps(request: Request, model: nn.Module | None = None) -> Steps[Result]:
    """Carry out ``request``: align, then fuse, whatever the alignment is doubted for.

    Who wants to ask before a doubtful alignment is used takes :func:`~.alignment.align_steps` and
    :func:`fuse_aligned_steps` one after the other.
    """
    share = 0.0 if request.registration == AS_THEY_LIE else _ALIGNED
    alignment = yield from scaled(align_steps(request), 0.0, share)
    return (yield from scaled(fuse_aligned_steps(request, alignment, model), share, 1.0))


def fuse_aligned_steps(
    request: Request, alignment: Alignment, model: nn.Module | None = None
) -> Steps[Result]:
    """Prepare the volumes of ``request`` under ``alignment``, and fuse them."""
    started = time.perf_counter()
    settings = request.settings
    yield Progress(0.0, "Preparing the volumes")
    pair = prepare(request.fixed, request.moving, settings, alignment.moved)
    record = Record(
        SourceRecord.of(request.fixed, pair.fixed_window),
        SourceRecord.of(request.moving, pair.moving_window),
        settings,
        pair.functional,
        as_matrix(np.linalg.inv(alignment.matrix)),
        different_patients=bool(request.notes_on_patients()),
        registration=alignment.kind,
    )
    prepared = time.perf_counter()
    yield Progress(_NETWORK_STARTS, "Loading the network")
    engine = load_engine(settings, model)
    axes = slicings(pair.geometry, settings.axis)
    loaded = time.perf_counter()
    k, j, i = pair.geometry.spacing[::-1]
    steps = engine.steps(pair.fixed, pair.moving, axes, (k, j, i), settings.share)
    maps = yield from scaled(steps, _NETWORK_STARTS, _NETWORK_ENDS)
    fused = time.perf_counter()
    yield Progress(_NETWORK_ENDS, "Applying the correlation floor")
    network = NetworkOutput(
        maps.residual,
        maps.reliability,
        maps.arbitration,
        axes[0],
        tuple(maps.notes),
        {
            "device": maps.device,
            "precision": maps.precision,
            "seconds_preparation": prepared - started,
            "seconds_loading": loaded - prepared,
            "seconds_network": fused - loaded,
        },
        maps.sensitivity,
    )
    from ..network.weights import weights_hash

    record = replace(record, weights_sha256=weights_hash(settings.weights))
    result = assemble(pair, network, settings, record, alignment)
    result.notes[:0] = request.notes_on_patients()
    result.measures["seconds_look"] = time.perf_counter() - fused
    yield Progress(1.0, "Fused")
    return result


def load_engine(settings: FusionSettings, model: nn.Module | None = None) -> SliceEngine:
    """The slice engine that ``settings`` ask for, with its network loaded.

    Raises:
        WDualMineError: a library is not installed.
        WeightsError, DeviceError: see :func:`fuse`.
    """
    # Here and not above: PyTorch may still have to be installed, and bad input is found before.
    try:
        from ..fusion.engine import SliceEngine
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", f"Install {error.name} and try again"
        ) from error
    if model is None:
        from ..network.weights import load_model

        model = load_model(settings.weights)
    return SliceEngine(model, settings.device, settings.precision)
