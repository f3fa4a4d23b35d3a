"""One picture of a fusion: sources, fused volume and maps in three planes, with their scales."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from ..fusion.colour import colour_table
from ..fusion.intensity import Window
from ..fusion.result import FusionResult
from ..palettes import ARBITRATION, RELIABILITY
from ..version import __version__
from ..volumes.resampling import to_image
from ..volumes.volume import Volume
from .planes import Plane, centre_of_mass, planes_through

_DOTS_PER_INCH = 110
_PANEL_INCHES = 2.3
_GREY = ListedColormap(np.linspace(0, 1, 256)[:, None].repeat(3, axis=1))
_BACK, _INK, _LETTER = "#101010", "#e8e8e8", "#ffd24d"
# Where both sources are darker than this, there is no head to find the centre of.
_BODY = 0.1


@dataclass(frozen=True)
class _Column:
    """One volume of the picture: ``ticks`` label its colour bar at the values 0 to 1."""

    title: str
    volume: Volume
    colours: ListedColormap | None
    ticks: dict[float, str]


def write_overview(path: Path, result: FusionResult) -> None:
    """Draw ``result`` into a PNG. Raises OSError if it cannot be written."""
    figure = draw_overview(result)
    figure.savefig(path, format="png", dpi=_DOTS_PER_INCH, facecolor=_BACK)


def draw_overview(result: FusionResult) -> Figure:
    """A row for each plane through the centre of the head, a column for each volume."""
    pair = result.pair
    body = (pair.fixed > _BODY) | (pair.moving > _BODY)
    planes = planes_through(pair.geometry, centre_of_mass(pair.geometry, body))
    columns = _columns(result)
    widest = max(plane.extent_mm[0] for plane in planes)
    heights = [plane.extent_mm[1] * _PANEL_INCHES / widest for plane in planes]
    left, top, bottom, gap = 0.45, 0.5, 0.75, 0.06
    width = left + len(columns) * (_PANEL_INCHES + gap) + 0.1
    height = top + sum(heights) + gap * len(heights) + bottom
    figure = Figure(figsize=(width, height), facecolor=_BACK)
    FigureCanvasAgg(figure)

    def box(x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
        return x / width, y / height, w / width, h / height

    for c, column in enumerate(columns):
        x = left + c * (_PANEL_INCHES + gap)
        y = height - top
        image = to_image(column.volume)
        for plane, panel_height in zip(planes, heights, strict=True):
            y -= panel_height + gap
            axes = figure.add_axes(box(x, y, _PANEL_INCHES, panel_height), facecolor="black")
            _show(axes, plane, plane.cut(image), column, with_letters=c == 0)
            if c == 0:
                figure.text(
                    0.16 / width,
                    (y + panel_height / 2) / height,
                    f"{plane.name.capitalize()}   {plane.position}",
                    rotation=90,
                    ha="center",
                    va="center",
                    color=_INK,
                    fontsize=8,
                )
        middle = (x + _PANEL_INCHES / 2) / width
        figure.text(
            middle,
            1 - (top - 0.02) / height,
            column.title,
            ha="center",
            va="bottom",
            color=_INK,
            fontsize=9,
        )
        if column.colours is not None:
            scale = figure.add_axes(box(x + 0.15, bottom - 0.3, _PANEL_INCHES - 0.3, 0.11))
            _draw_scale(figure, scale, column)
    figure.text(
        left / width, 0.1 / height, _footer(result), ha="left", va="bottom", color=_INK, fontsize=8
    )
    return figure


def _columns(result: FusionResult) -> list[_Column]:
    pair = result.pair
    sources = [
        (_source(result, "fixed"), pair.fixed_window, f"Fixed: {_short(pair.fixed_name)}"),
        (_source(result, "moving"), pair.moving_window, f"Moving: {_short(pair.moving_name)}"),
    ]
    table = _GREY if result.settings.colour is None else _table(result)
    columns = [
        _Column(
            f"{title}\nwindow {window.name}",
            volume,
            table if pair.functional == role else _GREY,
            _window_ticks(window),
        )
        for role, (volume, window, title) in zip(("fixed", "moving"), sources, strict=True)
    ]
    unit, reliability = {0.0: "0", 0.5: "0.5", 1.0: "1"}, ListedColormap(RELIABILITY / 255)
    columns.append(_Column("Fused", result.fused, _GREY, unit))
    if result.colour is not None:
        columns.append(_Column("Fused in colour", result.colour, None, {}))
    return [
        *columns,
        _Column("Reliability of\nthe fixed volume", result.reliability_fixed, reliability, unit),
        _Column("Reliability of\nthe moving volume", result.reliability_moving, reliability, unit),
        _Column(
            "Arbitration",
            result.arbitration,
            ListedColormap(ARBITRATION / 255),
            {0.0: "0 frequency", 1.0: "1 spatial"},
        ),
    ]


def _source(result: FusionResult, role: str) -> Volume:
    """A source in [0, 1] of its window; the functional one by the row of its colour table."""
    pair = result.pair
    if role == pair.functional:
        return Volume(pair.table_rows / np.float32(255), pair.geometry)
    return Volume(pair.fixed if role == "fixed" else pair.moving, pair.geometry)


def _table(result: FusionResult) -> ListedColormap:
    return ListedColormap(colour_table(result.settings.colour))


def _window_ticks(window: Window) -> dict[float, str]:
    units = f" {window.units}" if window.units else ""
    return {0.0: f"{window.low:.4g}", 1.0: f"{window.high:.4g}{units}"}


def _show(axes, plane: Plane, pixels: np.ndarray, column: _Column, with_letters: bool) -> None:
    axes.imshow(pixels, cmap=column.colours, vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    axes.patch.set_visible(True)
    if not with_letters:
        return
    places = ((0.02, 0.5), (0.98, 0.5), (0.5, 0.98), (0.5, 0.02))
    for letter, (x, y) in zip(plane.edges, places, strict=True):
        axes.text(
            x,
            y,
            letter,
            transform=axes.transAxes,
            ha={0.02: "left", 0.98: "right"}.get(x, "center"),
            va={0.02: "bottom", 0.98: "top"}.get(y, "center"),
            color=_LETTER,
            fontsize=9,
            fontweight="bold",
        )


def _draw_scale(figure: Figure, axes, column: _Column) -> None:
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), column.colours), cax=axes, orientation="horizontal"
    )
    bar.set_ticks(list(column.ticks), labels=list(column.ticks.values()))
    bar.outline.set_edgecolor(_INK)
    axes.tick_params(colors=_INK, labelsize=7, length=2)
    for tick, label in zip(column.ticks, axes.get_xticklabels(), strict=True):
        # Within the bar's own width, or neighbouring columns run into each other.
        label.set_horizontalalignment({0.0: "left", 1.0: "right"}.get(tick, "center"))


def _footer(result: FusionResult) -> str:
    settings, ratio = result.settings, result.measures.get("cc_over_bound")
    parts = [f"strength {settings.strength:g}", f"correlation floor {settings.correlation_floor:g}"]
    if ratio is not None:
        parts.insert(0, f"CC / bound {ratio:.4f}")
    parts += [f"WDualMine {__version__}", "Radiological view. Not for diagnosis."]
    return "   |   ".join(parts)


def _short(name: str, limit: int = 26) -> str:
    return name if len(name) <= limit else f"{name[: limit - 1]}…"
