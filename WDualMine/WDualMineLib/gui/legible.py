"""Colours of text that hold on any background, a light or a dark style alike."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import qt

CONTRAST = 4.5
"""Least ratio of luminances for text of normal size (WCAG 2.2, success criterion 1.4.3)."""

_STEPS = 100


def legible(colour: str) -> str:
    """``colour`` ("#rrggbb"), lighter or darker as far as it must be on the style of the moment."""
    application = qt.QApplication.instance()
    if application is None:
        return colour
    return against(colour, application.palette().color(qt.QPalette.Window).name())


@lru_cache(maxsize=64)
def against(colour: str, background: str) -> str:
    """The colour of the same hue that is nearest to ``colour`` and has :data:`CONTRAST` there."""
    if contrast(colour, background) >= CONTRAST:
        return colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    towards = 0.0 if contrast("#000000", background) > contrast("#ffffff", background) else 1.0
    for step in range(1, _STEPS + 1):
        other = lightness + (towards - lightness) * step / _STEPS
        found = _hex(colorsys.hls_to_rgb(hue, other, saturation))
        if contrast(found, background) >= CONTRAST:
            return found
    return "#000000" if towards == 0 else "#ffffff"


def contrast(first: str, second: str) -> float:
    """Ratio of relative luminances, 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return red / 255, green / 255, blue / 255


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * c):02x}" for c in rgb)
