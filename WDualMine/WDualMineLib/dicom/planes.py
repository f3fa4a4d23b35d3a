"""A voxel grid as DICOM image planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from ..errors import InputError
from ..volumes.geometry import Geometry
from ..volumes.volume import Volume
from .modules import decimals

# DICOM orientation cosines are perpendicular; a grid further off than this cannot be said.
_PERPENDICULAR = 1e-4

# A direction leads along an axis if it turns by more than some three degrees towards it.
_OBLIQUE = 0.05


@dataclass(frozen=True)
class Planes:
    """A volume whose slices follow each other along the right-handed normal.

    Attributes:
        array: (K, J, I) or (K, J, I, 3).
        geometry: of the array, right-handed.
    """

    array: np.ndarray
    geometry: Geometry

    @property
    def orientation(self) -> list[str]:
        """ImageOrientationPatient."""
        matrix = self.geometry.direction_matrix
        return decimals([*matrix[:, 0], *matrix[:, 1]])

    @property
    def letters(self) -> list[str]:
        """PatientOrientation: where rows and columns lead, as "L", "PH", ...; main axis first."""
        matrix = self.geometry.direction_matrix
        return [_letters(matrix[:, 0]), _letters(matrix[:, 1])]

    @property
    def pixel_spacing(self) -> list[str]:
        """PixelSpacing: between rows, then between columns."""
        return decimals([self.geometry.spacing[1], self.geometry.spacing[0]])

    @property
    def thickness(self) -> str:
        """SliceThickness and the spacing between slices: they touch."""
        return decimals([self.geometry.spacing[2]])[0]

    def position(self, k: int) -> list[str]:
        """ImagePositionPatient of slice ``k``."""
        return decimals((self.geometry.ijk_to_lps @ [0, 0, k, 1])[:3])

    def location(self, k: int) -> float:
        """mm along the normal (SliceLocation)."""
        return float(self.geometry.direction_matrix[:, 2] @ self._point(k))

    def put(self, dataset: Dataset, k: int) -> None:
        """Set the Image Plane module for slice ``k``."""
        dataset.PixelSpacing = self.pixel_spacing
        dataset.ImageOrientationPatient = self.orientation
        dataset.ImagePositionPatient = self.position(k)
        dataset.SliceThickness = self.thickness
        dataset.SliceLocation = decimals([self.location(k)])[0]

    def _point(self, k: int) -> np.ndarray:
        return (self.geometry.ijk_to_lps @ [0, 0, k, 1])[:3]


def _letters(direction: np.ndarray) -> str:
    names = ("RL", "AP", "FH")  # towards minus, towards plus of each LPS axis
    axes = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    return "".join(names[a][int(direction[a] > 0)] for a in axes if abs(direction[a]) > _OBLIQUE)


def planes_of(volume: Volume) -> Planes:
    """The volume, its slices turned round if its axes are left-handed.

    Every voxel stays where it is; only the order of the slices may change.

    Raises:
        InputError: the grid is sheared, which DICOM image planes cannot say.
    """
    geometry, array = volume.geometry, volume.array
    matrix = geometry.direction_matrix
    if np.abs(matrix.T @ matrix - np.eye(3)).max() > _PERPENDICULAR:
        raise InputError(
            f"The grid of {volume.name} is sheared, and DICOM images cannot be",
            "Resample the fixed volume to a grid of perpendicular axes and fuse again",
        )
    if np.linalg.det(matrix) > 0:
        return Planes(array, geometry)
    last = (geometry.ijk_to_lps @ [0, 0, geometry.size[2] - 1, 1])[:3]
    turned = matrix * np.array([1.0, 1.0, -1.0])
    flipped = Geometry(
        geometry.size, geometry.spacing, tuple(last.tolist()), tuple(turned.ravel().tolist())
    )
    return Planes(array[::-1], flipped)
