"""What all that a page asks for has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from . import told as read
from .study import Look, Study

CURRENT, PRIOR = WHICH = ("current", "prior")


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Words and numbers that are none become an answer.

    Raises:
        InputError: in the place of what reading them raised.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise InputError(
            f"The page asks for no {what} that there is ({error})", "Open the page again"
        ) from error


@dataclass(frozen=True)
class LookRequest:
    """What is to be seen in a look, and nothing else.

    Attributes:
        strength, floor: of the look of the current study; None as it was fused.
    """

    strength: float | None
    floor: float | None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> LookRequest:
        """From a message.

        Raises:
            InputError: a number is none, or out of range.
        """
        with understood("look"):
            return LookRequest(**look_in(told))

    def look(self, own: Look) -> Look:
        """Strength and floor, ``own`` where nothing else is said; rounded as sliders step."""
        strength = own[0] if self.strength is None else round(self.strength, 2)
        floor = own[1] if self.floor is None else round(self.floor, 3)
        return strength, floor


@dataclass(frozen=True)
class PictureRequest(LookRequest):
    """A picture of any kind.

    Attributes:
        pane: which of the page's panes it is for.
        number: counted by the page, and sent back.
        which: the "current" study, or the "prior" one, which is always seen as it was fused.
        size: width and height in pixels.
        centre: RAS mm.
        field: mm across the shorter side.
        windows: for volumes that are not shown in their own.
        moving: whether another one follows at once, so that a smaller file will do.
    """

    pane: str
    number: int
    which: str
    size: tuple[int, int]
    centre: read.Point
    field: float
    windows: Mapping[str, read.Range]
    moving: bool

    def study(self, current: Study) -> Study:
        """The one that is asked for.

        Raises:
            InputError: there is no prior study.
        """
        if self.which == CURRENT:
            return current
        if current.prior is None:
            raise InputError("There is no prior study", "Serve one with --prior")
        return current.prior

    def look(self, own: Look) -> Look:
        return super().look(own) if self.which == CURRENT else own


def look_in(told: Mapping[str, Any]) -> dict[str, float | None]:
    """The fields of a :class:`LookRequest`."""
    return {"strength": read.strength(told.get("strength")), "floor": read.floor(told.get("floor"))}


def picture_in(told: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a :class:`PictureRequest`; raises what :mod:`.told` raises."""
    return look_in(told) | {
        "pane": read.word(told["pane"], 16),
        "number": int(read.number(told["number"], 0, 2**53)),
        "which": read.one_of(told.get("which", CURRENT), WHICH),
        "size": read.size(told["size"]),
        "centre": read.point(told["centre"]),
        "field": read.number(told["field"], 1, read.FAR),
        "windows": read.windows(told.get("windows", {})),
        "moving": told.get("moving") is True,
    }
