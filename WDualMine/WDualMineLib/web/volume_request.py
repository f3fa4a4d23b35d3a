"""The view from a side that a viewer asks for: every word of it is doubted before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import told as read
from .messages import PictureRequest, picture_in, understood

STYLES = ("surface", "maximum")


@dataclass(frozen=True)
class VolumeRequest(PictureRequest):
    """One picture of a volume as a whole.

    Attributes:
        base: name of the volume.
        style: one of :data:`STYLES`.
        level: of the surface, 0 to 1 in the window of the volume.
        flagged: whether suspected faults are shown through it.
        azimuth, elevation: from where, in degrees: see :class:`~..scene.views.projection.Sight`.
    """

    base: str
    style: str
    level: float
    flagged: bool
    azimuth: float
    elevation: float

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> VolumeRequest:
        """From a message.

        Raises:
            InputError: something is missing, of another kind or out of range.
        """
        with understood("view"):
            return cls(
                **picture_in(told),
                base=read.word(told["base"], 64),
                style=read.one_of(told.get("style", STYLES[0]), STYLES),
                level=read.number(told.get("level", 0.2), 0, 1),
                flagged=told.get("flagged") is True,
                azimuth=read.number(told["azimuth"], -360, 360),
                elevation=read.number(told["elevation"], -90, 90),
            )
