"""From two volumes as they come to two arrays in [0, 1] on one grid, ready to be fused.

The only preparation there is: of whole volumes for a fusion, of one slice for a preview, and of a
coarse sample for statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Caution, InputError
from ..fusion.chunks import extremes
from ..fusion.colour import colour_table, luminance, table_indices
from ..fusion.intensity import CT_WINDOWS, Window, choose_window, count_not_finite
from ..fusion.settings import FusionSettings
from ..volumes import scratch
from ..volumes.geometry import Geometry
from ..volumes.volume import Volume

if TYPE_CHECKING:
    import SimpleITK as sitk

# Below this share of the fixed grid the user should know how much of it is one-sided.
_SMALL_OVERLAP = 0.75
# Slices of a large volume that are resampled at a time.
_TOGETHER = 16

Region = tuple[slice, slice, slice]
WHOLE: Region = (slice(None), slice(None), slice(None))


@dataclass(frozen=True)
class PreparedPair:
    """Two volumes ready for fusion.

    Attributes:
        fixed, moving: float32 (K, J, I) in [0, 1] on ``geometry``; of the functional volume of a
            colour fusion this is the luminance of its colours.
        geometry: the fixed volume's grid, or the part of it that was asked for.
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


@dataclass(frozen=True, eq=False)
class Preparation:
    """What is decided on whole volumes, from which any part of the fixed grid can be prepared.

    Windows are chosen on the volumes as they are, before resampling adds anything.

    Attributes:
        fixed, moving: scalar volumes.
        transform: linear, from fixed to moving points (LPS mm); None for one frame of reference.
        fixed_window, moving_window: as in :class:`PreparedPair`.
        table: (256, 3) colours of the functional volume, or None.
        notes_on_volumes, notes_on_placement: what the user must be told.
    """

    fixed: Volume
    moving: Volume
    transform: sitk.Transform | None
    fixed_window: Window
    moving_window: Window
    table: np.ndarray | None
    notes_on_volumes: tuple[str, ...]
    notes_on_placement: tuple[str, ...]

    @classmethod
    def of(
        cls,
        fixed: Volume,
        moving: Volume,
        settings: FusionSettings,
        transform: sitk.Transform | None = None,
    ) -> Preparation:
        """Choose windows and colours, and look what has to be told.

        Raises:
            InputError: a volume is in colour, empty, constant or all NaN; a window leaves nothing
                to be seen; the two do not overlap; the colour table is unknown.
        """
        table = None if settings.colour is None else colour_table(settings.colour)
        notes = [*fixed.notes, *moving.notes]
        fixed_window = _window(fixed, settings.fixed_window, notes)
        moving_window = _window(moving, settings.moving_window, notes)
        if fixed_window.name == moving_window.name == "pet":
            both = f"Both {fixed.name} and {moving.name} are taken for PET or SPECT"
            notes.append(Caution(f"{both}; choose another window for one that is not."))
        seen = tuple(dict.fromkeys(notes))
        placed = _placement_notes(fixed, moving, transform)
        return cls(fixed, moving, transform, fixed_window, moving_window, table, seen, placed)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must be told, whatever part is prepared."""
        return self.notes_on_volumes + self.notes_on_placement

    def under(self, transform: sitk.Transform | None) -> Preparation:
        """The same volumes under another transform; windows and colours are not looked for again.

        Raises:
            InputError: the two do not overlap.
        """
        placed = _placement_notes(self.fixed, self.moving, transform)
        other = replace(self, transform=transform, notes_on_placement=placed)
        if "_image" in self.__dict__:
            other.__dict__["_image"] = self._image
        return other

    @property
    def functional(self) -> str:
        """ "fixed" or "moving", the one that is shown in colour; "" without colour."""
        if self.table is None:
            return ""
        emission = self.fixed_window.name == "pet" and self.moving_window.name != "pet"
        return "fixed" if emission else "moving"

    def part(self, region: Region = WHOLE) -> PreparedPair:
        """Both volumes at the voxels ``region`` of the fixed grid.

        Outside of its field of view the moving volume is 0.
        """
        a = self.fixed_window.apply(self.fixed.array[region])
        b = self.moving_window.apply(self._moving_at(region))
        rows = None
        if self.table is not None:
            rows = table_indices(a if self.functional == "fixed" else b)
            coloured = _looked_up(luminance(self.table).astype(np.float32), rows)
            a, b = (coloured, b) if self.functional == "fixed" else (a, coloured)
        return PreparedPair(
            a,
            b,
            self.fixed.geometry if region == WHOLE else self.fixed.geometry.part(region),
            self.fixed.name,
            self.moving.name,
            self.fixed_window,
            self.moving_window,
            self.functional,
            rows,
            self.notes,
        )

    def _moving_at(self, region: Region) -> np.ndarray:
        if self.transform is None and self.moving.geometry == self.fixed.geometry:
            return self.moving.array[region]
        import SimpleITK as sitk

        from ..volumes.resampling import sample

        grid = self.fixed.geometry if region == WHOLE else self.fixed.geometry.part(region)
        fill = self.moving_window.low
        if prod(grid.size) * 4 < scratch.LARGE:
            return sitk.GetArrayFromImage(sample(self._image, grid, self.transform, fill=fill))
        # The whole would be held three times.
        found = scratch.empty(grid.array_shape)
        for k in range(0, len(found), _TOGETHER):
            part = grid.part((slice(k, min(k + _TOGETHER, len(found))), *WHOLE[1:]))
            sampled = sample(self._image, part, self.transform, fill=fill)
            found[k : k + _TOGETHER] = sitk.GetArrayViewFromImage(sampled)
            scratch.let_go()
        return found

    @cached_property
    def _image(self) -> sitk.Image:
        """The moving volume for a resampler, with its window's low end where it is not finite."""
        from ..volumes.resampling import to_image

        array = np.asarray(self.moving.array, dtype=np.float32)
        if count_not_finite(self.moving):
            array = np.where(np.isfinite(array), array, np.float32(self.moving_window.low))
        return to_image(self.moving.with_array(array))


def _looked_up(table: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``table[rows]``."""
    found = scratch.empty(rows.shape, table.dtype)
    for into, part in zip(found, rows, strict=True):
        into[...] = table[part]
        scratch.let_go()
    return found


def prepare(
    fixed: Volume,
    moving: Volume,
    settings: FusionSettings,
    transform: sitk.Transform | None = None,
) -> PreparedPair:
    """Choose windows, bring ``moving`` to the fixed grid, and map both to [0, 1].

    Args:
        transform: from points of the fixed volume to the moving one (LPS mm); None where both lie
            in one frame of reference.

    Raises:
        InputError: see :meth:`Preparation.of`; or a volume shows nothing where both overlap.
    """
    pair = Preparation.of(fixed, moving, settings, transform).part()
    for name, array, window in (
        (fixed.name, pair.fixed, pair.fixed_window),
        (moving.name, pair.moving, pair.moving_window),
    ):
        if len(set(extremes(array))) == 1:
            raise InputError(
                f"{name!r} shows nothing but one value where the two volumes overlap, in the "
                f"window {window.low:g} to {window.high:g}",
                "Choose another window, or align the volumes first",
            )
    return pair


def _window(volume: Volume, wanted: str | tuple[float, float], notes: list[str]) -> Window:
    if volume.is_colour:
        raise InputError(
            f"{volume.name!r} is a colour volume", "Give a scalar volume: one number a voxel"
        )
    window = choose_window(volume, wanted)
    if window.name in CT_WINDOWS and window.units != "HU" and volume.modality.upper() != "CT":
        unlike = f"{volume.name} does not look as if it were in Hounsfield units"
        notes.append(Caution(f"{unlike}; the window {window.name} may not fit it."))
    bad = count_not_finite(volume)
    if bad:
        notes.append(
            f"{bad} voxels of {volume.name} are NaN or infinite; they were taken as "
            f"{window.low:g}, the low end of its window."
        )
    return window


def _placement_notes(
    fixed: Volume, moving: Volume, transform: sitk.Transform | None
) -> tuple[str, ...]:
    """What is to be told of how far the grids match; raises InputError where they do not meet."""
    if transform is None and moving.geometry == fixed.geometry:
        return ()
    # Here and not above: SimpleITK is slow to import, and volumes on one grid do without.
    from ..volumes.resampling import require_overlap

    shared = require_overlap(fixed.geometry, moving, transform)
    resampled = f"{moving.name} was resampled to the grid of {fixed.name}."
    if shared >= _SMALL_OVERLAP:
        return (resampled,)
    little = f"Only {100 * shared:.0f} % of {fixed.name} lies inside {moving.name}"
    return resampled, Caution(f"{little}; outside of it {moving.name} counts as black.")
