"""The series of an export: their parts, labels and files, known before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..volumes.modality import in_words

FOLDERS = ("fused", "fused_colour", "maps", "registration")
_LONGEST = 64  # VR LO
_GREATEST = 2**31 - 1  # VR IS


@dataclass(frozen=True)
class SeriesLabel:
    """How a list of series shows one.

    Raises:
        InputError: a number or description that DICOM cannot hold.
    """

    number: int
    description: str

    def __post_init__(self) -> None:
        if not 0 <= self.number <= _GREATEST:
            raise InputError(
                f"The series number {self.number} is not possible",
                f"Give one from 0 to {_GREATEST}; those above 100 are rarely taken",
            )
        text = self.description
        if not text.strip() or len(text) > _LONGEST or "\\" in text or not text.isprintable():
            raise InputError(
                f"The series description {text!r} is not possible",
                f"Give 1 to {_LONGEST} characters without a backslash",
            )


@dataclass(frozen=True)
class SeriesKind:
    """One kind of series of an export.

    Attributes:
        name: of the part of a result that it holds.
        number: of the series; scanners number from 1.
        words: its description, to be filled with the modalities ``fixed`` and ``moving``.
        folder: one of :data:`FOLDERS`.
        label: of a map's content, at most 16 capitals (VR CS); "" for what is no map.
        meaning: of a map's quantity, as a coded term of our own scheme.
        scale: the lowest and the highest value of a map.
    """

    name: str
    number: int
    words: str
    folder: str
    label: str = ""
    meaning: str = ""
    scale: tuple[float, float] = (0.0, 1.0)

    def default_label(self, fixed: str, moving: str) -> SeriesLabel:
        """Number and description for sources of these modalities; "" where unknown."""
        described = self.words.format(fixed=in_words(fixed), moving=in_words(moving))
        return SeriesLabel(self.number, described[:_LONGEST])

    def files(self, slices: int) -> list[Path]:
        """Its files, relative to the folder of the export; an image has one for each slice."""
        if self in (FUSED, COLOUR):
            return [image_name(self, index) for index in range(slices)]
        return [Path(self.folder, f"{self.name}.dcm")]


FUSED = SeriesKind("fused", 101, "Fused {fixed} + {moving} (WDualMine), not for diagnosis", "fused")
COLOUR = SeriesKind(
    "colour",
    102,
    "Fused {fixed} + {moving} in colour (WDualMine), not for diagnosis",
    "fused_colour",
)
REGISTRATION = SeriesKind(
    "registration",
    106,
    "Registration of moving to fixed (WDualMine), not for diagnosis",
    "registration",
)


def image_name(kind: SeriesKind, index: int) -> Path:
    """The file of slice ``index`` of :data:`FUSED` or :data:`COLOUR`."""
    return Path(kind.folder, f"{index + 1:04d}.dcm")


def object_names(slices: int, kinds: Iterable[SeriesKind]) -> list[Path]:
    """The files of a result, relative to the folder, before there is one.

    Args:
        slices: of the fixed grid.
        kinds: the series that there are.
    """
    return [name for kind in kinds for name in kind.files(slices)]
