"""A dark page for pictures of planes, measured in inches, and writing on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ...volumes.whole_files import writing_errors
from .lettering import families, legible

DOTS_PER_INCH = 110
_BACK, _INK, _LETTER = "#101010", "#e8e8e8", "#ffd24d"
_OUTLINE = [withStroke(linewidth=2, foreground="black")]


def new_page(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure and one pair of axes, in inches: one for each panel would cost seconds."""
    figure = Figure(figsize=(width, height), facecolor=_BACK)
    FigureCanvasAgg(figure)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    return figure, page


def save_page(figure: Figure, path: Path) -> None:
    """Write a PNG. Raises OutputError if it cannot be written."""
    with writing_errors(path):
        figure.savefig(path, format="png", dpi=DOTS_PER_INCH, facecolor=_BACK)


def write(page: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Centred, small and light unless ``style`` says otherwise.

    What it says may be a name that a user gave: a dollar sign in it begins no formula.
    """
    usual: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "color": _INK,
        "size": 8,
        "family": list(families()),
    }
    page.text(x, y, legible(text), parse_math=False, **(usual | style))


def write_letter(page: Axes, x: float, y: float, letter: str) -> None:
    """The letter of an edge (R, L, A, P, S, I), legible on any picture."""
    style = {"color": _LETTER, "size": 9, "weight": "bold", "path_effects": _OUTLINE}
    write(page, x, y, letter, **style)


def short(name: str, limit: int = 26) -> str:
    """A name of at most ``limit`` characters, as :func:`write` shows it."""
    name = " ".join(legible(name).split("\n"))
    return name if len(name) <= limit else f"{name[: limit - 1]}…"
