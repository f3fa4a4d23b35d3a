"""Random rigid poses, volumes carried to them, and the error left in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ...registration.grids import index_to_lps, to_image
from ...registration.poses import about, rotation
from ...registration.preparation import Prepared, prepare
from ...registration.transforms import rigid_transform
from ...volumes.geometry import Geometry
from ...volumes.volume import Volume

GRID_MM = 12.0


@dataclass(frozen=True)
class Range:
    """How far a pose may be from the truth along and about each axis."""

    name: str
    shift_mm: float
    turn_degrees: float


USUAL = Range("usual", 20.0, 15.0)
HARD = Range("hard", 60.0, 45.0)


def random_pose(limits: Range, centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """4x4 matrix from true to displaced points (LPS mm), uniform along and about each axis."""
    angles = np.radians(rng.uniform(-limits.turn_degrees, limits.turn_degrees, 3))
    shift = rng.uniform(-limits.shift_mm, limits.shift_mm, 3)
    return about(rotation(angles), centre, centre + shift)


def in_header(volume: Volume, matrix: np.ndarray, offset: np.ndarray) -> Volume:
    """``volume`` with its content carried by ``matrix``, the pose kept in the header: oblique.

    The content is first resampled (cubic B-spline) to a grid shifted by ``offset`` voxels, so that
    no method profits from the fixed and the moving grid coinciding at the truth.
    """
    image = to_image(np.asarray(volume.array, np.float32), volume.geometry)
    shifted = sitk.Image(image.GetSize(), sitk.sitkFloat32)
    shifted.CopyInformation(image)
    shifted.SetOrigin(image.TransformContinuousIndexToPhysicalPoint(offset.tolist()))
    array = _resampled(image, shifted, sitk.Transform(), float(volume.array.min()))
    origin = matrix @ np.append(shifted.GetOrigin(), 1.0)
    direction = matrix[:3, :3] @ volume.geometry.direction_matrix
    geometry = Geometry(
        volume.geometry.size, volume.geometry.spacing, tuple(origin[:3]), tuple(direction.ravel())
    )
    return Volume(array, geometry, volume.name, volume.modality)


def upright(volume: Volume, matrix: np.ndarray, offset: np.ndarray) -> Volume:
    """``volume`` carried by ``matrix`` and resampled onto axes like its own: as a scanner delivers.

    The grid is the bounding box of the moved field of view, shifted by ``offset`` voxels; outside
    the field of view stands the lowest value.
    """
    image = to_image(np.asarray(volume.array, np.float32), volume.geometry)
    spacing = np.array(volume.geometry.spacing)
    axes = volume.geometry.direction_matrix
    corners = volume.geometry.corners()
    moved = corners @ matrix[:3, :3].T + matrix[:3, 3]
    along = moved @ np.linalg.inv(axes).T
    low = along.min(axis=0) + (0.5 + offset) * spacing
    size = np.maximum(np.ceil((along.max(axis=0) - low) / spacing).astype(int), 2)
    grid = sitk.Image(size.tolist(), sitk.sitkFloat32)
    grid.SetSpacing(spacing.tolist())
    grid.SetDirection(axes.ravel().tolist())
    grid.SetOrigin((axes @ low).tolist())
    back = rigid_transform(np.linalg.inv(matrix), np.zeros(3))
    array = _resampled(image, grid, back, float(volume.array.min()))
    geometry = Geometry(grid.GetSize(), grid.GetSpacing(), grid.GetOrigin(), grid.GetDirection())
    return Volume(array, geometry, volume.name, volume.modality)


def _resampled(
    image: sitk.Image, grid: sitk.Image, transform: sitk.Transform, fill: float
) -> np.ndarray:
    """Cubic B-spline, clipped to the range of ``image`` (splines overshoot at edges)."""
    result = sitk.GetArrayFromImage(sitk.Resample(image, grid, transform, sitk.sitkBSpline, fill))
    view = sitk.GetArrayViewFromImage(image)
    return np.clip(result, view.min(), view.max())


def target_points(prepared: Prepared) -> np.ndarray:
    """(N, 3) LPS mm: the corners of the body's box, and a 12 mm grid of points inside the body."""
    mask = sitk.GetArrayViewFromImage(prepared.body) > 0
    k, j, i = np.nonzero(mask)
    ends = np.array([[i.min(), i.max()], [j.min(), j.max()], [k.min(), k.max()]])
    corners = np.array(np.meshgrid(*ends, indexing="ij")).reshape(3, -1)
    step = max(1, round(GRID_MM / prepared.body.GetSpacing()[0]))
    inside = np.stack([i, j, k])[:, (i % step == 0) & (j % step == 0) & (k % step == 0)]
    index = np.concatenate([corners, inside], axis=1)
    matrix = index_to_lps(prepared.body)
    return (matrix[:3, :3] @ index + matrix[:3, 3:]).T


def errors_mm(found: np.ndarray, truth: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) target registration error: how far ``found`` sends ``points`` from where they belong."""
    difference = (found - truth)[:3, :3] @ points.T + (found - truth)[:3, 3:]
    return np.linalg.norm(difference, axis=0)


def targets_of(volume: Volume) -> np.ndarray:
    """The target points of the fixed ``volume``."""
    return target_points(prepare(volume))
