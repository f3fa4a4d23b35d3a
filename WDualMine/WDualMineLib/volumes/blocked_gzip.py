"""Compression of voxels in blocks, by all cores, into one ordinary gzip stream.

Every block is a part of one DEFLATE stream (RFC 1951) that does not refer to what lies before it,
as ``pigz --independent`` writes them; all readers of gzip (RFC 1952) take that as it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..cores import usable_cores
from .scratch import let_go

_BLOCK = 1 << 22
_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\x04\xff"
# What is looked at of a block to choose how it is compressed: so many pieces of so many bytes; and
# how much larger it may become by being compressed faster.
_SAMPLES, _SAMPLE = 16, 1 << 12
_AS_SMALL = 1.02


def compressed(data: memoryview) -> Iterator[bytes]:
    """A gzip stream of ``data`` (bytes), piece by piece; at most two blocks a core are held."""
    yield _HEADER
    blocks = [data[i : i + _BLOCK] for i in range(0, len(data), _BLOCK)]
    threads = min(usable_cores(), max(1, len(blocks)))
    check = 0
    with ThreadPoolExecutor(threads, "compression") as pool:
        for first in range(0, len(blocks), 2 * threads):
            together = blocks[first : first + 2 * threads]
            for block, packed in zip(together, pool.map(_packed, together), strict=True):
                check = zlib.crc32(block, check)
                yield packed
            let_go()
    # An empty last block, which ends the stream.
    yield _packer(zlib.Z_DEFAULT_STRATEGY).flush()
    yield struct.pack("<2I", check, len(data) % (1 << 32))


def _packed(block: memoryview) -> bytes:
    packer = _packer(strategy_for(block))
    return packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)


def _packer(strategy: int) -> zlib._Compress:
    # Level 1: higher levels take several times as long for a few per cent of float voxels.
    return zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)


def strategy_for(block: memoryview) -> int:
    """How to look for repetitions: in the digits of most float voxels there are none but runs, and
    looking for more takes three times as long. A sample tells."""
    starts = np.linspace(0, max(0, len(block) - _SAMPLE), _SAMPLES).astype(int)
    sample = b"".join(block[k : k + _SAMPLE] for k in starts)
    of_any_kind, of_runs = (
        len(packer.compress(sample) + packer.flush())
        for packer in map(_packer, (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE))
    )
    return zlib.Z_RLE if of_runs <= _AS_SMALL * of_any_kind else zlib.Z_DEFAULT_STRATEGY
