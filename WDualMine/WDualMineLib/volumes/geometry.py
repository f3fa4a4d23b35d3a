"""Where a voxel grid lies in the patient: IJK to LPS, exactly as SimpleITK keeps it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
"""Factors of x, y and z, in either direction: NIfTI and MRML speak RAS. It is exact."""


@dataclass(frozen=True)
class Geometry:
    """A voxel grid in patient space (LPS, millimetres).

    Attributes:
        size: voxels along I, J, K.
        spacing: mm between voxel centres along I, J, K; positive.
        origin: LPS position in mm of the centre of voxel (0, 0, 0).
        direction: 3x3 matrix, row-major, whose columns are the LPS unit vectors of I, J, K. It may
            be sheared (a gantry tilt) or left-handed; it may not be singular.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.direction) != 9:
            raise ValueError(f"direction needs 9 numbers, got {len(self.direction)}")
        if min(self.size) < 1 or min(self.spacing) <= 0:
            raise ValueError(f"size {self.size} and spacing {self.spacing} must be positive")
        if abs(np.linalg.det(self.direction_matrix)) < 1e-6:
            raise ValueError("the direction matrix is singular")

    @property
    def direction_matrix(self) -> np.ndarray:
        """3x3 float64; columns are the LPS unit vectors of I, J, K."""
        return np.array(self.direction, dtype=np.float64).reshape(3, 3)

    @property
    def ijk_to_lps(self) -> np.ndarray:
        """4x4 float64 matrix from voxel indices (i, j, k, 1) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction_matrix * np.array(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def array_shape(self) -> tuple[int, int, int]:
        """Shape of the numpy array on this grid: (K, J, I)."""
        return self.size[::-1]

    def part(self, region: tuple[slice, slice, slice]) -> Geometry:
        """The grid of ``array[region]``.

        Args:
            region: for K, J, I; may step, forwards.
        """
        ranges = [range(*each.indices(n)) for each, n in zip(region[::-1], self.size, strict=True)]
        first = self.ijk_to_lps @ [*(r.start for r in ranges), 1]
        i, j, k = (len(r) for r in ranges)
        x, y, z = (s * r.step for s, r in zip(self.spacing, ranges, strict=True))
        return Geometry((i, j, k), (x, y, z), tuple(first[:3].tolist()), self.direction)

    def moved(self, matrix: np.ndarray) -> Geometry:
        """This grid moved by a 4x4 matrix of LPS points; spacing follows where it scales."""
        axes = matrix[:3, :3] @ (self.direction_matrix * np.array(self.spacing))
        x, y, z = np.linalg.norm(axes, axis=0).tolist()
        origin = (matrix @ np.array([*self.origin, 1.0]))[:3]
        direction = axes / (x, y, z)
        return Geometry(
            self.size, (x, y, z), tuple(origin.tolist()), tuple(direction.ravel().tolist())
        )

    def corners(self) -> np.ndarray:
        """(8, 3) LPS mm: the outer corners of the grid, half a voxel beyond the centres."""
        limits = [(-0.5, n - 0.5) for n in self.size]
        indices = np.array(
            [[i, j, k, 1.0] for i in limits[0] for j in limits[1] for k in limits[2]]
        )
        return (indices @ self.ijk_to_lps.T)[:, :3]
