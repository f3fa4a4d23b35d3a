"""The alignment as a Spatial Registration object, from the moving series to the fixed one."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ..errors import InputError
from . import codes, kinds
from .context import SeriesContext
from .derivation import NOT_FOR_DIAGNOSIS, Derivation, list_series, reference
from .modules import Target, decimals, new_object, put_frame_of_reference
from .series import SeriesLabel
from .uids import frame_of_reference_for

_RIGID = 1e-5


def spatial_registration(
    target: Target,
    fixed: SeriesContext,
    moving: SeriesContext,
    derivation: Derivation,
    label: SeriesLabel,
) -> Dataset:
    """The registration of ``moving`` to ``fixed``.

    The matrix maps points of the moving frame of reference to the fixed one (PS3.3 C.20.2), so it
    is the inverse of ``derivation.transform``.

    Raises:
        InputError: the transform is no matrix (a deformation) or cannot be inverted.
    """
    dataset = new_object(
        target,
        derivation,
        sop_class_uid=kinds.SPATIAL_REGISTRATION,
        modality="REG",
        series="registration",
        label=label,
    )
    put_frame_of_reference(dataset, target, fixed)
    dataset.ContentDate, dataset.ContentTime = dataset.SeriesDate, dataset.SeriesTime
    dataset.ContentLabel = "REGISTRATION"
    dataset.ContentDescription = f"Moving to fixed. {NOT_FOR_DIAGNOSIS}"
    dataset.ContentCreatorName = ""
    to_fixed = np.linalg.inv(matrix_of(derivation.transform))
    moving_frame = moving.frame_of_reference_uid or frame_of_reference_for(moving.series_uid)
    own = codes.sequence(codes.FRAME_OF_REFERENCE_IDENTITY)
    # Of a transform that the user gave nobody knows how it was found: the type stays empty.
    found = (
        codes.sequence(codes.IMAGE_CONTENT_BASED_ALIGNMENT)
        if derivation.by_content
        else Sequence([])
    )
    dataset.RegistrationSequence = Sequence(
        [
            _aligned(fixed, target.frame_of_reference_uid, np.eye(4), "Fixed", own),
            _aligned(moving, moving_frame, to_fixed, "Moving", found),
        ]
    )
    every = [(instance, series) for series in (fixed, moving) for instance in series.instances]
    list_series(dataset, every, target.study.uid)
    return dataset


def matrix_of(transform: sitk.Transform | None) -> np.ndarray:
    """4x4 float64 of a linear transform of LPS points.

    Raises:
        InputError: not linear, or singular.
    """
    matrix = np.eye(4)
    if transform is None:
        return matrix
    if not transform.IsLinear():
        raise InputError(
            "The transform is a deformation, which a Spatial Registration object cannot hold",
            "Export without the registration, or align by a rigid or affine transform",
        )
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    for axis in range(3):
        unit = np.eye(3)[axis]
        matrix[:3, axis] = np.array(transform.TransformPoint(tuple(unit))) - origin
    matrix[:3, 3] = origin
    if abs(np.linalg.det(matrix)) < 1e-9:
        raise InputError("The transform is singular", "Align the volumes again")
    return matrix


def _aligned(
    series: SeriesContext, frame: str, matrix: np.ndarray, comment: str, how: Sequence
) -> Dataset:
    """One item of the registration sequence.

    The images are named beside the frame of reference: the moving series may share the frame of
    the fixed one and yet need another matrix.
    """
    step = Dataset()
    step.FrameOfReferenceTransformationMatrix = decimals(matrix.ravel())
    rotation = matrix[:3, :3]
    rigid = np.abs(rotation.T @ rotation - np.eye(3)).max() < _RIGID
    step.FrameOfReferenceTransformationMatrixType = (
        "RIGID" if rigid and np.linalg.det(rotation) > 0 else "AFFINE"
    )
    registration = Dataset()
    registration.FrameOfReferenceTransformationComment = comment
    registration.RegistrationTypeCodeSequence = how
    registration.MatrixSequence = Sequence([step])
    item = Dataset()
    item.FrameOfReferenceUID = frame
    unique = {instance.sop_instance_uid: instance for instance in series.instances}
    item.ReferencedImageSequence = Sequence(map(reference, unique.values()))
    item.MatrixRegistrationSequence = Sequence([registration])
    return item
