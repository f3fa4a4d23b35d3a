"""Passes over large arrays in pieces that fit the processor's cache, a thread for each piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from ..cores import usable_cores
from ..volumes import scratch
from ..volumes.scratch import let_go

T = TypeVar("T")

# 512 KiB as float64: a handful of such temporaries stays in the second-level cache, and a 256^3
# volume still makes enough pieces to keep every core busy.
CHUNK = 1 << 16
_MOST_THREADS = 16
# Elements after which what was looked at of arrays on the disk is let go: 64 MiB of float32.
_LET_GO = 1 << 24


def for_ranges(work: Callable[[slice], T], length: int, step: int = CHUNK) -> Iterator[T]:
    """``work(range)`` for consecutive slices that cover ``length``; results in their order.

    The order of the results does not depend on the number of threads, hence neither does a sum
    over them. NumPy releases the interpreter's lock in the loops that matter.
    """
    ranges = [slice(start, min(start + step, length)) for start in range(0, length, step)]
    threads = min(usable_cores(), len(ranges), _MOST_THREADS)
    together = max(1, _LET_GO // step)
    if threads <= 1:
        for number, piece in enumerate(ranges, 1):
            yield work(piece)
            if not number % together:
                let_go()
        return
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(ranges), together):
            yield from pool.map(work, ranges[first : first + together])
            let_go()


def extremes(array: np.ndarray) -> tuple[float, float]:
    """Least and largest value of an array that holds any."""
    flat = np.ascontiguousarray(array).reshape(-1)
    found = for_ranges(lambda piece: (flat[piece].min(), flat[piece].max()), flat.size)
    lows, highs = zip(*found, strict=True)
    return float(min(lows)), float(max(highs))


def taken_every(flat: np.ndarray, step: int) -> np.ndarray:
    """``flat[::step]``, a copy."""

    def taken(piece: slice) -> np.ndarray:
        first = -(-piece.start // step) * step
        return flat[first : piece.stop : step].copy()

    return np.concatenate([flat[:0], *for_ranges(taken, flat.size)])


def complement(array: np.ndarray) -> np.ndarray:
    """``1 - array``, float32 of the same shape."""
    result = scratch.empty(array.shape)
    flat, source = result.reshape(-1), np.ascontiguousarray(array).reshape(-1)

    def subtract(piece: slice) -> None:
        np.subtract(1, source[piece], out=flat[piece])

    for _ in for_ranges(subtract, source.size):
        pass
    return result
