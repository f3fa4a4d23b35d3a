"""Single words and numbers of a message, each doubted before it is used.

All raise TypeError or ValueError where they are not what they should be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

Range = tuple[float, float]
Point = tuple[float, float, float]

FAR = 1e5  # mm
_LARGEST, _SMALLEST = 1600, 16


def point(told: Any) -> Point:
    """RAS mm."""
    r, a, s = (number(x, -FAR, FAR) for x in told)
    return r, a, s


def size(told: Any) -> tuple[int, int]:
    """Width and height of a picture in pixels."""
    width, height = (int(number(x, _SMALLEST, _LARGEST)) for x in told)
    return width, height


def windows(told: Any) -> Mapping[str, Range]:
    """Lowest and highest value shown, by the name of a volume."""
    return {word(name, 64): window(each) for name, each in dict(told).items()}


def number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is none")
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"a number is not in [{low:g}, {high:g}]")
    return float(value)


def word(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise TypeError("a word is none")
    return value


def one_of(value: Any, known: Collection[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError("an unknown word")
    return value


def window(value: Any) -> Range:
    low, high = (number(x, -1e9, 1e9) for x in value)
    if low >= high:
        raise ValueError("a window is empty")
    return low, high


def maybe(value: Any, read: Callable[[Any], float]) -> float | None:
    return None if value is None else read(value)


def strength(value: Any) -> float | None:
    """Detail strength; None as it was fused."""
    return maybe(value, lambda x: number(x, 0, 2))


def floor(value: Any) -> float | None:
    """Correlation floor; None as it was fused."""
    return maybe(value, lambda x: number(x, 0, 0.9999))
