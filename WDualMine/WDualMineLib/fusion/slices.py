"""Slices of a volume along an anatomical axis, found from the direction matrix.

Every slice is laid out as radiologists look at it (anterior or superior up, the patient's right on
the left), whatever the order in which the file keeps its voxels: the network then sees what it was
trained on, and two copies of one volume stored differently give one result.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ..volumes.geometry import Geometry

AXES = ("axial", "coronal", "sagittal")
THREE_PLANE = "three-plane"

# For each axis, the LPS axis that is crossed by the slices, that runs down the rows and that runs
# along the columns, with the sense in which an index grows. Radiological convention.
_LAYOUT = {
    "axial": ((2, +1), (1, +1), (0, +1)),
    "coronal": ((1, +1), (2, -1), (0, +1)),
    "sagittal": ((0, +1), (2, -1), (1, +1)),
}


@dataclass(frozen=True)
class Slicing:
    """How to look at a (K, J, I) array as (N, H, W) slices.

    Attributes:
        axis: one of :data:`AXES`.
        permutation: array axes in the order slices, rows, columns.
        flipped: which of slices, rows, columns run backwards.
    """

    axis: str
    permutation: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @classmethod
    def of(cls, geometry: Geometry, axis: str) -> Slicing:
        """The slicing of ``geometry`` nearest to an anatomical axis; oblique grids included.

        Each voxel axis stands for one patient axis, so that all of the volume is covered exactly
        once whatever the angles; of the six assignments the one nearest to the directions wins.
        """
        alignment = np.abs(geometry.direction_matrix)
        # max() keeps the first of equals: at 45 degrees the order of the file decides.
        of_patient_axis = max(
            permutations(range(3)),
            key=lambda voxel_axes: round(sum(alignment[p, v] for p, v in enumerate(voxel_axes)), 6),
        )
        layout = [(of_patient_axis[patient], patient, sense) for patient, sense in _LAYOUT[axis]]
        # I, J, K are the array's axes 2, 1, 0.
        slices, rows, columns = (2 - voxel for voxel, _, _ in layout)
        back, up, left = (
            bool(geometry.direction_matrix[p, v] * sense < 0) for v, p, sense in layout
        )
        return cls(axis, (slices, rows, columns), (back, up, left))

    def stack(self, array: np.ndarray) -> np.ndarray:
        """(N, H, W) view of a (K, J, I) array; writing into it puts the slices back exactly.

        A (K, J, I, 3) array gives (N, H, W, 3).
        """
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)
        return array.transpose(*self.permutation, *range(3, array.ndim))[steps]


def slicings(geometry: Geometry, axis: str) -> tuple[Slicing, ...]:
    """One slicing, or three for ``"three-plane"``, axial first."""
    return tuple(Slicing.of(geometry, a) for a in (AXES if axis == THREE_PLANE else (axis,)))
