"""Arrays of any type, as numpy and other libraries give them, to types that image formats hold."""

from __future__ import annotations

import numpy as np

from ..errors import OutputError

_TYPES = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")


def storable(array: np.ndarray, name: str) -> np.ndarray:
    """``array`` in native byte order and of a type of at most 32 bits an integer, 64 a float.

    Booleans become uint8, half precision float32, integers of 64 bits the smaller type that holds
    them all, longer floats float64.

    Raises:
        OutputError: complex numbers, text or objects, or integers beyond 32 bits.
    """
    kind = array.dtype.kind
    if kind == "b":
        return array.astype(np.uint8)
    if kind not in "iuf":
        raise OutputError(
            f"{name} has voxels of type {array.dtype}, which no image file holds",
            "Give an array of integers or floating-point numbers",
        )
    if kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    if kind in "iu" and array.dtype.itemsize == 8:
        return _narrow(array, name)
    native = array.dtype.newbyteorder("=")
    assert native.str[1:] in _TYPES
    return array.astype(native, copy=False)


def _narrow(array: np.ndarray, name: str) -> np.ndarray:
    lowest, highest = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for candidate in (np.int32, np.uint32):
        limits = np.iinfo(candidate)
        if limits.min <= lowest and highest <= limits.max:
            return array.astype(candidate)
    raise OutputError(
        f"{name} has integers from {lowest} to {highest}, and image files hold 32 bits",
        "Convert the array to float64, or scale it",
    )
