"""What a GPU does: agreement with the CPU, latency, throughput, memory, and a whole volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from ...fusion.engine import SliceEngine
from ...fusion.slices import Slicing
from ...network.statistics import JointStatistics
from ...progress import finish
from .clock import in_turns, lap
from .cost import PAIR_SIDE
from .peers import DenseFuseShape
from .phantoms import phantoms
from .slices import Slices

_PRECISIONS = {"float32": None, "float16": torch.float16, "bfloat16": torch.bfloat16}
_BATCHES = (1, 4, 16, 64)
_AXIAL = Slicing("axial", (0, 1, 2), (False, False, False))
_SLICES = 24
"""Of the volume that the CPU computes, too."""


def on_a_gpu(engine: SliceEngine, runs: int, side: int = PAIR_SIDE) -> dict[str, Any]:
    """All of it; the engine's device should be a GPU, and any will do.

    Args:
        engine: with the device to measure.
        runs: of every time that is measured.
        side: pixels of the slices, and slices of the volume that is timed.

    Returns:
        ``{"agreement": {precision: largest difference of the residual}, "volume_agreement": {map:
        largest difference}, "latency": {what: seconds}, "throughput": [{"precision", "batch",
        "seconds" a slice, "bytes"}], "graph": seconds or why there is none, "volume": {"shape",
        "first", "seconds", "bytes", "precision", "notes"}}``; bytes are None where the device does
        not count them.
    """
    model, device = engine.model, engine.device
    found = {
        "agreement": _agreement(engine, side),
        "latency": _latency(engine, runs, side),
        "throughput": _throughput(engine, runs, side),
        "graph": _with_a_graph(engine, runs, side),
        "volume": _volume(model, device, side),
        # Last: it moves the network to the CPU, and back.
        "volume_agreement": _agreement_on_a_volume(model, device, side),
    }
    model.to(device)
    return found


def _agreement(engine: SliceEngine, side: int) -> dict[str, float]:
    """Largest difference of the residual of four slices from that of the CPU in float32."""
    size = (side, side)
    device = engine.device
    wanted = Slices(SliceEngine(engine.model, "cpu"), 4, size).in_a_volume()
    engine.model.to(device)
    slices = Slices(engine, 4, size)
    found = {}
    for name, half in _PRECISIONS.items():
        engine.half = half
        found[name] = float(np.abs(slices.in_a_volume() - wanted).max())
    engine.half = None
    return found


def _latency(engine: SliceEngine, runs: int, side: int) -> dict[str, float]:
    """Wall seconds from a slice in main memory to a residual there, and of a network beside it."""
    slices = Slices(engine, 1, (side, side))
    dense = DenseFuseShape().eval().requires_grad_(False).to(engine.device)
    found = {}
    for name, half in _PRECISIONS.items():

        def other(half: torch.dtype | None = half) -> Any:
            pair = [x.to(engine.device) for x in slices.tensors]
            kind = engine.device.type
            with torch.inference_mode(), torch.autocast(kind, half, enabled=half is not None):
                return dense(*pair).float().cpu()

        engine.half = half
        calls: dict[str, Callable[[], Any]] = {
            f"slice of a volume, {name}": slices.in_a_volume,
            f"lone pair, {name}": slices.alone,
            f"DenseFuse's shape, {name}": other,
        }
        found |= {row: timing.wall for row, timing in in_turns(calls, runs).items()}
    engine.half = None
    return found


def _throughput(engine: SliceEngine, runs: int, side: int) -> list[dict[str, Any]]:
    """Wall seconds a slice where slices lie on the device already and stay there."""
    rows = []
    for name, half in _PRECISIONS.items():
        engine.half = half
        for count in _BATCHES:
            try:
                call = _on_the_device(engine, count, side)
                _reset_peak(engine.device)
                seconds = in_turns({"": call}, max(3, runs // 2))[""].wall / count
            except torch.cuda.OutOfMemoryError:
                break
            peak = _peak(engine.device)
            rows.append({"precision": name, "batch": count, "seconds": seconds, "bytes": peak})
    engine.half = None
    return rows


def _on_the_device(engine: SliceEngine, count: int, side: int) -> Callable[[], None]:
    slices = Slices(engine, count, (side, side))
    a, b, even = (x.to(engine.device) for x in (*slices.tensors, slices.even))
    statistics = JointStatistics(*slices.statistics).to(engine.device)

    def call() -> None:
        engine.batch(a, b, statistics, even)
        _wait(engine.device)

    return call


def _with_a_graph(engine: SliceEngine, runs: int, side: int) -> float | str:
    """Wall seconds of one slice that is replayed from a CUDA graph; else why it cannot be: whether
    graphs are worth their memory is decided by this."""
    device = engine.device
    if device.type != "cuda":
        return "CUDA only"
    slices = Slices(engine, 1, (side, side))
    a, b, even = (x.to(device) for x in (*slices.tensors, slices.even))
    statistics = slices.statistics.to(device)
    graph = torch.cuda.CUDAGraph()
    try:
        aside = torch.cuda.Stream(device)
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            for _ in range(3):
                engine.batch(a, b, statistics, even)
        torch.cuda.current_stream(device).wait_stream(aside)
        with torch.cuda.graph(graph):
            captured = engine.batch(a, b, statistics, even)
        graph.replay()
        _wait(device)
        wanted = engine.batch(a, b, statistics, even)[0]
        difference = float((captured[0] - wanted).abs().max())
        if difference > 1e-4:
            return f"differs by {difference:.1e}"

        def replay() -> None:
            graph.replay()
            _wait(device)

        return in_turns({"": replay}, runs)[""].wall
    except RuntimeError as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _volume(model: nn.Module, device: torch.device, side: int) -> dict[str, Any]:
    """A volume from arrays to maps, evidence and transfers included: the first time, and again."""
    pair = phantoms((side,) * 3)
    seconds = []
    for _ in range(2):
        engine = SliceEngine(model, device.type)
        _reset_peak(device)
        with lap() as took:
            maps = finish(engine.steps(*pair, (_AXIAL,)), None)
        seconds.append(took["wall"])
    return {
        "shape": pair[0].shape,
        "first": seconds[0],
        "seconds": seconds[1],
        "bytes": _peak(device),
        "precision": maps.precision,
        "notes": maps.notes,
    }


def _agreement_on_a_volume(model: nn.Module, device: torch.device, side: int) -> dict[str, float]:
    """Largest difference of each map from that of the CPU, as a user gets them."""
    pair = phantoms((_SLICES, side, side))
    # Something to suspect, or the maps of it would be level.
    pair[0][8:14, side // 3 : side // 2, side // 3 : side // 2] = 0
    here, there = (
        finish(SliceEngine(model, kind).steps(*pair, (_AXIAL,)), None)
        for kind in (device.type, "cpu")
    )
    return {
        name: float(np.abs(getattr(here, name) - getattr(there, name)).max())
        for name in ("residual", "reliability", "arbitration")
    }


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: torch.device) -> int | None:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
