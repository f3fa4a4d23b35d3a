"""Main memory: how much is there, and whether a volume of a claimed size fits.

A header may claim any size. It is looked at before anything is allocated, for the system gives out
memory that it does not have and ends the program when it is used.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InputError
from . import scratch

ASSUMED_FREE = 1 << 32
"""Bytes, where the system does not say."""

# A volume is held as stored, as float32, and in one more copy while it is turned into an array; a
# large one as stored only, while it goes to the disk.
_COPIES_BYTES = 8


def free_bytes() -> int:
    """Bytes of main memory that can still be allocated, as far as the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return ASSUMED_FREE


def require_memory(name: str, voxels: int, stored_bytes: int) -> None:
    """Raise :class:`InputError` unless a volume of ``voxels`` can be read into memory.

    Args:
        name: of the file.
        voxels: as its header says.
        stored_bytes: for one voxel.
    """
    copies = 0 if scratch.takes(4 * voxels) else _COPIES_BYTES
    needed, free = voxels * (stored_bytes + copies), free_bytes()
    if needed > free:
        raise InputError(
            f"{name} says that it has {voxels:,} voxels, for which {needed / 1e9:.1f} GB of memory "
            f"are needed and {free / 1e9:.1f} GB are free",
            "Check its header; if it is right, close other programs or crop the volume",
        )
