"""The series of an export: their parts, labels and files, known before anything is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

MAP_KEYS = ("reliability_fixed", "reliability_moving", "arbitration")
PARTS = ("fused", "colour", *MAP_KEYS, "registration")
"""What a result can be made of, each a series of its own, in the order of their numbers."""

FOLDERS = ("fused", "fused_colour", "maps", "registration")
FIRST_NUMBER = 101
"""Of the series of :data:`PARTS`. Scanners number from 1."""

_WORDS = {
    "fused": "Fused {fixed} + {moving} (WDualMine), not for diagnosis",
    "colour": "Fused {fixed} + {moving} in colour (WDualMine), not for diagnosis",
    "reliability_fixed": "Reliability of fixed {fixed}, 0 to 1, not for diagnosis",
    "reliability_moving": "Reliability of moving {moving}, 0 to 1, not for diagnosis",
    "arbitration": "Arbitration: 0 frequency, 1 spatial expert, not for diagnosis",
    "registration": "Registration of moving to fixed (WDualMine), not for diagnosis",
}
_LONGEST = 64  # VR LO
_GREATEST = 2**31 - 1  # VR IS
_MODALITY_WORDS = {"PT": "PET"}


def modality_in_words(modality: str) -> str:
    """As descriptions name it: "PET" for "PT", "image" where unknown ("")."""
    return _MODALITY_WORDS.get(modality, modality) or "image"


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


def default_labels(fixed: str, moving: str) -> dict[str, SeriesLabel]:
    """The label of each of :data:`PARTS`.

    Args:
        fixed, moving: modalities, such as "CT" or "PT"; "" where unknown.
    """
    names = [modality_in_words(name) for name in (fixed, moving)]
    return {
        part: SeriesLabel(
            FIRST_NUMBER + index,
            _WORDS[part].format(fixed=names[0], moving=names[1])[:_LONGEST],
        )
        for index, part in enumerate(PARTS)
    }


def object_names(slices: int, parts: Collection[str]) -> list[Path]:
    """The files of a result, relative to the folder, before there is one.

    Args:
        slices: of the fixed grid.
        parts: which of :data:`PARTS` there are.
    """
    return [
        name
        for part in PARTS
        if part in parts
        for name in (
            [image_name(part, index) for index in range(slices)]
            if part in ("fused", "colour")
            else [single_name(part)]
        )
    ]


def image_name(part: str, index: int) -> Path:
    """The file of slice ``index`` of the part "fused" or "colour"."""
    return Path("fused_colour" if part == "colour" else "fused", f"{index + 1:04d}.dcm")


def single_name(part: str) -> Path:
    """The file of a part that is one object."""
    return Path("maps" if part in MAP_KEYS else "registration", f"{part}.dcm")
