"""One picture of a registration: checkerboard and edges, before and after, in three planes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..registration.preparation import Prepared, prepare
from ..registration.result import RegistrationResult
from ..version import __version__
from ..volumes.geometry import Geometry
from ..volumes.resampling import sample
from ..volumes.volume import Volume
from .planes import Plane, planes_through

_DOTS_PER_INCH = 110
# In inches: the width of a panel, the space between two, and the margins.
_PANEL, _GAP, _LEFT, _TOP, _BOTTOM = 2.6, 0.06, 0.45, 0.5, 0.35
_BACK, _INK, _LETTER = "#101010", "#e8e8e8", "#ffd24d"
_SQUARE_MM = 25.0
_EDGE_SHARE = 0.92
_EDGE_COLOUR = np.array([1.0, 0.55, 0.0])
_COLUMNS = (
    "Checkerboard\nbefore",
    "Checkerboard\nafter",
    "Edges of moving\nbefore",
    "Edges of moving\nafter",
)


def write_overview(path: Path, fixed: Volume, moving: Volume, result: RegistrationResult) -> None:
    """Draw a registration into a PNG. Raises OSError if it cannot be written."""
    figure = draw_overview(fixed, moving, result)
    figure.savefig(path, format="png", dpi=_DOTS_PER_INCH, facecolor=_BACK)


def draw_overview(fixed: Volume, moving: Volume, result: RegistrationResult) -> Figure:
    """A row for each plane through the centre of the fixed body, a column for each view."""
    a, b = prepare(fixed), prepare(moving)
    start = result.settings.initial_transform or sitk.Transform(3, sitk.sitkIdentity)
    planes = planes_through(fixed.geometry, a.centre)
    scale = _PANEL / max(plane.extent_mm[0] for plane in planes)
    width = _LEFT + len(_COLUMNS) * (_PANEL + _GAP) + _GAP
    height = _TOP + sum(plane.extent_mm[1] * scale + _GAP for plane in planes) + _BOTTOM
    page = _page(width, height)
    bottom = height - _TOP
    for plane in planes:
        w, h = (side * scale for side in plane.extent_mm)
        bottom -= h + _GAP
        still = _contrast(plane.cut(a.image))
        moved = [_contrast(_cut(b, plane, t)) for t in (start, result.transform)]
        panels = [_checkerboard(still, m, plane.geometry) for m in moved]
        panels += [_with_edges(still, m) for m in moved]
        for number, panel in enumerate(panels):
            centre = _LEFT + number * (_PANEL + _GAP) + _PANEL / 2
            page.imshow(panel, extent=(centre - w / 2, centre + w / 2, bottom, bottom + h))
            _write_edges(page, plane, (centre - w / 2, centre + w / 2, bottom, bottom + h))
        name = f"{plane.name.capitalize()}   {plane.position}"
        _write(page, _LEFT / 3, bottom + h / 2, name, rotation=90)
    for number, title in enumerate(_COLUMNS):
        _write(page, _LEFT + number * (_PANEL + _GAP) + _PANEL / 2, height - _TOP / 2, title)
    _write(page, _LEFT, _BOTTOM / 2, _footer(fixed, moving, result), ha="left")
    # Last, because every image makes the axes fit itself.
    page.set(xlim=(0, width), ylim=(0, height), aspect="auto")
    return page.figure


def _page(width: float, height: float) -> Axes:
    figure = Figure(figsize=(width, height), facecolor=_BACK)
    FigureCanvasAgg(figure)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    return page


def _write(page: Axes, x: float, y: float, text: str, **style) -> None:
    page.text(x, y, text, **({"ha": "center", "va": "center", "color": _INK, "size": 8} | style))


def _write_edges(page: Axes, plane: Plane, box: tuple[float, float, float, float]) -> None:
    left, right, _, top = box
    for letter, x in ((plane.edges[0], left + 0.09), (plane.edges[1], right - 0.09)):
        _write(page, x, top - 0.12, letter, color=_LETTER, size=9, weight="bold")


def _cut(moving: Prepared, plane: Plane, transform: sitk.Transform) -> np.ndarray:
    image = sample(moving.image, plane.geometry, transform, fill=float("nan"))
    return sitk.GetArrayFromImage(image)[0]


def _contrast(panel: np.ndarray) -> np.ndarray:
    """Stretched to [0, 1] by its own percentiles: a picture to see edges in, not values."""
    seen = panel[np.isfinite(panel) & (panel > 0.01)]
    low, high = np.percentile(seen, (2, 99)) if seen.size else (0.0, 1.0)
    return np.clip((panel - low) / max(high - low, 1e-6), 0, 1)


def _checkerboard(still: np.ndarray, moved: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(H, W, 3): squares of 25 mm, by turns of both; fixed where there is nothing of moving."""
    side = _SQUARE_MM / geometry.spacing[0]
    rows, columns = (np.indices(still.shape) // side).astype(int)
    other = ((rows + columns) % 2 == 1) & np.isfinite(moved)
    return np.repeat(np.where(other, moved, np.nan_to_num(still))[..., None], 3, axis=2)


def _with_edges(still: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(H, W, 3): the fixed plane in grey under the strongest edges of the moving one."""
    down, across = np.gradient(np.nan_to_num(moved))
    slope = np.hypot(down, across)
    edge = slope > max(float(np.quantile(slope, _EDGE_SHARE)), 1e-3)
    grey = np.repeat(0.8 * np.nan_to_num(still)[..., None], 3, axis=2)
    return np.where(edge[..., None], _EDGE_COLOUR, grey)


def _footer(fixed: Volume, moving: Volume, result: RegistrationResult) -> str:
    parts = [
        f"fixed {fixed.name}",
        f"moving {moving.name}",
        f"{result.settings.kind}: {result.verdict.value}",
        f"MI {result.mi_before:.3f} to {result.mi_after:.3f} bits",
        f"WDualMine {__version__}",
        "Not for diagnosis.",
    ]
    return "   |   ".join(parts)
