"""Registrations as transform nodes."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer

from ..registration.transforms import matrix_of

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def add_registration(
    scene: slicer.vtkMRMLScene, transform: sitk.Transform, name: str
) -> slicer.vtkMRMLLinearTransformNode:
    """A transform node that moves the moving volume onto the fixed one when observed by it.

    Args:
        scene: where to add it.
        transform: linear, from fixed to moving points (LPS, mm), as a registration finds it.
        name: of the node, made unique in the scene.
    """
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", scene.GenerateUniqueName(name))
    matrix = _LPS_TO_RAS @ matrix_of(transform) @ _LPS_TO_RAS
    # A resampler asks where a fixed point lies in the moving volume; a scene moves the volume.
    slicer.util.updateTransformMatrixFromArray(node, np.linalg.inv(matrix))
    return node
