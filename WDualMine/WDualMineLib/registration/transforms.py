"""Rigid and affine transforms from fixed to moving points (LPS, mm): checked, read and written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import InputError, OutputError
from ..volumes.paths import require_unicode_output
from ..volumes.transform_files import require_one_transform
from ..volumes.transform_reading import read_itk_transform

LINEAR = (
    sitk.sitkIdentity,
    sitk.sitkTranslation,
    sitk.sitkEuler,
    sitk.sitkSimilarity,
    sitk.sitkScale,
    sitk.sitkVersor,
    sitk.sitkVersorRigid,
    sitk.sitkScaleVersor,
    sitk.sitkScaleSkewVersor,
    sitk.sitkAffine,
)
RIGID_TOLERANCE = 1e-4


def matrix_of(transform: sitk.Transform) -> np.ndarray:
    """4x4 float64 matrix of a linear transform, whatever its class or centre."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, 3] = origin
    for axis in range(3):
        unit = np.eye(3)[axis].tolist()
        matrix[:3, axis] = np.array(transform.TransformPoint(unit)) - origin
    return matrix


def is_rigid(matrix: np.ndarray) -> bool:
    linear = matrix[:3, :3]
    return bool(
        np.allclose(linear @ linear.T, np.eye(3), atol=RIGID_TOLERANCE)
        and np.linalg.det(linear) > 0
    )


def rigid_transform(matrix: np.ndarray, centre: np.ndarray) -> sitk.Euler3DTransform:
    """The rigid transform of a 4x4 ``matrix``, turning about ``centre`` (LPS mm).

    The nearest rotation is taken, so that rounding in ``matrix`` does no harm.
    """
    left, _, right = np.linalg.svd(matrix[:3, :3])
    rotation = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    transform = sitk.Euler3DTransform()
    transform.SetCenter(np.asarray(centre, dtype=float).tolist())
    transform.SetMatrix(rotation.ravel().tolist(), 1e-6)
    moved = matrix[:3, :3] @ centre + matrix[:3, 3]
    transform.SetTranslation((moved - centre).tolist())
    return transform


def affine_transform(matrix: np.ndarray, centre: np.ndarray) -> sitk.AffineTransform:
    """The affine transform of a 4x4 ``matrix``, about ``centre`` (LPS mm)."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(np.asarray(centre, dtype=float).tolist())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    moved = matrix[:3, :3] @ centre + matrix[:3, 3]
    transform.SetTranslation((moved - centre).tolist())
    return transform


def simplified(transform: sitk.Transform, source: str = "The transform") -> sitk.Transform:
    """``transform`` as one Euler3D (when rigid) or affine transform; composites are multiplied out.

    Raises:
        InputError: it is not linear in 3-D, is singular, or mirrors space.
    """
    transform = sitk.Transform(transform).Downcast()
    if transform.GetDimension() != 3:
        raise InputError(
            f"{source} is a {transform.GetDimension()}-D transform",
            "Give a 3-D rigid or affine one",
        )
    for part in _parts(transform):
        if part.GetTransformEnum() not in LINEAR:
            raise InputError(
                f"{source} holds a {part.GetName()}, which is not linear",
                "Give a rigid or affine transform from fixed to moving points, or register anew",
            )
    matrix = matrix_of(transform)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        raise InputError(f"{source} is singular", "Give an invertible rigid or affine transform")
    if np.linalg.det(matrix[:3, :3]) < 0:
        raise InputError(
            f"{source} mirrors the patient (negative determinant)",
            "Give a transform without reflection; left and right must not be exchanged",
        )
    centre = np.zeros(3)
    return rigid_transform(matrix, centre) if is_rigid(matrix) else affine_transform(matrix, centre)


def _parts(transform: sitk.Transform) -> list[sitk.Transform]:
    if transform.GetTransformEnum() != sitk.sitkComposite:
        return [transform]
    composite = sitk.CompositeTransform(transform)
    parts = [
        composite.GetNthTransform(n).Downcast() for n in range(composite.GetNumberOfTransforms())
    ]
    return [leaf for part in parts for leaf in _parts(part)]


def read_transform(path: str | os.PathLike) -> sitk.Transform:
    """Read an ITK transform file (.tfm, .txt, .mat, .h5): fixed to moving points, LPS mm.

    Returns:
        A single Euler3D or affine transform.

    Raises:
        InputError: the file is missing, is no transform, holds several that are no composite, or
            is not rigid or affine in 3-D.
    """
    path = Path(path)
    require_one_transform(path)
    return simplified(read_itk_transform(path), str(path))


def write_transform(transform: sitk.Transform, path: str | os.PathLike) -> None:
    """Write ``transform`` to ``path`` (.tfm or .h5) at once or not at all."""
    path = Path(path)
    require_unicode_output(path)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        sitk.WriteTransform(transform, str(partial))
        os.replace(partial, path)
    except (RuntimeError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"The transform {path} cannot be written", "Check the folder, its room and permissions"
        ) from error


def largest_displacement(a: np.ndarray, b: np.ndarray, points: np.ndarray) -> float:
    """The largest distance in mm between where matrices ``a`` and ``b`` send ``points`` (N, 3)."""
    difference = (a - b)[:3, :3] @ points.T + (a - b)[:3, 3:]
    return float(np.linalg.norm(difference, axis=0).max())
