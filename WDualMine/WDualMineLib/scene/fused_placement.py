"""How the moving volume lay when it was fused, kept with the result.

The transform in the scene may be edited, switched off or deleted later; what a fused voxel was made
of does not change by that.
"""

from __future__ import annotations

import json

import numpy as np
import SimpleITK as sitk
import slicer

from ..registration.transforms import affine_transform

_ATTRIBUTE = "WDualMine.MovingToFixed"


def remember_placement(fused: slicer.vtkMRMLScalarVolumeNode, moving_to_fixed: np.ndarray) -> None:
    """Keep the 4x4 matrix from points of the moving volume to the fixed one (LPS mm)."""
    fused.SetAttribute(_ATTRIBUTE, json.dumps(np.asarray(moving_to_fixed, float).tolist()))


def knows_placement(fused: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether :func:`remember_placement` was called for ``fused``, in whatever session."""
    return bool(fused.GetAttribute(_ATTRIBUTE))


def placement_when_fused(fused: slicer.vtkMRMLScalarVolumeNode) -> sitk.Transform | None:
    """From points of the fixed volume to the moving one (LPS mm); None for the identity.

    Only for what :func:`knows_placement` is true of.
    """
    matrix = np.linalg.inv(np.array(json.loads(fused.GetAttribute(_ATTRIBUTE))))
    if np.allclose(matrix, np.eye(4), rtol=0, atol=1e-9):
        return None
    return affine_transform(matrix, np.zeros(3))
