"""Two volumes in, a fused volume and its maps out: the documented entry points."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import WDualMineError
from ..progress import Progress, Steps, finish
from ..volumes.volume import Volume
from .preparation import prepare
from .result import FusionResult, NetworkOutput, assemble
from .settings import FusionSettings
from .slices import slicings

if TYPE_CHECKING:
    from torch import nn

# Shares of the progress bar: preparation, then the network, then floor and colour.
_NETWORK_STARTS, _NETWORK_ENDS = 0.05, 0.95


def fuse(
    fixed: Volume,
    moving: Volume,
    settings: FusionSettings = FusionSettings(),  # noqa: B008 - frozen, hence safe to share
    progress: Callable[[Progress], None] | None = None,
    model: nn.Module | None = None,
) -> FusionResult:
    """Fuse two registered volumes of one patient.

    Args:
        fixed: scalar volume; its grid becomes that of every output, to the last bit.
        moving: scalar volume, aligned to ``fixed`` in patient space; resampled if its grid differs.
        settings: windows, axis, strength, floor, colour, device.
        progress: called after every step; what it raises stops the work and is passed on.
        model: a network instead of the one that ``settings.weights`` names.

    Raises:
        InputError: a volume or a setting cannot be used.
        WeightsError: the weights are missing, corrupt, or of another architecture.
        DeviceError: the device asked for is absent, or memory does not hold a single slice.
    """
    return finish(fuse_steps(fixed, moving, settings, model), progress)


def fuse_steps(
    fixed: Volume,
    moving: Volume,
    settings: FusionSettings = FusionSettings(),  # noqa: B008
    model: nn.Module | None = None,
) -> Steps[FusionResult]:
    """:func:`fuse` as a generator, which yields progress and may be closed to cancel.

    Nothing is done before the first ``next``; then bad input raises before the network is loaded.
    """
    started = time.perf_counter()
    yield Progress(0.0, "Preparing the volumes")
    pair = prepare(fixed, moving, settings)
    prepared = time.perf_counter()
    yield Progress(_NETWORK_STARTS, "Loading the network")
    engine = _engine(settings, model)
    axes = slicings(fixed.geometry, settings.axis)
    loaded = time.perf_counter()
    steps = engine.steps(pair.fixed, pair.moving, axes, fixed.geometry.spacing[::-1])
    try:
        while True:
            step = next(steps)
            span = _NETWORK_ENDS - _NETWORK_STARTS
            yield Progress(_NETWORK_STARTS + span * step.fraction, step.message)
    except StopIteration as stop:
        maps = stop.value
    finally:
        steps.close()
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
    )
    result = assemble(pair, network, settings)
    result.measures["seconds_look"] = time.perf_counter() - fused
    yield Progress(1.0, "Fused")
    return result


def _engine(settings: FusionSettings, model: nn.Module | None):
    # Here and not above: PyTorch may still have to be installed, and bad input is found before.
    try:
        from .engine import SliceEngine
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", f"Install {error.name} and try again"
        ) from error
    if model is None:
        from ..network.weights import load_model

        model = load_model(settings.weights)
    return SliceEngine(model, settings.device, settings.precision)
