"""A font that can write names of patients, wherever the page is made; what it lacks is escaped.

A 3D Slicer has Pillow, and neither matplotlib nor a font of its own that Pillow could find.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ImageFont

from ..volumes.paths import printable

# Found by name in the folders of the system; each has Latin, Greek and Cyrillic letters.
_FACES = (
    "DejaVuSans.ttf", "arial.ttf", "Arial.ttf", "segoeui.ttf", "LiberationSans-Regular.ttf",
    "NotoSans-Regular.ttf", "Helvetica.ttc",
)  # fmt: skip
_NOWHERE = "\uffff"  # a character that no font draws


@lru_cache
def face(size: int) -> Any:
    """A Pillow font of ``size`` pixels: matplotlib's, the system's, or the one inside Pillow."""
    for name in (*_beside_matplotlib(), *_FACES):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def writable(text: str) -> str:
    """``text`` on one line, letters that :func:`face` lacks without their accents, or escaped."""
    return "".join(map(_drawn, printable(text)))


def _beside_matplotlib() -> list[str]:
    # Where it lies, without loading it, which takes a second.
    found = importlib.util.find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return []
    folder = Path(next(iter(found.submodule_search_locations)))
    return [str(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")]


@lru_cache
def _drawn(character: str) -> str:
    if ord(character) < 128 or _has(character):
        return character
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return plain or character.encode("unicode_escape").decode("ascii")


def _has(character: str) -> bool:
    font = face(20)
    return bytes(font.getmask(character)) != bytes(font.getmask(_NOWHERE))
