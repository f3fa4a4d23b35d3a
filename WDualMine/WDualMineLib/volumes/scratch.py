"""Arrays that are too large to be held in memory: they lie on the disk and look like any other.

Such an array is a file that is mapped into memory, in the folder for temporary files (``TMPDIR``,
or what the system has in its place), which should not itself lie in memory. On Linux and macOS the
file has no name from the start, on Windows it is removed as the last use of it ends; so nothing is
left behind whatever happens. Where the disk has no room for it the array is an ordinary one.
"""

from __future__ import annotations

import mmap
import os
import shutil
import sys
import tempfile
from math import prod
from typing import Any
from weakref import WeakSet

import numpy as np

LARGE = 1 << 28
"""Bytes from which on an array lies on the disk."""

_mappings: WeakSet[mmap.mmap] = WeakSet()


def empty(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray:
    """An array of any values; on the disk from :data:`LARGE` bytes on, in memory below that."""
    kind = np.dtype(dtype)
    size = prod(shape) * kind.itemsize
    mapping = _mapped(size) if size >= LARGE else None
    if mapping is None:
        return np.empty(shape, kind)
    _mappings.add(mapping)
    return np.frombuffer(mapping, kind).reshape(shape)


def full(shape: tuple[int, ...], value: float, dtype: Any = np.float32) -> np.ndarray:
    """:func:`empty`, with one value everywhere."""
    array = empty(shape, dtype)
    for part in array:
        part[...] = value
        let_go()
    return array


def takes(size: int) -> bool:
    """Whether an array of so many bytes would lie on the disk now."""
    try:
        return size >= LARGE and shutil.disk_usage(tempfile.gettempdir()).free > size
    except OSError:
        return False


def let_go() -> None:
    """Hand what the process holds of such arrays back to the system, which keeps it at hand as long
    as nobody else needs the memory. To be called now and then in long passes over them; it takes
    next to no time."""
    if sys.platform != "linux":
        return
    for mapping in list(_mappings):
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapped(size: int) -> mmap.mmap | None:
    """Memory that lies in a file of its own; None if the disk has no room for it."""
    try:
        with tempfile.TemporaryFile(prefix="wdualmine-") as file:
            # A disk that fills up later would end the process without a word.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return mmap.mmap(file.fileno(), size)
    except OSError:
        return None
