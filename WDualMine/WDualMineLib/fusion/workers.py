"""Threads for the slice engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from ..cores import usable_cores

Item = TypeVar("Item")
T = TypeVar("T")


class Workers:
    """Threads that take one batch each: on a CPU all of its cores, on a GPU one.

    A thread a batch, without threads inside of it, does not wait at the end of every layer. On
    small slices that is several times as fast, and it makes the result independent of the number
    of cores. ``count`` may be lowered at any time.
    """

    def __init__(self, device: torch.device) -> None:
        on_cpu = device.type == "cpu"
        # PyTorch's own number of threads is how users and schedulers say what may be used.
        self.count = min(usable_cores(), torch.get_num_threads()) if on_cpu else 1
        # An initialiser, for the number of threads is kept for each thread by itself.
        self._pool = ThreadPoolExecutor(self.count, "slices", torch.set_num_threads, (1,))
        self._on_cpu = on_cpu

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def map(self, work: Callable[[Item], T], batches: list[Item]) -> list[T]:
        """``work`` of every batch, in order."""
        if not self._on_cpu:
            return [work(batch) for batch in batches]
        threads = torch.get_num_threads()
        try:
            return list(self._pool.map(work, batches))
        finally:
            # The initialiser changed what threads to come will take.
            torch.set_num_threads(threads)
