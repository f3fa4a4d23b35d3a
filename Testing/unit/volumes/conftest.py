"""Volumes and NIfTI files made by hand, so that every header field is under the test's control."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume


@pytest.fixture
def make_volume() -> Callable[..., Volume]:
    return _make_volume


def _make_volume(direction: np.ndarray | None = None, size=(7, 6, 5), seed: int = 0) -> Volume:
    rng = np.random.default_rng(seed)
    direction = np.eye(3) if direction is None else direction
    geometry = Geometry(
        size, (0.9765625, 1.1, 2.5), (-12.25, 30.1, 7.7), tuple(direction.ravel().tolist())
    )
    return Volume(rng.random(geometry.array_shape, dtype=np.float32), geometry, "sample")


def nifti_bytes(
    array: np.ndarray,
    sform: np.ndarray | None = None,
    offset: tuple[float, float, float] | None = None,
    order: str = "<",
    pixdim: tuple[float, float, float] = (1.0, 1.0, 1.0),
    datatype: tuple[int, int] = (16, 32),
) -> bytes:
    """A single-file NIfTI-1.

    Args:
        array: (..., K, J, I).
        sform: 3x4 voxel-to-RAS, or None for sform code 0.
        offset: RAS offset of a qform without rotation, or None for qform code 0.
    """
    header = bytearray(348)
    dims = array.shape[::-1]
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, len(dims), *dims, *[1] * (7 - len(dims)))
    struct.pack_into(f"{order}2h", header, 70, *datatype)
    struct.pack_into(f"{order}8f", header, 76, 1.0, *pixdim, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into(f"{order}3f", header, 108, 352.0, 1.0, 0.0)
    header[123] = 2
    struct.pack_into(f"{order}2h", header, 252, int(offset is not None), int(sform is not None))
    struct.pack_into(f"{order}3f", header, 268, *(offset or (0, 0, 0)))
    if sform is not None:
        struct.pack_into(f"{order}12f", header, 280, *np.asarray(sform).ravel())
    header[344:348] = b"n+1\0"
    voxels = array.astype(array.dtype.newbyteorder(order)).tobytes()
    return bytes(header) + b"\0" * 4 + voxels


@pytest.fixture
def write_nifti(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, array: np.ndarray, **fields) -> Path:
        path = tmp_path / name
        path.write_bytes(nifti_bytes(array, **fields))
        return path

    return write
