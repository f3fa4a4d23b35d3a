"""What a viewer asks a picture for: every word of it is doubted before it is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .planes import PLANES

MODES = ("layers", "checkerboard", "curtain")
_LARGEST, _SMALLEST = 1600, 16
_FAR = 1e5  # mm
_REMEDY = "Open the page again"

Range = tuple[float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class FrameRequest:
    """One picture.

    Attributes:
        pane: which of the page's panes it is for.
        number: counted by the page, and sent back.
        plane: one of :data:`.planes.PLANES`.
        mode: "layers": ``over`` lies over ``base``; else both sources, in squares or on either side
            of a line.
        base, over: names of volumes; "" for no overlay.
        opacity: of the overlay, 0 to 1.
        shown_from: value below which an overlay is not shown; None for its own.
        split: where the line is, 0 to 1 from the left.
        squares: across the shorter side.
        size: width and height in pixels.
        centre: RAS mm.
        field: mm across the shorter side.
        windows: for volumes that are not shown in their own.
        strength, floor: of the look; None as it was fused.
        moving: whether another one follows at once, so that a smaller file will do.
    """

    pane: str
    number: int
    plane: str
    mode: str
    base: str
    over: str
    opacity: float
    shown_from: float | None
    split: float
    squares: int
    size: tuple[int, int]
    centre: Point
    field: float
    windows: Mapping[str, Range]
    strength: float | None
    floor: float | None
    moving: bool

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> FrameRequest:
        """From a message.

        Raises:
            InputError: something is missing, of another kind or out of range.
        """
        try:
            return cls(
                pane=_word(told["pane"], 16),
                number=int(_number(told["number"], 0, 2**53)),
                plane=_one_of(told["plane"], PLANES),
                mode=_one_of(told.get("mode", "layers"), MODES),
                base=_word(told["base"], 64),
                over=_word(told.get("over", ""), 64),
                opacity=_number(told.get("opacity", 0.5), 0, 1),
                shown_from=_maybe(told.get("from"), lambda x: _number(x, 0, 1)),
                split=_number(told.get("split", 0.5), 0, 1),
                squares=int(_number(told.get("squares", 6), 1, 64)),
                size=(
                    int(_number(told["size"][0], _SMALLEST, _LARGEST)),
                    int(_number(told["size"][1], _SMALLEST, _LARGEST)),
                ),
                centre=point(told["centre"]),
                field=_number(told["field"], 1, _FAR),
                windows={
                    _word(name, 64): _range(window)
                    for name, window in dict(told.get("windows", {})).items()
                },
                strength=_maybe(told.get("strength"), lambda x: _number(x, 0, 2)),
                floor=_maybe(told.get("floor"), lambda x: _number(x, 0, 0.9999)),
                moving=told.get("moving") is True,
            )
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise InputError(
                f"The page asks for no picture that there is ({error})", _REMEDY
            ) from error

    def look(self, own: tuple[float, float]) -> tuple[float, float]:
        """Strength and floor, ``own`` where nothing else is said; rounded as sliders step."""
        strength = own[0] if self.strength is None else round(self.strength, 2)
        floor = own[1] if self.floor is None else round(self.floor, 3)
        return strength, floor


def point(told: Any) -> Point:
    """RAS mm.

    Raises:
        TypeError, ValueError: it is none.
    """
    r, a, s = (_number(x, -_FAR, _FAR) for x in told)
    return r, a, s


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is none")
    if not math.isfinite(value) or not low <= value <= high:
        raise ValueError(f"a number is not in [{low:g}, {high:g}]")
    return float(value)


def _word(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise TypeError("a word is none")
    return value


def _one_of(value: Any, known: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError("an unknown word")
    return value


def _range(value: Any) -> Range:
    low, high = (_number(x, -1e9, 1e9) for x in value)
    if low >= high:
        raise ValueError("a window is empty")
    return low, high


def _maybe(value: Any, read: Callable[[Any], float]) -> float | None:
    return None if value is None else read(value)
