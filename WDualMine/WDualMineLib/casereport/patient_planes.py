"""Axial, coronal and sagittal pictures of volumes in patient space, whatever their own axes.

Laid out as radiologists look at them: anterior or superior up, the patient's right on the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..volumes import scratch
from ..volumes.geometry import Geometry
from ..volumes.resampling import sample, to_image
from ..volumes.volume import Volume

# Pixels along the longer side: more would not be seen in a picture of a page's width.
_LARGEST = 400
# A plane thinner than this part of the widest is a line: the cross-section of a single slice.
_THINNEST = 0.05
# LPS directions along the columns, down the rows and across each plane.
_LAYOUT = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
}
_LETTERS = {(0, 1): "L", (0, -1): "R", (1, 1): "P", (1, -1): "A", (2, 1): "S", (2, -1): "I"}


@dataclass(frozen=True)
class Plane:
    """A flat grid through a point, aligned with the patient's axes.

    Attributes:
        name: "axial", "coronal" or "sagittal".
        geometry: its grid, one voxel thick.
        position: LPS mm of the plane along the axis that crosses it, with its letter.
    """

    name: str
    geometry: Geometry
    position: str

    @property
    def extent_mm(self) -> tuple[float, float]:
        """(width, height)."""
        size, spacing = self.geometry.size, self.geometry.spacing
        return size[0] * spacing[0], size[1] * spacing[1]

    @property
    def edges(self) -> tuple[str, str, str, str]:
        """Letters at the left, right, top and bottom edge: R, L, A, P, S, I."""
        columns, rows, _ = (np.array(d) for d in _LAYOUT[self.name])
        return _letter(-columns), _letter(columns), _letter(-rows), _letter(rows)

    def cut(self, volume: Volume) -> np.ndarray:
        """(H, W) of a float volume, NaN outside of it; (H, W, 3) of a colour one, black outside."""
        fill = 0.0 if volume.is_colour else float("nan")
        near = self._near(volume.geometry)
        # No more than lies around the plane is copied for the resampler.
        part = Volume(volume.array[near], volume.geometry.part(near), volume.name)
        image = to_image(part)
        # A plane across the rows has touched every page of the volume.
        scratch.let_go()
        return sitk.GetArrayFromImage(sample(image, self.geometry, fill=fill))[0]

    def _near(self, grid: Geometry) -> tuple[slice, slice, slice]:
        """The voxels (K, J, I) of a grid between which the plane's pixels lie."""
        corners = np.column_stack([self.geometry.corners(), np.ones(8)])
        places = (corners @ np.linalg.inv(grid.ijk_to_lps).T)[:, :3]
        first = np.floor(places.min(0)).astype(int) - 2
        last = np.ceil(places.max(0)).astype(int) + 3
        i, j, k = (
            slice(max(0, min(low, n - 1)), min(n, max(high, 1)))
            for low, high, n in zip(first.tolist(), last.tolist(), grid.size, strict=True)
        )
        return k, j, i


def planes_through(geometry: Geometry, point: np.ndarray) -> list[Plane]:
    """The planes through ``point`` (LPS mm) that show something of ``geometry``, one to three."""
    planes = [_plane(name, geometry, point) for name in _LAYOUT]
    widest = max(max(plane.extent_mm) for plane in planes)
    thick = [plane for plane in planes if min(plane.extent_mm) >= _THINNEST * widest]
    return thick or [max(planes, key=lambda plane: min(plane.extent_mm))]


def centre_of_mass(geometry: Geometry, mask: np.ndarray) -> np.ndarray:
    """(3,) LPS mm: the voxel nearest to the centre of ``mask`` (K, J, I), or of the grid."""
    index = []
    for axis in (2, 1, 0):
        counts = np.count_nonzero(mask, axis=tuple(a for a in range(3) if a != axis))
        total = counts.sum()
        middle = counts @ np.arange(len(counts)) / total if total else (len(counts) - 1) / 2
        index.append(round(float(middle)))
    return (geometry.ijk_to_lps @ np.array([*index, 1.0]))[:3]


def _plane(name: str, geometry: Geometry, point: np.ndarray) -> Plane:
    columns, rows, across = (np.array(d, dtype=float) for d in _LAYOUT[name])
    reach = geometry.corners() - point
    sides = [(float((reach @ d).min()), float((reach @ d).max())) for d in (columns, rows)]
    longest = max(high - low for low, high in sides)
    spacing = max(min(geometry.spacing), longest / _LARGEST)
    # Whole steps from the point, so that on an upright grid pixels fall on voxels.
    before, after = (
        [max(0, int(reach / spacing - 0.5 + 1e-6)) for reach in ends]
        for ends in ((-low for low, _ in sides), (high for _, high in sides))
    )
    origin = point - spacing * (before[0] * columns + before[1] * rows)
    axis = int(np.argmax(across))
    letter = _LETTERS[axis, 1 if point[axis] >= 0 else -1]
    return Plane(
        name,
        Geometry(
            (before[0] + after[0] + 1, before[1] + after[1] + 1, 1),
            (spacing, spacing, min(geometry.spacing)),
            tuple(origin.tolist()),
            tuple(np.column_stack([columns, rows, across]).ravel().tolist()),
        ),
        f"{letter} {abs(point[axis]):.1f} mm",
    )


def _letter(direction: np.ndarray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis, int(np.sign(direction[axis]))]
