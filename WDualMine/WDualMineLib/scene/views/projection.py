"""A volume seen from any side, without a window or a graphics driver: its surface, or its maximum.

VTK reslices a small copy of the volume along the rays of the view; what is left is a few operations
on arrays. Memory and time depend on the size of the picture alone, whatever the volume's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..result.node_placement import ijk_to_ras

LARGEST_SIDE = 144
"""Voxels of a small copy, along each axis, at the most."""

_AMBIENT = 0.15
"""Brightness of a surface that is seen from its edge."""


@dataclass(frozen=True)
class SmallVolume:
    """A copy with few voxels, which no scene knows: one thread at a time may project it.

    Attributes:
        image: float32 voxels, of spacing 1 at the origin.
        ijk_to_ras: 4x4, of these voxels, mm.
    """

    image: vtk.vtkImageData
    ijk_to_ras: np.ndarray


@dataclass(frozen=True)
class Sight:
    """From where, and how much, one looks.

    Attributes:
        azimuth: degrees around the axis of the body; 0 from anterior, 90 from the right.
        elevation: degrees above the axial plane.
        centre: RAS mm, in the middle of the picture.
        field: mm across the shorter side.
        size: width and height in pixels.
        samples: along each ray.
    """

    azimuth: float
    elevation: float
    centre: tuple[float, float, float]
    field: float
    size: tuple[int, int]
    samples: int

    @property
    def axes(self) -> np.ndarray:
        """(3, 3), RAS: the directions to the right of the screen, up, and away from the eye."""
        a, e = np.radians([self.azimuth, self.elevation])
        towards = np.array([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)])
        right = np.array([-np.cos(a), np.sin(a), 0.0])
        return np.stack([right, np.cross(towards, right), -towards])

    @property
    def pixel(self) -> float:
        """Side of a pixel in mm."""
        return self.field / min(self.size)


def small_copy(node: slicer.vtkMRMLScalarVolumeNode, keep: str = "Mean") -> SmallVolume:
    """The volume of a node where it lies in its scene, with one voxel in place of several.

    Args:
        keep: of those, their "Mean", "Minimum" or "Maximum": the latter keep what is small.
    """
    image = node.GetImageData()
    factors = [-(-n // LARGEST_SIDE) for n in image.GetDimensions()]
    shrink = vtk.vtkImageShrink3D()
    shrink.SetInputData(image)
    shrink.SetShrinkFactors(*factors)
    getattr(shrink, f"{keep}On")()
    cast = vtk.vtkImageCast()
    cast.SetInputConnection(shrink.GetOutputPort())
    cast.SetOutputScalarTypeToFloat()
    cast.Update()
    small = vtk.vtkImageData()
    small.ShallowCopy(cast.GetOutput())
    small.SetOrigin(0, 0, 0)
    small.SetSpacing(1, 1, 1)
    of_small = np.diag([*factors, 1.0])
    of_small[:3, 3] = (np.array(factors) - 1) / 2  # the middle of those that became one
    return SmallVolume(small, ijk_to_ras(node) @ of_small)


def maximum(volume: SmallVolume, sight: Sight, outside: float | None = None) -> np.ndarray:
    """(height, width) float32: the highest value along each ray.

    Args:
        outside: value of what is not in the volume; its lowest one if None.
    """
    return _along_rays(volume, sight, outside)[0].max(axis=0)


def minimum(volume: SmallVolume, sight: Sight, outside: float) -> np.ndarray:
    """(height, width) float32: the lowest value along each ray."""
    return _along_rays(volume, sight, outside)[0].min(axis=0)


def surface(volume: SmallVolume, sight: Sight, level: float) -> np.ndarray:
    """How bright the surface at ``level`` is in the light of a lamp at the eye.

    Returns:
        (height, width) float32 in [0, 1]; 0 where a ray meets none.
    """
    values, step = _along_rays(volume, sight, None)
    above = values >= level
    y, x = np.nonzero(above.any(axis=0))
    z = above.argmax(axis=0)[y, x]
    slope = np.empty((3, len(z)), np.float32)
    for axis, mm in enumerate((step, sight.pixel, sight.pixel)):
        before, after = [z, y, x], [z, y, x]
        before[axis] = np.maximum(before[axis] - 1, 0)
        after[axis] = np.minimum(after[axis] + 1, values.shape[axis] - 1)
        slope[axis] = (values[tuple(after)] - values[tuple(before)]) / mm
    facing = np.clip(slope[0] / np.maximum(np.linalg.norm(slope, axis=0), 1e-12), 0, 1)
    picture = np.zeros(values.shape[1:], np.float32)
    picture[y, x] = _AMBIENT + (1 - _AMBIENT) * facing
    return picture


def struck(
    volume: SmallVolume, sight: Sight, level: float | None
) -> tuple[float, float, float] | None:
    """The point (RAS mm) that the ray through the centre meets first at ``level`` or above.

    Args:
        level: None for the highest value along the ray.

    Returns:
        None where it meets nothing.
    """
    values, step = _along_rays(volume, replace(sight, size=(1, 1)), None)
    ray = values.ravel()
    if level is None and ray.max() > ray.min():
        level = float(ray.max())
    if level is None or ray.max() < level:
        return None
    deep = (int((ray >= level).argmax()) - (len(ray) - 1) / 2) * step
    r, a, s = (np.array(sight.centre) + sight.axes[2] * deep).tolist()
    return r, a, s


def _along_rays(
    volume: SmallVolume, sight: Sight, outside: float | None
) -> tuple[np.ndarray, float]:
    """(samples, height, width) float32, nearest and top row first, and mm between the samples."""
    size = np.array([*sight.size, sight.samples])
    right, up, away = sight.axes
    dimensions = np.array(volume.image.GetDimensions())
    corners = np.array([[*c, 1.0] for c in np.ndindex(2, 2, 2)]) * [*dimensions, 1.0]
    corners[:, :3] -= 0.5
    far = (corners @ volume.ijk_to_ras.T)[:, :3] - sight.centre
    step = 2.02 * float(np.abs(far @ away).max()) / sight.samples
    to_ras = np.eye(4)
    to_ras[:3, :3] = np.stack([right * sight.pixel, -up * sight.pixel, away * step], axis=1)
    to_ras[:3, 3] = np.array(sight.centre) - to_ras[:3, :3] @ ((size - 1) / 2)
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(volume.image)
    reslice.SetResliceAxes(
        slicer.util.vtkMatrixFromArray(np.linalg.inv(volume.ijk_to_ras) @ to_ras)
    )
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(volume.image.GetScalarRange()[0] if outside is None else outside)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    reslice.Update()
    scalars = reslice.GetOutput().GetPointData().GetScalars()
    return numpy_support.vtk_to_numpy(scalars).reshape(size[::-1]), step
