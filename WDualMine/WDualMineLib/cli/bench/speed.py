"""``wdualmine bench speed``: what the network costs, beside fusions that need none."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...fusion.composition import compose
from ...fusion.correlation import apply_floor
from ...fusion.settings import DEVICE_NAMES, PRECISION_NAMES, FusionSettings
from ...pipeline.run import fuse
from ...version import __version__
from ...volumes.geometry import Geometry
from ...volumes.volume import Volume
from ...volumes.writing import atomic_path, refuse_existing

if TYPE_CHECKING:
    from torch import nn

    from ...fusion.engine import SliceEngine

PAIR_SIDE = 256
"""Pixels a side of the pair that the literature times."""

_WARM_UP = 3
_SMALLEST = 16


@dataclass(frozen=True)
class Timing:
    """Seconds a call: the median and the fastest of ``runs``."""

    median: float
    fastest: float
    runs: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine bench speed``."""
    parser.add_argument("--device", choices=DEVICE_NAMES, default="auto", help="default auto")
    parser.add_argument("--precision", choices=PRECISION_NAMES, default="auto", help="default auto")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="default: those that ship")
    parser.add_argument(
        "--size", type=int, default=256, metavar="N", help="time a volume of N^3 (default 256)"
    )
    parser.add_argument("--no-volume", action="store_true", help="time the image pair only")
    parser.add_argument(
        "--repeats", type=int, default=20, metavar="N", help="runs of the image pair (default 20)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads for PyTorch")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(options: argparse.Namespace) -> None:
    """Measure, print, and write the figures where asked."""
    _check(options)
    import torch

    from ...fusion.engine import SliceEngine
    from ...network.weights import load_model

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    engine = SliceEngine(load_model(options.weights), options.device, options.precision)
    for note in engine.notes:
        print(note)
    machine = _machine(engine)
    print(
        f"wdualmine {__version__}, PyTorch {machine['torch']}, {machine['processor']}, "
        f"{machine['threads']} threads; device {machine['device']}"
    )
    if machine["load"] is not None and machine["load"] > 0.5:
        print(f"Other work keeps {machine['load']:.1f} processors busy: times come out longer.")
    cost = network_cost(engine.model)
    print(
        f"Network: {cost['parameters']} parameters, {cost['weight_bytes'] / 1e6:.3f} MB of float16 "
        f"weights, {cost['flop'] / 1e9:.3f} GFLOP a pair of {PAIR_SIDE} x {PAIR_SIDE} "
        "(a multiply-add counts 2)"
    )
    pair = time_pair(engine, options.repeats)
    print(f"One pair of {PAIR_SIDE} x {PAIR_SIDE}: median (fastest) of {options.repeats} runs")
    for row, timing in pair.items():
        print(f"  {row:18}{1e3 * timing.median:10.2f} ms ({1e3 * timing.fastest:.2f})")
    figures = {
        "version": __version__,
        "machine": machine,
        "network": cost,
        "pair": {row: asdict(timing) for row, timing in pair.items()},
    }
    if not options.no_volume:
        volume, stages = time_volume(engine, options.size, options.precision)
        print(f"A volume of {options.size}^3 with all maps: median (fastest)")
        for row, timing in volume.items():
            print(f"  {row:18}{timing.median:10.3f} s ({timing.fastest:.3f}), {timing.runs} runs")
        print("  of the network's: " + ", ".join(f"{k} {v:.3f} s" for k, v in stages.items()))
        figures["volume"] = {
            "size": options.size,
            "rows": {row: asdict(timing) for row, timing in volume.items()},
            "stages": stages,
        }
    if options.json is not None:
        with atomic_path(options.json, force=options.force) as partial:
            partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def network_cost(model: nn.Module) -> dict[str, int]:
    """Parameters, bytes of the weights as they are kept, floating-point operations for one pair.

    Operations are those that PyTorch counts, convolutions and matrix products, at 2 for a
    multiply-add; element-wise work is not among them.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    state = model.state_dict().values()
    image = torch.zeros(1, 1, PAIR_SIDE, PAIR_SIDE, device=next(model.parameters()).device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image, image)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "weight_bytes": sum(2 * tensor.numel() for tensor in state),
        "flop": counter.get_total_flops(),
    }


def time_pair(engine: SliceEngine, repeats: int) -> dict[str, Timing]:
    """Seconds for one pair of slices in memory: ``{row: Timing}``.

    The row *network* is the maps alone, *network + floor* the finished image. On a GPU both include
    the way there and back. The others are numpy on the CPU.
    """
    import torch

    a, b = (phantom[0] for phantom in phantoms((1, PAIR_SIDE, PAIR_SIDE)))
    tensors = [torch.from_numpy(x)[None, None] for x in (a, b)]
    floor = FusionSettings().correlation_floor

    def network() -> np.ndarray:
        # Copying the residual back waits for the GPU.
        return engine.batch(*tensors)[0][0, 0].cpu().numpy()

    def finished() -> np.ndarray:
        return apply_floor(compose(a, b, network(), 1.0), a, b, floor)[0]

    rows = {"network": network, "network + floor": finished} | _baselines(a, b, floor)
    return {row: _time(function, repeats) for row, function in rows.items()}


def time_volume(
    engine: SliceEngine, size: int, precision: str
) -> tuple[dict[str, Timing], dict[str, float]]:
    """Seconds for ``fuse`` on ``size``^3 voxels and for the baselines, and the stages of ``fuse``.

    Three runs on a GPU; one on a CPU, where it takes long. All after a warm-up.
    """
    device = engine.device.type
    settings = FusionSettings(
        fixed_window=(0, 1), moving_window=(0, 1), device=device, precision=precision
    )
    runs = 1 if device == "cpu" else 3
    a, b = phantoms((size, size, size))
    measures: dict[str, Any] = {}

    def network(chosen: slice) -> None:
        # The result is arrays in main memory, so the clock sees all of a GPU's work.
        result = fuse(
            _volume(a[chosen], "A"), _volume(b[chosen], "B"), settings, model=engine.model
        )
        measures.update(result.measures)

    # A few slices warm a CPU; a GPU reserves its memory for the whole volume on first use.
    network(slice(size // 2, size // 2 + 4) if device == "cpu" else slice(None))
    timings = {"network + floor": _time(lambda: network(slice(None)), runs, warm_up=0)}
    for row, function in _baselines(a, b, settings.correlation_floor).items():
        timings[row] = _time(function, runs, warm_up=1)
    prefix = "seconds_"
    stages = {k.removeprefix(prefix): v for k, v in measures.items() if k.startswith(prefix)}
    return timings, stages


def phantoms(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two float32 (K, J, I) in [0, 1] of a head in air: a bright shell, and texture within it.

    Times hardly depend on what the voxels hold; air and edges make the floor do its usual work.
    """
    rng = np.random.default_rng(0)
    axes = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape]
    radius = np.sqrt(sum(x.astype(np.float32) ** 2 for x in np.ix_(*axes)))
    head, brain = radius < 0.85, radius < 0.75
    noise = rng.random(shape, dtype=np.float32) * np.float32(0.05) * head
    bone = np.where(brain, np.float32(0.2), np.float32(0.9)) * head + noise
    soft = (np.float32(0.5) + np.float32(0.3) * np.sin(20 * radius)) * brain + noise
    return bone, soft


def _baselines(a: np.ndarray, b: np.ndarray, floor: float) -> dict[str, Callable[[], Any]]:
    return {
        "average": lambda: (a + b) * np.float32(0.5),
        "maximum + floor": lambda: apply_floor(np.maximum(a, b), a, b, floor),
    }


def _time(function: Callable[[], Any], runs: int, warm_up: int = _WARM_UP) -> Timing:
    for _ in range(warm_up):
        function()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return Timing(statistics.median(seconds), min(seconds), runs)


def _volume(array: np.ndarray, name: str) -> Volume:
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    return Volume(array, Geometry(array.shape[::-1], (1.0,) * 3, (0.0,) * 3, identity), name)


def _machine(engine: SliceEngine) -> dict[str, Any]:
    import torch

    from ...fusion.devices import describe

    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        # Mean number of busy processors over the last minute, before any of this ran.
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": describe(engine.device),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


def _processor() -> str:
    """The processor's own name: Linux keeps it out of ``platform``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _check(options: argparse.Namespace) -> None:
    for name, least in (("repeats", 1), ("size", _SMALLEST), ("threads", 1)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise InputError(f"--{name} {value} is too small", f"Give {least} or more")
    if options.json is not None:
        refuse_existing([options.json], force=options.force)
