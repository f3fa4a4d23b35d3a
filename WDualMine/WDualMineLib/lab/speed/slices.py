"""Time of a slice: by size, batch and number of threads, and beside networks of other shapes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from ...fusion.composition import compose
from ...fusion.correlation import apply_floor
from ...fusion.engine import SliceEngine
from ...fusion.preview import fuse_slice
from ...fusion.settings import FusionSettings
from ...network.compiled.readiness import ready
from ...network.statistics import joint_statistics
from .clock import Timing, in_turns
from .cost import PAIR_SIDE, flop_of
from .peers import PEERS
from .phantoms import phantoms

IN_A_VOLUME, ALONE, PREVIEW = "slice of a volume", "lone pair", "preview"
WITHOUT_LOOPS = "the same, no loops"
OURS = (IN_A_VOLUME, WITHOUT_LOOPS, ALONE, PREVIEW)
SIZES = ((256, 256), (512, 512), (301, 217))
BATCHES = (1, 4, 8)


class Slices:
    """Slices of a phantom, ready for an engine: with statistics, and trusted evenly."""

    def __init__(self, engine: SliceEngine, count: int, size: tuple[int, int]) -> None:
        # The middle of a head: where most is to be seen.
        height, width = size
        whole = phantoms((max(9, 3 * count), height, width))
        first = (len(whole[0]) - count) // 2
        self.arrays = [x[first : first + count] for x in whole]
        self.tensors = [torch.from_numpy(x)[:, None].contiguous() for x in self.arrays]
        self.statistics = joint_statistics(*(x.flatten()[None] for x in self.tensors))
        self.even = torch.full_like(self.tensors[0], 0.5)
        self.engine = engine

    def in_a_volume(self, loops: bool = True) -> np.ndarray:
        """The residual of all, by compiled loops if they are ready; copied back, which waits for a
        GPU."""
        found = self.engine.batch(*self.tensors, self.statistics, self.even, loops=loops)
        return found[0].cpu().numpy()

    def alone(self) -> np.ndarray:
        """The residual, each judged by itself."""
        return self.engine.batch(*self.tensors)[0].cpu().numpy()

    def preview(self) -> np.ndarray:
        """What scrolling shows: the first slice with its floor."""
        a, b = (x[0] for x in self.arrays)
        found = fuse_slice(
            a, b, self.engine, statistics=self.statistics, reliability=self.even[0, 0].numpy()
        )
        return found.fused


def beside_peers(engine: SliceEngine, runs: int) -> dict[str, dict[str, Any]]:
    """A pair of 256 x 256 on one thread: ours and others' in turns, and fusions that need no
    network, ``{row: timing, "gflop"}``."""
    slices = Slices(engine, 1, (PAIR_SIDE, PAIR_SIDE))
    a, b = slices.tensors
    plain_a, plain_b = slices.arrays
    floor = FusionSettings().correlation_floor
    calls: dict[str, Callable[[], Any]] = {
        IN_A_VOLUME: slices.in_a_volume,
        **({WITHOUT_LOOPS: lambda: slices.in_a_volume(loops=False)} if ready() else {}),
        ALONE: slices.alone,
        PREVIEW: slices.preview,
    }
    for row, kind in PEERS.items():
        network = kind().eval().requires_grad_(False).to(engine.device)
        calls[row] = _peer(network, a.to(engine.device), b.to(engine.device))
    flop = {row: flop_of(call) for row, call in calls.items()}
    calls["average"] = lambda: compose(plain_a, plain_b, np.zeros_like(plain_a))
    calls["maximum + floor"] = lambda: apply_floor(
        np.maximum(plain_a, plain_b), plain_a, plain_b, floor
    )
    with threads(1):
        found = in_turns(calls, runs)
    return {row: asdict(t) | {"gflop": flop.get(row, 0) / 1e9} for row, t in found.items()}


def _peer(network: torch.nn.Module, a: torch.Tensor, b: torch.Tensor) -> Callable[[], Any]:
    def call() -> Any:
        with torch.inference_mode():
            return network(a, b).cpu()

    return call


def by_size(engine: SliceEngine, runs: int, most_threads: int) -> list[dict[str, Any]]:
    """A slice of a volume by size, threads and batch: seconds are those of one slice."""
    found = []
    for size in SIZES:
        for count in dict.fromkeys((1, most_threads)):
            batches = {n: Slices(engine, n, size) for n in BATCHES}
            calls = {str(n): batch.in_a_volume for n, batch in batches.items()}
            with threads(count):
                timings = in_turns(calls, runs, warm_up=1)
            found += [
                {"size": size, "threads": count, "batch": n} | _each(timings[str(n)], n)
                for n in BATCHES
            ]
    return found


def _each(timing: Timing, count: int) -> dict[str, float]:
    told = asdict(timing)
    return {key: value / count for key, value in told.items() if key != "runs"}


@contextmanager
def threads(count: int):
    """So many threads of PyTorch, for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
