"""A volume from files to files, stage by stage, as ``wdualmine fuse`` does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import nn

from ...fusion.settings import FusionSettings
from ...pipeline.alignment import Alignment, align_steps
from ...pipeline.folder import save
from ...pipeline.request import AS_THEY_LIE, Request
from ...pipeline.result import Result
from ...pipeline.run import fuse_aligned_steps
from ...pipeline.sources import read
from ...progress import Steps, finish
from ...volumes.writing import write_volume
from .clock import lap
from .memory import peak
from .phantoms import phantom_volumes

# How messages of a fusion begin, and the stage that has ended there.
_STAGES = {
    "Preparing the": "windows and grid",
    "Loading the": "windows and grid",
    "Looked for": "evidence",
    "Fused ": "network",
    "Applying the": "network",
}
_LAST = "floor"
Seconds = dict[str, dict[str, float]]


def stages_of_a_volume(
    shape: tuple[int, int, int],
    settings: FusionSettings,
    model: nn.Module,
    draw: Callable[[Path, Result], None],
    registration: str = AS_THEY_LIE,
) -> dict[str, Any]:
    """:func:`stages_of_files` for a phantom.

    Args:
        shape: (K, J, I) of both volumes.
        settings: but for the windows, which are those of the phantom.
    """
    with TemporaryDirectory() as folder:
        fixed, moving = (
            write_volume(v, Path(folder) / f"{v.name}.nrrd", compress=False)
            for v in phantom_volumes(shape)
        )
        return stages_of_files((fixed, moving), settings, model, draw, registration)


def stages_of_files(
    paths: tuple[Path, Path],
    settings: FusionSettings,
    model: nn.Module,
    draw: Callable[[Path, Result], None],
    registration: str = AS_THEY_LIE,
) -> dict[str, Any]:
    """Processor and wall seconds of each stage, and of the whole, and its peak memory.

    Args:
        paths: of the fixed and the moving volume.
        settings: of the fusion.
        model: the network, loaded; the first use of its libraries is not counted.
        draw: writes ``overview.png``.
        registration: "none", "rigid" or "affine".

    Returns:
        ``{"shape": (K, J, I), "stages": {stage: {"cpu", "wall"}}, "total": {"cpu", "wall"},
        "peak_bytes", "input_bytes", "output_bytes"}``; the peak is that above what the process held
        before, the inputs those in memory, the outputs files.
    """
    seconds: Seconds = {}
    with TemporaryDirectory() as folder:
        place = Path(folder)
        with lap() as total, peak() as held:
            with lap() as took:
                fixed, moving = (read(path) for path in paths)
            seconds["read"] = took
            inputs = fixed.array.nbytes + moving.array.nbytes
            request = Request.of(fixed, moving, settings, registration, False)
            alignment = Alignment()
            if registration != AS_THEY_LIE:
                with lap() as took:
                    alignment = finish(align_steps(request), None)
                seconds["register"] = took
            result = _staged(fuse_aligned_steps(request, alignment, model), seconds)
            with lap() as took:
                result = result.with_measures(finish(result.measure_steps(), None))
            seconds["measure"] = took
            with lap() as took:
                draw(place / "overview.png", result)
            seconds["draw"] = took
            with lap() as took:
                save(result, place / "out")
            seconds["write"] = took
        outputs = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return {
        "shape": fixed.array.shape,
        "stages": seconds,
        "total": total,
        "peak_bytes": held["bytes"],
        "input_bytes": inputs,
        "output_bytes": outputs,
    }


def _staged(steps: Steps[Result], seconds: Seconds) -> Result:
    """Run a fusion; what lies between two messages counts for the stage that the second ends."""
    cpu, wall = time.process_time(), time.perf_counter()
    while True:
        try:
            message = next(steps).message
        except StopIteration as end:
            return end.value
        now = time.process_time(), time.perf_counter()
        # "Fused 3 of 20" ends some of the network's work, "Fused" all of it.
        ended = next((name for start, name in _STAGES.items() if message.startswith(start)), _LAST)
        took = seconds.setdefault(ended, {"cpu": 0.0, "wall": 0.0})
        took["cpu"] += now[0] - cpu
        took["wall"] += now[1] - wall
        cpu, wall = now
