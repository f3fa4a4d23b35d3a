"""One picture of a registration: checkerboard and edges, before and after, in three planes."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...casereport.patient_planes import Plane, planes_through
from ...registration.preparation import Prepared, prepare
from ...registration.registration_result import RegistrationResult, Verdict
from ...version import __version__
from ...volumes.geometry import Geometry
from ...volumes.resampling import sample
from ...volumes.volume import Volume
from .page import new_page, save_page, short, write, write_letter

# In inches: the width of a panel, the space between two, and the margins.
_PANEL, _GAP, _LEFT, _TOP, _BOTTOM, _LINE = 2.6, 0.06, 0.45, 0.5, 0.4, 0.17
_VERDICTS = {Verdict.GOOD: "#7fd67f", Verdict.DOUBTFUL: "#ffb347", Verdict.FAILED: "#ff6b6b"}
_SQUARE_MM = 25.0
_PIXEL_MM, _LARGEST = 1.0, 400  # the finest pixel, and pixels along a side at most
_CONTRAST = (3.0, 98.0)
_EDGE_SMOOTHING_MM = 2.0
_EDGE_SHARES = (0.15, 0.3)  # of the steepest slope: an edge ends below the first, starts above
_TINT = np.array([1.0, 0.72, 0.35])
_EDGE_COLOUR = np.array([1.0, 0.6, 0.1])
_COLUMNS = (
    "Checkerboard before\n(moving tinted)",
    "Checkerboard after\n(moving tinted)",
    "Edges of moving before,\nover fixed",
    "Edges of moving after,\nover fixed",
)


def write_overview(path: Path, fixed: Volume, moving: Volume, result: RegistrationResult) -> None:
    """Draw a registration into a PNG. Raises OutputError if it cannot be written."""
    save_page(draw_overview(fixed, moving, result), path)


def draw_overview(fixed: Volume, moving: Volume, result: RegistrationResult) -> Figure:
    """A row for each plane through the centre of the fixed body, a column for each view."""
    a, b = prepare(fixed), prepare(moving)
    identity = sitk.Transform(3, sitk.sitkIdentity)
    start = result.settings.initial_transform or identity
    planes = planes_through(_finer(fixed.geometry), a.centre)
    scale = _PANEL / max(plane.extent_mm[0] for plane in planes)
    width = _LEFT + len(_COLUMNS) * (_PANEL + _GAP) + _GAP
    words = _in_words(result, round(width * 16))
    below = _BOTTOM + _LINE * len(words)
    height = _TOP + sum(plane.extent_mm[1] * scale + _GAP for plane in planes) + below
    figure, page = new_page(width, height)
    bottom = height - _TOP
    for plane in planes:
        w, h = (side * scale for side in plane.extent_mm)
        bottom -= h + _GAP
        still = _cut(a, plane, identity)
        moved = [_cut(b, plane, t) for t in (start, result.transform)]
        panels = [_checkerboard(still, m, plane.geometry) for m in moved]
        panels += [_with_edges(still, m, plane.geometry) for m in moved]
        for number, panel in enumerate(panels):
            centre = _LEFT + number * (_PANEL + _GAP) + _PANEL / 2
            page.imshow(panel, extent=(centre - w / 2, centre + w / 2, bottom, bottom + h))
            _write_edges(page, plane, (centre - w / 2, centre + w / 2, bottom, bottom + h))
        name = f"{plane.name.capitalize()}   {plane.position}"
        write(page, _LEFT / 3, bottom + h / 2, name, rotation=90)
    for number, title in enumerate(_COLUMNS):
        write(page, _LEFT + number * (_PANEL + _GAP) + _PANEL / 2, height - _TOP / 2, title)
    for number, line in enumerate(words):
        y = below - _LINE * (number + 0.6)
        write(page, _LEFT, y, line, ha="left", color=_VERDICTS[result.verdict])
    write(page, _LEFT, _BOTTOM / 2, _footer(fixed, moving, result), ha="left")
    # Last, because every image makes the axes fit itself.
    page.set(xlim=(0, width), ylim=(0, height), aspect="auto")
    return figure


def _finer(geometry: Geometry) -> Geometry:
    """The same box in more voxels, so that coarse volumes get smooth pictures and thin edges."""
    size, spacing = np.array(geometry.size), np.array(geometry.spacing)
    factor = max(
        1, int(min(min(spacing) / _PIXEL_MM, _LARGEST * min(spacing) / max(size * spacing)))
    )
    return Geometry(
        tuple((size * factor).tolist()),
        tuple((spacing / factor).tolist()),
        geometry.origin,
        geometry.direction,
    )


def _write_edges(page: Axes, plane: Plane, box: tuple[float, float, float, float]) -> None:
    left, right, _, top = box
    for letter, x in ((plane.edges[0], left + 0.09), (plane.edges[1], right - 0.09)):
        write_letter(page, x, top - 0.12, letter)


def _cut(prepared: Prepared, plane: Plane, transform: sitk.Transform) -> np.ndarray:
    """(H, W) in [0, 1], NaN outside the field of view, stretched to what there is in the body."""
    cut = sample(prepared.image, plane.geometry, transform, fill=float("nan"))
    body = sample(prepared.body, plane.geometry, transform, sitk.sitkNearestNeighbor)
    panel = sitk.GetArrayFromImage(cut)[0]
    seen = panel[(sitk.GetArrayFromImage(body)[0] > 0) & np.isfinite(panel)]
    low, high = np.percentile(seen, _CONTRAST) if seen.size else (0.0, 1.0)
    return np.clip((panel - low) / max(high - low, 1e-6), 0, 1)


def _checkerboard(still: np.ndarray, moved: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(H, W, 3): squares of 25 mm, by turns of both; fixed where there is nothing of moving."""
    side = _SQUARE_MM / geometry.spacing[0]
    rows, columns = (np.indices(still.shape) // side).astype(int)
    other = ((rows + columns) % 2 == 1) & np.isfinite(moved)
    grey, tinted = np.nan_to_num(still)[..., None], np.nan_to_num(moved)[..., None]
    return np.where(other[..., None], tinted * _TINT, grey * np.ones(3))


def _with_edges(still: np.ndarray, moved: np.ndarray, geometry: Geometry) -> np.ndarray:
    """(H, W, 3): the fixed plane in grey under the edges of the moving one (Canny)."""
    grey = 0.8 * np.nan_to_num(still)[..., None] * np.ones(3)
    sigma = _EDGE_SMOOTHING_MM / geometry.spacing[0]
    image = sitk.GetImageFromArray(np.nan_to_num(moved).astype(np.float32))
    slope = sitk.GetArrayFromImage(sitk.GradientMagnitudeRecursiveGaussian(image, sigma))
    # No edges where the field of view ends.
    margin = [int(np.ceil(2 * sigma))] * 2
    outside = sitk.GetImageFromArray((~np.isfinite(moved)).astype(np.uint8))
    inside = sitk.GetArrayFromImage(sitk.BinaryDilate(outside, margin)) == 0
    steepest = float(slope[inside].max(initial=0.0))
    if steepest < 1e-4:
        return grey
    low, high = (share * steepest for share in _EDGE_SHARES)
    edges = sitk.GetArrayFromImage(sitk.CannyEdgeDetection(image, low, high, [sigma**2] * 2))
    return np.where(((edges > 0) & inside)[..., None], _EDGE_COLOUR, grey)


def _in_words(result: RegistrationResult, length: int) -> list[str]:
    """The verdict and its reasons, in lines of at most ``length`` characters."""
    return textwrap.wrap(f"{result.verdict.value.upper()}: {'; '.join(result.reasons)}", length)


def _footer(fixed: Volume, moving: Volume, result: RegistrationResult) -> str:
    parts = [
        f"fixed {short(fixed.name)}",
        f"moving {short(moving.name)}",
        result.settings.kind,
        f"MI {result.mi_before:.3f} to {result.mi_after:.3f} bits",
        f"WDualMine {__version__}",
        "Not for diagnosis.",
    ]
    return "   |   ".join(parts)
