"""From two volumes as they come to two arrays in [0, 1] on one grid, ready to be fused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..volumes.geometry import Geometry
from ..volumes.volume import Volume
from .colour import colour_table, luminance, table_indices
from .intensity import CT_WINDOWS, Window, choose_window, count_not_finite
from .settings import FusionSettings

# Where readers leave what the user must be told of a file.
_NOTES = "notes"
# Below this share of the fixed grid the user should know how much of it is one-sided.
_SMALL_OVERLAP = 0.75


@dataclass(frozen=True)
class PreparedPair:
    """Two volumes ready for fusion.

    Attributes:
        fixed, moving: float32 (K, J, I) in [0, 1] on ``geometry``; of the functional volume of a
            colour fusion this is the luminance of its colours.
        geometry: the fixed volume's grid.
        fixed_name, moving_name: what messages call them.
        fixed_window, moving_window: how units became [0, 1].
        functional: "fixed" or "moving", the one that is shown in colour; "" without colour.
        table_rows: uint8 (K, J, I), rows of the colour table for the functional volume, or None.
        notes: what the user must be told.
    """

    fixed: np.ndarray
    moving: np.ndarray
    geometry: Geometry
    fixed_name: str
    moving_name: str
    fixed_window: Window
    moving_window: Window
    functional: str
    table_rows: np.ndarray | None
    notes: tuple[str, ...]


def prepare(fixed: Volume, moving: Volume, settings: FusionSettings) -> PreparedPair:
    """Choose windows, bring ``moving`` to the fixed grid, and map both to [0, 1].

    Windows are chosen on the volumes as they are, before resampling adds anything. Outside of its
    field of view the moving volume is 0.

    Raises:
        InputError: a volume is in colour, empty, constant or all NaN; a window leaves nothing to be
            seen; the two do not overlap; the colour table is unknown.
    """
    table = None if settings.colour is None else colour_table(settings.colour)
    notes: list[str] = []
    fixed_window = _window(fixed, settings.fixed_window, notes)
    moving_window = _window(moving, settings.moving_window, notes)
    if fixed_window.name == moving_window.name == "pet":
        notes.append(
            f"Both {fixed.name} and {moving.name} are taken for PET or SPECT; choose another "
            "window for one that is not."
        )
    a = fixed_window.apply(fixed.array)
    b = moving_window.apply(_on_grid(moving, fixed, moving_window, notes).array)
    for name, array, window in ((fixed.name, a, fixed_window), (moving.name, b, moving_window)):
        if array.min() == array.max():
            raise InputError(
                f"{name!r} shows nothing but one value where the two volumes overlap, in the "
                f"window {window.low:g} to {window.high:g}",
                "Choose another window, or align the volumes first",
            )
    functional, rows = "", None
    if table is not None:
        functional = "fixed" if _is_emission(fixed_window, moving_window) else "moving"
        rows = table_indices(a if functional == "fixed" else b)
        coloured = luminance(table).astype(np.float32)[rows]
        a, b = (coloured, b) if functional == "fixed" else (a, coloured)
    return PreparedPair(
        a,
        b,
        fixed.geometry,
        fixed.name,
        moving.name,
        fixed_window,
        moving_window,
        functional,
        rows,
        tuple(notes),
    )


def _window(volume: Volume, wanted: str | tuple[float, float], notes: list[str]) -> Window:
    if volume.is_colour:
        raise InputError(
            f"{volume.name!r} is a colour volume", "Give a scalar volume: one number a voxel"
        )
    if told := volume.attributes.get(_NOTES):
        notes.extend(str(told).splitlines())
    window = choose_window(volume, wanted)
    if window.name in CT_WINDOWS and window.units != "HU" and volume.modality.upper() != "CT":
        notes.append(
            f"{volume.name} does not look as if it were in Hounsfield units; "
            f"the window {window.name} may not fit it."
        )
    bad = count_not_finite(volume)
    if bad:
        notes.append(
            f"{bad} voxels of {volume.name} are NaN or infinite; they were taken as "
            f"{window.low:g}, the low end of its window."
        )
    return window


def _on_grid(moving: Volume, fixed: Volume, window: Window, notes: list[str]) -> Volume:
    if moving.geometry == fixed.geometry:
        return moving
    # Here and not above: SimpleITK is slow to import, and volumes on one grid do not need it.
    from ..volumes.resampling import overlap, resample_to

    if count_not_finite(moving):
        finite = np.where(np.isfinite(moving.array), moving.array, np.float32(window.low))
        moving = moving.with_array(finite, **moving.attributes)
    result = resample_to(moving, fixed.geometry, fill=window.low)
    shared = overlap(fixed.geometry, moving.geometry)
    notes.append(f"{moving.name} was resampled to the grid of {fixed.name}.")
    if shared < _SMALL_OVERLAP:
        notes.append(
            f"Only {100 * shared:.0f} % of {fixed.name} lies inside {moving.name}; "
            f"outside of it {moving.name} counts as black."
        )
    return result


def _is_emission(fixed: Window, moving: Window) -> bool:
    """Whether the fixed volume, and it alone, is PET or SPECT."""
    return fixed.name == "pet" and moving.name != "pet"
