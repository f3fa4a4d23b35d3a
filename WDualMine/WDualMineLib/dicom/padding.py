"""Pixels outside the field of view, which a header marks by a value or a range of stored values.

PS3.3 C.7.5.1.1.2: a stored value equal to PixelPaddingValue (0028,0120), or between it and
PixelPaddingRangeLimit (0028,0121), stands for no measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from .headers import number

_INTEGER = ("PixelPaddingValue", "PixelPaddingRangeLimit")
_FLOAT = (
    ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
    ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
)


@dataclass(frozen=True)
class Padding:
    """Stored values from ``low`` to ``high``, both included, are padding."""

    low: float
    high: float

    def where(self, stored: np.ndarray) -> np.ndarray:
        """Boolean mask of ``stored``, of any shape."""
        return (stored >= self.low) & (stored <= self.high)


def float_padding(dataset: Dataset) -> Padding | None:
    """What a header says of floating-point pixels; None where it marks none."""
    for value, limit in _FLOAT:
        if (padding := _between(number(dataset, value), number(dataset, limit))) is not None:
            return padding
    return None


def integer_padding(dataset: Dataset, bits: int, signed: bool) -> Padding | None:
    """What a header says of integer pixels; None where it marks none.

    Args:
        bits: allocated for a pixel.
        signed: whether pixels are. Scanners write the value of signed pixels as unsigned and the
            other way round (63536 for -2000), so it is read as a pixel would be.
    """
    value, limit = (_as_pixel(number(dataset, name), bits, signed) for name in _INTEGER)
    return _between(value, limit)


def _between(value: float | None, limit: float | None) -> Padding | None:
    if value is None:
        return None
    other = value if limit is None else limit
    return Padding(min(value, other), max(value, other))


def _as_pixel(value: float | None, bits: int, signed: bool) -> float | None:
    if value is None:
        return None
    word = int(value) % 2**bits
    return float(word - 2**bits if signed and word >= 2 ** (bits - 1) else word)
