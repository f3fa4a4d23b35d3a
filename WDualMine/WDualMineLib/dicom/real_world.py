"""Stored values to quantities with units, by a Real World Value Mapping (PS3.3 C.7.6.16.2.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from .headers import number, numbers, text

# Codes of UCUM by the words that DICOM has for the same units elsewhere.
_WORDS = {
    "[hnsf'U]": "HU",
    "Bq/ml": "BQML",
    "g/ml{SUVbw}": "GML",
    "{SUVbw}g/ml": "GML",
}


@dataclass(frozen=True)
class ValueMapping:
    """One mapping.

    Attributes:
        slope, intercept: stored value to real value, where there is no ``table``.
        units: code of UCUM, or the word that DICOM uses elsewhere ("HU", "BQML", "GML").
        first, last: stored values that the mapping is for, both included; None without limit.
        table: real value of each stored value from ``first`` to ``last``, or None.
        others: units of further mappings of the same values, which were not taken.
    """

    slope: float
    intercept: float
    units: str
    first: float | None = None
    last: float | None = None
    table: tuple[float, ...] | None = None
    others: tuple[str, ...] = ()

    def real(self, stored: np.ndarray) -> np.ndarray:
        """float64; what lies outside the range that the mapping is for is NaN."""
        values = stored.astype(np.float64)
        inside = np.ones(values.shape, dtype=bool)
        if self.first is not None and self.last is not None:
            inside = (values >= self.first) & (values <= self.last)
        if self.table is None:
            return np.where(inside, values * self.slope + self.intercept, np.nan)
        index = np.where(inside, values - (self.first or 0), 0).astype(np.intp)
        return np.where(inside, np.array(self.table)[index], np.nan)


def mapping_of(items: Sequence[Dataset], signed: bool) -> ValueMapping | None:
    """The mapping that a Real World Value Mapping Sequence gives; None for an empty one.

    Args:
        items: of the sequence.
        signed: whether stored values are.

    Raises:
        ValueError: a mapping without units or numbers, or several for parts of the values.
    """
    if not items:
        return None
    mappings = [_one(item, signed) for item in items]
    first = mappings[0]
    alike = [m for m in mappings[1:] if (m.first, m.last) == (first.first, first.last)]
    if len(alike) < len(mappings) - 1:
        raise ValueError("its real-world values are mapped in several pieces")
    others = tuple(dict.fromkeys(m.units for m in alike if m.units != first.units))
    if alike and not others and any(m != first for m in alike):
        raise ValueError(f"it has several mappings to real-world values in {first.units}")
    return ValueMapping(**{**vars(first), "others": others})


def _one(item: Dataset, signed: bool) -> ValueMapping:
    low = number(item, "DoubleFloatRealWorldValueFirstValueMapped")
    high = number(item, "DoubleFloatRealWorldValueLastValueMapped")
    if low is None or high is None:
        low = number(item, "RealWorldValueFirstValueMapped")
        high = number(item, "RealWorldValueLastValueMapped")
        if signed and low is not None and low > 32767:  # a negative limit, written as unsigned
            low -= 65536
            high = None if high is None else high - 65536 * (high > 32767)
    if low is not None and high is not None and low > high:
        raise ValueError(f"its real-world values are mapped from {low:g} down to {high:g}")
    units = _units(item)
    table = item.get("RealWorldValueLUTData")
    if table is not None:
        entries = numbers(item, "RealWorldValueLUTData", len(table))
        if low is None or high is None or len(entries) != high - low + 1:
            raise ValueError("its table of real-world values does not fit its range")
        return ValueMapping(1.0, 0.0, units, low, high, entries)
    slope = number(item, "RealWorldValueSlope")
    intercept = number(item, "RealWorldValueIntercept")
    if not slope or intercept is None:
        raise ValueError("its mapping to real-world values has no slope or no intercept")
    return ValueMapping(slope, intercept, units, low, high)


def _units(item: Dataset) -> str:
    codes = item.get("MeasurementUnitsCodeSequence")
    code = text(codes[0], "CodeValue") if codes else ""
    if not code:
        raise ValueError("its mapping to real-world values says no unit")
    return _WORDS.get(code, code)
