"""One picture of a fusion: sources, fused volume and maps in three planes, with their scales."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ...casereport.patient_planes import Plane, centre_of_mass, planes_through
from ...fusion.colour import colour_table
from ...fusion.intensity import Window
from ...palettes import PALETTES
from ...pipeline.parts import COLOUR, FUSED, PARTS, Part
from ...pipeline.result import Result
from ...version import __version__
from ...volumes import scratch
from ...volumes.volume import Volume
from .page import new_page, save_page, short, write, write_letter

# In inches: the width of a panel, the space between two, and the margins.
_PANEL, _GAP, _LEFT, _TOP, _BOTTOM = 2.3, 0.06, 0.45, 0.5, 0.75
_GREY = ListedColormap(np.linspace(0, 1, 256)[:, None].repeat(3, axis=1))
# Where both sources are darker than this, there is no head to find the centre of.
_BODY = 0.1


_Box = tuple[float, float, float, float]
"""Left, right, bottom and top of a panel, in inches."""


@dataclass(frozen=True)
class _Column:
    """One volume of the picture.

    ``ticks`` label its colour bar, which goes from ``low`` at 0 to ``high`` at 1. Colours with
    transparency lie over the volume ``under`` them, in grey.
    """

    title: str
    volume: Volume
    colours: ListedColormap | None
    ticks: dict[float, str]
    low: float = 0.0
    high: float = 1.0
    under: Volume | None = None


def write_overview(path: Path, result: Result) -> None:
    """Draw ``result`` into a PNG. Raises OutputError if it cannot be written."""
    save_page(draw_overview(result), path)


def draw_overview(result: Result) -> Figure:
    """A row for each plane through the centre of the head, a column for each volume."""
    pair = result.pair
    body = scratch.empty(pair.fixed.shape, bool)
    for into, fixed, moving in zip(body, pair.fixed, pair.moving, strict=True):
        np.greater(np.maximum(fixed, moving), _BODY, out=into)
        scratch.let_go()
    planes = planes_through(pair.geometry, centre_of_mass(pair.geometry, body))
    columns = _columns(result)
    widest = max(plane.extent_mm[0] for plane in planes)
    scale = _PANEL / widest
    width = _LEFT + len(columns) * (_PANEL + _GAP) + _GAP
    height = _TOP + sum(plane.extent_mm[1] * scale + _GAP for plane in planes) + _BOTTOM
    figure, page = new_page(width, height)
    for number, column in enumerate(columns):
        left, bottom = _LEFT + number * (_PANEL + _GAP), height - _TOP
        centre = left + _PANEL / 2
        write(page, centre, bottom + 0.03, column.title, va="bottom", size=9)
        for plane in planes:
            w, h = (side * scale for side in plane.extent_mm)
            bottom -= h + _GAP
            box = (centre - w / 2, centre + w / 2, bottom, bottom + h)
            if column.under is not None:
                _draw(page, plane.cut(column.under), box, _GREY, 0.0, 1.0)
            _draw(page, plane.cut(column.volume), box, column.colours, column.low, column.high)
            if number == 0:
                name = f"{plane.name.capitalize()}   {plane.position}"
                write(page, _LEFT / 3, bottom + h / 2, name, rotation=90)
                _write_letters(page, plane, box)
        if column.colours is not None:
            _draw_scale(page, centre, column)
    write(page, _LEFT, 0.1, _footer(result), ha="left", va="bottom")
    # Last, because every image makes the axes fit itself.
    page.set(xlim=(0, width), ylim=(0, height), aspect="auto")
    return figure


def _draw(
    page: Axes,
    picture: np.ndarray,
    box: _Box,
    colours: ListedColormap | None,
    low: float,
    high: float,
) -> None:
    page.imshow(picture, extent=box, cmap=colours, vmin=low, vmax=high, interpolation="nearest")


def _write_letters(page: Axes, plane: Plane, box: _Box) -> None:
    left, right, bottom, top = box
    middle, centre, margin = (left + right) / 2, (bottom + top) / 2, 0.09
    places = (
        (left + margin, centre),
        (right - margin, centre),
        (middle, top - margin),
        (middle, bottom + margin),
    )
    for letter, (x, y) in zip(plane.edges, places, strict=True):
        write_letter(page, x, y, letter)


def _draw_scale(page: Axes, centre: float, column: _Column) -> None:
    left, right = centre - 0.42 * _PANEL, centre + 0.42 * _PANEL
    bottom, top = _BOTTOM - 0.25, _BOTTOM - 0.14
    ramp = np.linspace(0, 1, 256)[None]
    page.imshow(ramp, extent=(left, right, bottom, top), cmap=column.colours, vmin=0, vmax=1)
    for value, label in column.ticks.items():
        # Within the bar's own width, or neighbouring columns run into each other.
        side = {0.0: "left", 1.0: "right"}.get(value, "center")
        x = left + value * (right - left)
        write(page, x, bottom - 0.03, label, ha=side, va="top", size=7)


def _columns(result: Result) -> list[_Column]:
    pair = result.pair
    sources = [
        (_source(result, "fixed"), pair.fixed_window, f"Fixed: {short(pair.fixed_name)}"),
        (_source(result, "moving"), pair.moving_window, f"Moving: {short(pair.moving_name)}"),
    ]
    chosen = result.settings.colour
    table = _GREY if chosen is None else ListedColormap(colour_table(chosen))
    columns = [
        _Column(
            f"{title}\nwindow {window.name}",
            volume,
            table if pair.functional == role else _GREY,
            _window_ticks(window),
        )
        for role, (volume, window, title) in zip(("fixed", "moving"), sources, strict=True)
    ]
    there = [part for part in PARTS if part.name in result.volumes and part.overlay]
    return columns + [_column_of(part, result) for part in there]


def _column_of(part: Part, result: Result) -> _Column:
    volume = result.volumes[part.name]
    if part == COLOUR:
        return _Column(part.heading, volume, None, {})
    low, high = part.scale
    title = part.heading.replace(" of ", " of\n")
    if part == FUSED or not part.palette:
        return _Column(title, volume, _GREY, _scale_ticks(part), low, high)
    table = PALETTES[part.palette] / 255
    see_through = table.shape[1] == 4 and table[:, 3].min() < 1
    under = result.fused if see_through else None
    if under is not None:
        title += "\nover the fused volume"
    return _Column(title, volume, ListedColormap(table), _scale_ticks(part), low, high, under)


def _scale_ticks(part: Part) -> dict[float, str]:
    """Numbers below the bar, and words where they fit."""
    low, high = part.scale
    if any(part.short_ends):
        return {0.0: f"{low:g} {part.short_ends[0]}", 1.0: f"{high:g} {part.short_ends[1]}"}
    return {0.0: f"{low:g}", 0.5: f"{(low + high) / 2:g}", 1.0: f"{high:g}"}


def _source(result: Result, role: str) -> Volume:
    """A source in [0, 1] of its window; the functional one by the row of its colour table."""
    pair = result.pair
    if role == pair.functional and pair.table_rows is not None:
        return Volume(pair.table_rows / np.float32(255), pair.geometry)
    return Volume(pair.fixed if role == "fixed" else pair.moving, pair.geometry)


def _window_ticks(window: Window) -> dict[float, str]:
    units = f" {window.units}" if window.units else ""
    return {
        0.0: _number(window.low),
        1.0: f"{_number(float(window.to_units(np.float64(1))))}{units}",
    }


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _footer(result: Result) -> str:
    settings, ratio = result.settings, result.measures.get("cc_over_bound")
    parts = [f"strength {settings.strength:g}", f"correlation floor {settings.correlation_floor:g}"]
    if ratio is not None:
        parts.insert(0, f"CC / bound {ratio:.4f}")
    parts += [f"WDualMine {__version__}", "Radiological view. Not for diagnosis."]
    return "   |   ".join(parts)
