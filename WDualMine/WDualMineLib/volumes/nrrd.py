"""NRRD files, written so that ITK and Slicer read back the geometry to the last bit where they can.

NRRD keeps, for every axis, spacing times direction as one vector; readers take it apart again as
``spacing = |v|``, ``direction = v * (1 / |v|)``, which often misses the numbers it was made from
by one unit in the last place. The writer here looks among the neighbouring doubles for a vector
that comes apart exactly. One exists for every geometry that was itself read from a NRRD; where
none exists (a third of spacings of the kind 0.9765625 never give a direction of exactly 1) the
closest is written.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from .blocked_gzip import compressed
from .geometry import Geometry
from .scratch import let_go
from .volume import Volume

_TYPES = {
    "i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32",
    "f4": "float", "f8": "double",
}  # fmt: skip
_CHUNK = 1 << 24


def write_nrrd(volume: Volume, stream: BinaryIO, compress: bool = True) -> None:
    """Write ``volume`` to ``stream`` as NRRD 4, gzip-encoded if ``compress``.

    Colour goes in as a vector axis of kind ``RGB-color``. Attributes become key/value pairs:
    strings as they are, anything else as JSON; notes become one, a line each.

    Raises:
        ValueError: the array's type is none that NRRD knows.
        OSError: from ``stream``.
    """
    stream.write("\n".join([*_header(volume, compress), "", ""]).encode())
    for block in _encoded(volume.array, compress):
        stream.write(block)


def axis_vector(spacing: float, direction: np.ndarray) -> np.ndarray:
    """(3,) float64: the vector that readers take apart into ``spacing`` and ``direction``.

    Args:
        spacing: mm.
        direction: (3,) unit vector in LPS.
    """
    vector = direction * spacing
    steps = [
        [x] if x == 0 else [x, np.nextafter(x, -np.inf), np.nextafter(x, np.inf)] for x in vector
    ]
    candidates = np.array(list(itertools.product(*steps)))
    # The order of operations is that of teem's nrrdSpaceVecNorm and nrrdSpaceVecScale.
    x, y, z = candidates.T
    norms = np.sqrt(x * x + y * y + z * z)
    directions = candidates * (1.0 / norms)[:, None]
    errors = np.abs(directions - direction).max(axis=1) + np.abs(norms / spacing - 1)
    return candidates[np.argmin(errors)]


def _header(volume: Volume, compress: bool) -> list[str]:
    kind = volume.array.dtype.str[1:]
    if kind not in _TYPES:
        raise ValueError(f"NRRD cannot hold voxels of type {volume.array.dtype}")
    geometry = volume.geometry
    attributes = volume.attributes | ({"notes": "\n".join(volume.notes)} if volume.notes else {})
    components = [str(volume.array.shape[3])] if volume.is_colour else []
    return [
        "NRRD0004",
        f"type: {_TYPES[kind]}",
        f"dimension: {volume.array.ndim}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(components + [str(n) for n in geometry.size])}",
        f"space directions: {' '.join(['none'] * len(components) + _vectors(geometry))}",
        f"kinds: {' '.join(['RGB-color'] * len(components) + ['domain'] * 3)}",
        "endian: little",
        f"encoding: {'gzip' if compress else 'raw'}",
        f"space origin: {_vector(geometry.origin)}",
        *(f"{_key(k)}:={_value(v)}" for k, v in attributes.items()),
    ]


def _vectors(geometry: Geometry) -> list[str]:
    columns = geometry.direction_matrix.T
    return [
        _vector(axis_vector(s, column)) for s, column in zip(geometry.spacing, columns, strict=True)
    ]


def _vector(numbers: Any) -> str:
    return "(" + ",".join(repr(float(x)) for x in numbers) + ")"


def _key(key: str) -> str:
    return key.replace(":=", "_").replace("\n", " ")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _encoded(array: np.ndarray, compress: bool) -> Iterator[bytes | memoryview]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    data = little.data.cast("B")
    if compress:
        yield from compressed(data)
    else:
        for start in range(0, len(data), _CHUNK):
            yield data[start : start + _CHUNK]
            let_go()
