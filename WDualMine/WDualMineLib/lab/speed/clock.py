"""Processor and wall time of functions that take turns, so that a busy machine is busy for all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds a call, median and fastest of ``runs``.

    Attributes:
        cpu, cpu_fastest: processor time of all threads; on a busy machine the one to compare by.
        wall, wall_fastest: as a user waits.
    """

    cpu: float
    cpu_fastest: float
    wall: float
    wall_fastest: float
    runs: int


def in_turns(
    functions: Mapping[str, Callable[[], Any]], runs: int, warm_up: int = 2
) -> dict[str, Timing]:
    """Time each function ``runs`` times: A, B, C, A, B, C, ..."""
    for function in functions.values():
        for _ in range(warm_up):
            function()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for _ in range(runs):
        for name, function in functions.items():
            with lap() as took:
                function()
            seconds[name].append((took["cpu"], took["wall"]))
    return {name: _timing(pairs) for name, pairs in seconds.items()}


@contextmanager
def lap() -> Iterator[dict[str, float]]:
    """Seconds between entry and exit, under "cpu" and "wall", once it is over."""
    took: dict[str, float] = {}
    cpu, wall = time.process_time(), time.perf_counter()
    yield took
    took["cpu"], took["wall"] = time.process_time() - cpu, time.perf_counter() - wall


def _timing(pairs: list[tuple[float, float]]) -> Timing:
    cpu, wall = zip(*pairs, strict=True)
    return Timing(statistics.median(cpu), min(cpu), statistics.median(wall), min(wall), len(pairs))
