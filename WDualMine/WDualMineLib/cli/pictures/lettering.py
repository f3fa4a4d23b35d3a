"""Names of users as text in a picture: whatever they hold, it is shown as it is, or escaped."""

from __future__ import annotations

from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from ...volumes.paths import printable

# Families that have the scripts which matplotlib's own font lacks, on the systems that people use.
_FALLBACKS = (
    "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans KR", "Noto Sans JP",
    "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "Yu Gothic", "MS Gothic",
    "Hiragino Sans", "IPAexGothic", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei",
    "Noto Sans Arabic", "Noto Sans Devanagari", "Arial Unicode MS",
)  # fmt: skip
_OWN = "DejaVu Sans"


@lru_cache
def families() -> tuple[str, ...]:
    """Font families to draw with: matplotlib's own, then those that are installed."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return (_OWN, *(name for name in _FALLBACKS if name in installed))


def legible(text: str) -> str:
    """``text`` on one line, with escapes for what no font of :func:`families` can draw.

    Line breaks, which the pictures use, stay.
    """
    return "\n".join("".join(map(_drawn, printable(line))) for line in text.split("\n"))


def _drawn(character: str) -> str:
    if ord(character) < 128 or any(font.get_char_index(ord(character)) for font in _fonts()):
        return character
    return character.encode("unicode_escape").decode("ascii")


@lru_cache
def _fonts() -> tuple[FT2Font, ...]:
    paths = (font_manager.findfont(name, fallback_to_default=False) for name in families())
    return tuple(font_manager.get_font(path) for path in paths)
