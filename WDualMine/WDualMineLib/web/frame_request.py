"""The slice that a viewer asks for: every word of it is doubted before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import told as read
from .messages import PictureRequest, picture_in, understood
from .planes import PLANES

MODES = ("layers", "checkerboard", "curtain")
SLABS = ("maximum", "mean", "minimum")
_THICKEST = 200.0  # mm


@dataclass(frozen=True)
class FrameRequest(PictureRequest):
    """One picture of a slice.

    Attributes:
        plane: one of :data:`.planes.PLANES`.
        mode: "layers": ``over`` lies over ``base``; else both sources, in squares or on either side
            of a line.
        base, over: names of volumes; "" for no overlay.
        opacity: of the overlay, 0 to 1.
        shown_from: value below which an overlay is not shown; None for its own.
        split: where the line is, 0 to 1 from the left.
        squares: across the shorter side.
        slab: mm along the normal that are taken together, half of them on either side; 0 shows the
            slice alone.
        slab_kind: how: one of :data:`SLABS`.
    """

    plane: str
    mode: str
    base: str
    over: str
    opacity: float
    shown_from: float | None
    split: float
    squares: int
    slab: float
    slab_kind: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> FrameRequest:
        """From a message.

        Raises:
            InputError: something is missing, of another kind or out of range.
        """
        with understood("picture"):
            return cls(
                **picture_in(told),
                plane=read.one_of(told["plane"], PLANES),
                mode=read.one_of(told.get("mode", "layers"), MODES),
                base=read.word(told["base"], 64),
                over=read.word(told.get("over", ""), 64),
                opacity=read.number(told.get("opacity", 0.5), 0, 1),
                shown_from=read.maybe(told.get("from"), lambda x: read.number(x, 0, 1)),
                split=read.number(told.get("split", 0.5), 0, 1),
                squares=int(read.number(told.get("squares", 6), 1, 64)),
                slab=read.number(told.get("slab", 0), 0, _THICKEST),
                slab_kind=read.one_of(told.get("slab_kind", SLABS[0]), SLABS),
            )
