"""A case: two sound, aligned volumes of one patient as the fusion sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...fusion.moments import TISSUE
from ...fusion.settings import FusionSettings
from ...pipeline.pair import prepare
from ...volumes.geometry import Geometry
from ...volumes.resampling import resample_to
from ...volumes.volume import Volume

LARGEST = 1_200_000
"""Voxels up to which a case is taken whole; beyond, its middle slices: a bound on the time."""

_MARGIN_MM = 10.0


@dataclass(frozen=True)
class Case:
    """Two sound volumes on one grid.

    Attributes:
        name: which patient or template.
        group: the modality pair, fixed first ("CT+PET").
        family: where it comes from ("templates", "patients", "stacks", "packaged", "simulated").
        sources: fixed and moving, float32 (K, J, I) in [0, 1], windowed as a user gets them.
        geometry: their grid.
        lesion: bool (K, J, I), a tumour or another sound lesion; None where none is outlined.
        uptake: float32 (K, J, I), the moving volume in its own units, where it shows the lesion.
    """

    name: str
    group: str
    family: str
    sources: tuple[np.ndarray, np.ndarray]
    geometry: Geometry
    lesion: np.ndarray | None = None
    uptake: np.ndarray | None = None

    @property
    def modalities(self) -> tuple[str, str]:
        """What each source is called."""
        fixed, moving = self.group.split("+")
        return fixed, moving

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm between voxels along the array's axes: K, J, I."""
        return self.geometry.spacing[::-1]

    @cached_property
    def tissue(self) -> np.ndarray:
        """bool (K, J, I): a source is above :data:`TISSUE`."""
        return (self.sources[0] > TISSUE) | (self.sources[1] > TISSUE)


def make_case(
    name: str,
    group: str,
    family: str,
    fixed: Volume,
    moving: Volume,
    windows: tuple[str | tuple[float, float], str | tuple[float, float]] = ("auto", "auto"),
    lesion: Volume | None = None,
) -> Case:
    """Window two volumes and bring the moving one to the fixed grid, exactly as ``fuse`` does.

    Args:
        name, group, family: see :class:`Case`.
        fixed, moving: scalar volumes, aligned; slices along the first array axis.
        windows: of the fixed and of the moving volume.
        lesion: a mask on any grid, 1 inside.

    Raises:
        InputError: as :func:`...pipeline.pair.prepare`.
    """
    settings = FusionSettings(fixed_window=windows[0], moving_window=windows[1])
    pair = prepare(fixed, moving, settings)
    grid = fixed.geometry
    case = Case(name, group, family, (pair.fixed, pair.moving), grid)
    if lesion is not None:
        soft = Volume(lesion.array.astype(np.float32), lesion.geometry, lesion.name)
        # A mask of the other field of view: outside of it there is no lesion.
        inside = resample_to(soft, grid, fill=0.0).array > 0.5
        uptake = resample_to(moving, grid, fill=0.0).array.astype(np.float32)
        case = replace(case, lesion=inside, uptake=uptake)
    return bounded(case)


def bounded(case: Case, largest: int = LARGEST) -> Case:
    """``case`` without its empty surroundings, and of its middle slices no more than fit.

    Air is kept for 10 mm around the tissue. Where more than ``largest`` voxels are left, slices go
    that are far from the lesion, or from the tissue's middle.
    """
    case = cropped(case, _surroundings(case))
    depth, *plane = case.sources[0].shape
    kept = max(8, largest // (plane[0] * plane[1]))
    if depth <= kept:
        return case
    middle = case.lesion if case.lesion is not None and case.lesion.any() else case.tissue
    centre = round(float(np.average(np.arange(depth), weights=middle.sum((1, 2)))))
    start = int(np.clip(centre - kept // 2, 0, depth - kept))
    return cropped(case, (slice(start, start + kept), slice(None), slice(None)))


def _surroundings(case: Case) -> tuple[slice, ...]:
    """The box of the tissue with its margin."""
    box = []
    for axis, step in enumerate(case.spacing):
        others = tuple(k for k in range(3) if k != axis)
        filled = np.flatnonzero(case.tissue.any(others))
        margin = round(_MARGIN_MM / step)
        first, last = (filled[0], filled[-1]) if len(filled) else (0, case.tissue.shape[axis])
        box.append(slice(max(0, int(first) - margin), int(last) + margin + 1))
    return tuple(box)


def cropped(case: Case, box: tuple[slice, ...]) -> Case:
    """The part of ``case`` inside a box of slices along K, J, I, which stays where it is."""
    geometry = case.geometry
    starts = [part.start or 0 for part in box]
    origin = geometry.ijk_to_lps @ (*starts[::-1], 1)
    sources = tuple(np.ascontiguousarray(x[box]) for x in case.sources)
    return replace(
        case,
        sources=sources,
        geometry=Geometry(
            sources[0].shape[::-1], geometry.spacing, tuple(origin[:3].tolist()), geometry.direction
        ),
        lesion=None if case.lesion is None else case.lesion[box],
        uptake=None if case.uptake is None else case.uptake[box],
    )
