"""Frames to a stack: sorted, without copies, checked for holes, shifts and mixed orientations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from .frames import Frame

# Two planes closer than this are at one place: no scanner makes slices this thin.
_SAME_PLACE = 1e-3
# Positions are often written with one decimal: slices this close to an even grid lie on it, and
# slices shifted by no more than this are in line (mm, and part of the slice or pixel spacing).
_UNEVEN_MM, _UNEVEN_PART = 0.1, 0.15
_SHIFT_MM, _SHIFT_PART = 0.05, 0.1
# A gap this much wider than usual is a missing slice, unless the slices beside it are as thick.
_HOLE = 1.9
_COVERED_BY_THICKNESS = 1.5
# No gantry tilts further; more than that is a header that contradicts itself.
_MOST_TILT_DEGREES = 45.0


@dataclass(frozen=True)
class Stack:
    """Parallel slices in the order of their normal.

    Attributes:
        frames: ascending along the normal.
        depths: (n,) mm along the normal, from the first slice.
        shear: (2,) mm of sideways shift along I and J for each mm along the normal; a gantry tilt.
        even: whether the depths lie on an even grid.
        notes: what the user must be told.
    """

    frames: list[Frame]
    depths: np.ndarray
    shear: np.ndarray
    even: bool
    notes: list[str]

    @property
    def tilted(self) -> bool:
        return bool(np.any(self.shear))

    @property
    def tilt_degrees(self) -> float:
        """Angle between the stacking direction and the slice normal."""
        return float(np.degrees(np.arctan(np.linalg.norm(self.shear))))

    @property
    def spacing(self) -> float:
        """mm between slices for the even grid that represents the stack.

        Of uneven slices the spacing of the finer ones (lower quartile), so that little is skipped,
        but no less than a quarter of the median: two slices nearly at one place must not multiply
        the rest. A lone slice is as thick as its header says, else 1 mm.
        """
        if len(self.frames) == 1:
            return self.frames[0].gap or self.frames[0].thickness or 1.0
        if self.even:
            return float(self.depths[-1] / (len(self.depths) - 1))
        gaps = np.diff(self.depths)
        return float(max(np.quantile(gaps, 0.25, method="lower"), np.median(gaps) / 4))


def stack(name: str, frames: list[Frame], same_pixels: Callable[[Frame, Frame], bool]) -> Stack:
    """Bring the frames of a series into order.

    Args:
        name: of the series, for messages.
        frames: at least one, in any order.
        same_pixels: whether two frames show the same; asked only of frames at one position.

    Raises:
        InputError: orientations, sizes or spacings differ, several images at a position, a slice
            is missing, or the slices are not in line.
    """
    _require_alike(name, frames)
    frames = sorted(frames, key=lambda frame: float(frame.position @ frames[0].normal))
    notes: list[str] = []
    frames, copies = _without_copies(name, frames, same_pixels)
    if copies:
        notes.append(f"{name}: {copies} exact copies of slices were left out")
    normal = frames[0].normal
    positions = np.array([frame.position for frame in frames])
    depths = (positions - positions[0]) @ normal
    _require_no_hole(name, frames, depths)
    shear = _shear(name, frames, positions - positions[0], depths)
    even = _is_even(depths)
    result = Stack(frames, depths, shear, even, notes)
    if len(frames) == 1 and not (frames[0].gap or frames[0].thickness):
        notes.append(f"{name}: a single slice of unknown thickness, taken as 1 mm")
    if result.tilted:
        notes.append(
            f"{name}: the gantry was tilted by {result.tilt_degrees:.1f} degrees; the slices were "
            "moved within their planes onto an upright grid, linearly interpolated"
        )
    if not even:
        gaps = np.diff(depths)
        notes.append(
            f"{name}: slice gaps vary from {gaps.min():.2f} to {gaps.max():.2f} mm; it was "
            f"linearly interpolated to one slice every {result.spacing:.2f} mm"
        )
    return result


def _require_alike(name: str, frames: list[Frame]) -> None:
    first = frames[0]
    turned = [f for f in frames if f.rows_along @ first.rows_along < 1 - 1e-4]
    turned += [f for f in frames if f.columns_along @ first.columns_along < 1 - 1e-4]
    if turned:
        planes = Counter(_plane(frame) for frame in frames)
        listed = ", ".join(f"{count} {plane}" for plane, count in planes.items())
        raise InputError(
            f"{name} mixes orientations ({listed}; for one {turned[0].path.name} against "
            f"{first.path.name}), so it is no single volume",
            "Choose the files of one orientation only, for instance without the localizer",
        )
    for what, value in (("size", lambda f: f.shape), ("pixel spacing", lambda f: f.spacing)):
        odd = [f for f in frames if not np.allclose(value(f), value(first), rtol=1e-4, atol=0)]
        if odd:
            raise InputError(
                f"{name} mixes images of {what} {_by(value(first))} and {_by(value(odd[0]))} "
                f"({odd[0].path.name})",
                "Choose the files of one size only",
            )


def _without_copies(
    name: str, frames: list[Frame], same_pixels: Callable[[Frame, Frame], bool]
) -> tuple[list[Frame], int]:
    normal = frames[0].normal
    kept: list[Frame] = []
    for frame in frames:
        if not kept or (frame.position - kept[-1].position) @ normal > _SAME_PLACE:
            kept.append(frame)
            continue
        other = kept[-1]
        beside = np.linalg.norm(frame.position - other.position) > _SAME_PLACE
        if beside or not same_pixels(frame, other):
            raise _several_images(name, frames, frame, other)
    return kept, len(frames) - len(kept)


def _several_images(name: str, frames: list[Frame], a: Frame, b: Frame) -> InputError:
    keys = [key for key in a.apart if a.apart[key] != b.apart.get(key)]
    differs = ", ".join(f"{key} {b.apart.get(key, '-')} and {a.apart[key]}" for key in keys[:3])
    places = {round(float(frame.position @ a.normal), 2) for frame in frames}
    return InputError(
        f"{name} is no single volume: {len(frames)} different images lie at {len(places)} "
        f"positions, for one {b.path.name} and {a.path.name} at the same"
        + (f" (they differ in {differs})" if differs else ""),
        "Choose one time point, echo or reconstruction, as a list of files or a series of its own",
    )


def _require_no_hole(name: str, frames: list[Frame], depths: np.ndarray) -> None:
    if len(frames) < 3:
        return
    gaps = np.diff(depths)
    usual = float(np.quantile(gaps, 0.5, method="lower"))  # of three slices the narrower gap
    for index in np.flatnonzero(gaps > _HOLE * usual):
        beside = frames[index], frames[index + 1]
        thickness = [f.thickness for f in beside if f.thickness]
        if thickness and gaps[index] <= _COVERED_BY_THICKNESS * float(np.mean(thickness)):
            continue
        raise InputError(
            f"{name} misses slices: {gaps[index]:.2f} mm lie between {beside[0].path.name} and "
            f"{beside[1].path.name}, where {usual:.2f} mm are usual",
            "Fetch the whole series from the archive, or choose only the slices on one side",
        )


def _shear(name: str, frames: list[Frame], moved: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """mm of shift along I and J per mm of depth; zero when within rounding."""
    axes = np.stack([frames[0].rows_along, frames[0].columns_along])
    sideways = moved @ axes.T
    tolerance = min(_SHIFT_MM, _SHIFT_PART * min(frames[0].spacing))
    if np.abs(sideways).max() <= tolerance:
        return np.zeros(2)
    shear = depths @ sideways / (depths @ depths)
    strays = np.abs(sideways - np.outer(depths, shear)).max(axis=1)
    worst = int(strays.argmax())
    field_of_view = np.array(frames[0].shape[::-1]) * frames[0].spacing
    if strays[worst] > 2 * tolerance or np.any(np.abs(sideways) > field_of_view):
        raise InputError(
            f"The slices of {name} are not in line: {frames[worst].path.name} lies "
            f"{np.abs(sideways[worst]).max():.1f} mm beside the first",
            "Fetch the series again; if it comes so from the archive, its headers are wrong",
        )
    if np.degrees(np.arctan(np.linalg.norm(shear))) > _MOST_TILT_DEGREES:
        raise InputError(
            f"The slices of {name} slant by more than {_MOST_TILT_DEGREES:.0f} degrees against "
            "their stacking, further than any gantry tilts",
            "Fetch the series again; if it comes so from the archive, its headers are wrong",
        )
    return shear


def _is_even(depths: np.ndarray) -> bool:
    if len(depths) < 3:
        return True
    grid = np.linspace(0.0, depths[-1], len(depths))
    tolerance = min(_UNEVEN_MM, _UNEVEN_PART * grid[1])
    return bool(np.abs(depths - grid).max() <= tolerance)


def _plane(frame: Frame) -> str:
    x, y, z = np.abs(frame.normal)
    return ("sagittal", "coronal", "axial")[int(np.argmax([x, y, z]))]


def _by(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:g}" for value in values)
