"""A volume from files to files, stage by stage, as ``wdualmine fuse`` does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from torch import nn

from ...fusion.settings import FusionSettings
from ...pipeline.alignment import Alignment, align_steps
from ...pipeline.folder import save
from ...pipeline.request import AS_THEY_LIE, Request
from ...pipeline.result import Result
from ...pipeline.run import fuse_aligned_steps
from ...pipeline.sources import read
from ...progress import Steps, finish
from .clock import lap
from .memory import peak

# How messages of a fusion begin, and the stage that has ended there.
_STAGES = {
    "Preparing the": "windows and grid",
    "Loading the": "windows and grid",
    "Looked for": "evidence",
    "Loading compiled": "network",
    "Fused ": "network",
    "Applying the": "network",
}
_LAST = "floor"
Seconds = dict[str, dict[str, float]]
T = TypeVar("T")


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
            fixed, moving = _timed(seconds, "read", lambda: tuple(map(read, paths)))
            inputs = fixed.array.nbytes + moving.array.nbytes
            request = Request.of(fixed, moving, settings, registration, False)
            alignment = Alignment()
            if registration != AS_THEY_LIE:
                steps = align_steps(request)
                alignment = _timed(seconds, "register", lambda: finish(steps, None))
            result = _staged(fuse_aligned_steps(request, alignment, model), seconds)
            measuring = result.measure_steps()
            measures = _timed(seconds, "measure", lambda: finish(measuring, None))
            result = result.with_measures(measures)
            _timed(seconds, "draw", lambda: draw(place / "overview.png", result))
            _timed(seconds, "write", lambda: save(result, place / "out"))
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
    while True:
        with lap() as took:
            try:
                message = next(steps).message
            except StopIteration as end:
                return end.value
        # "Fused 3 of 20" ends some of the network's work, "Fused" all of it.
        ended = next((name for start, name in _STAGES.items() if message.startswith(start)), _LAST)
        before = seconds.setdefault(ended, {"cpu": 0.0, "wall": 0.0})
        seconds[ended] = {clock: before[clock] + took[clock] for clock in before}


def _timed(seconds: Seconds, stage: str, work: Callable[[], T]) -> T:
    """Do it, and keep what it took."""
    with lap() as seconds[stage]:
        return work()
