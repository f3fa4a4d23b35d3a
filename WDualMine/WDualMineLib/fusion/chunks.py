"""Passes over large arrays in pieces that fit the processor's cache, a thread for each piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..cores import usable_cores

T = TypeVar("T")

# 512 KiB as float64: a handful of such temporaries stays in the second-level cache, and a 256^3
# volume still makes enough pieces to keep every core busy.
CHUNK = 1 << 16
_MOST_THREADS = 16


def for_ranges(work: Callable[[slice], T], length: int, step: int = CHUNK) -> Iterator[T]:
    """``work(range)`` for consecutive slices that cover ``length``; results in their order.

    The order of the results does not depend on the number of threads, hence neither does a sum
    over them. NumPy releases the interpreter's lock in the loops that matter.
    """
    ranges = [slice(start, min(start + step, length)) for start in range(0, length, step)]
    threads = min(usable_cores(), len(ranges), _MOST_THREADS)
    if threads <= 1:
        yield from map(work, ranges)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, ranges)
