"""Where volumes lie under their transforms (4x4, LPS mm), and which of these aligned them."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
import vtk

from ...errors import InputError
from ...pipeline.alignment import Alignment
from ...registration.transforms import affine_transform, matrix_of
from .volume_nodes import POINTS_TO_RAS, ijk_to_lps

ALIGNS = "WDualMine.Aligns"
"""Reference role by which a transform node that a registration made knows its moving volume."""

ALIGNED_TO = "WDualMine.AlignedTo"
"""The same for the fixed volume."""

VERDICT = "WDualMine.Verdict"
"""Attribute of such a node: "good" or "doubtful"."""


def to_world(node: slicer.vtkMRMLTransformableNode) -> np.ndarray:
    """4x4 from the node's own coordinates to the world, through all its parent transforms.

    Raises:
        InputError: a parent is not linear.
    """
    parent = node.GetParentTransformNode()
    return np.eye(4) if parent is None else transform_to_world(parent, node.GetName())


def transform_to_world(node: slicer.vtkMRMLTransformNode, of_what: str = "") -> np.ndarray:
    """4x4 of a transform node with its own parents; ``of_what`` it places is named if it fails.

    Raises:
        InputError: it is not linear, or cannot be inverted.
    """
    subject = f"The transform {node.GetName()}" + (f" of {of_what}" if of_what else "")
    if not node.IsTransformToWorldLinear():
        raise InputError(
            f"{subject} is not linear",
            "Harden it on its volume in the Transforms module, or choose a linear one",
        )
    matrix = vtk.vtkMatrix4x4()
    node.GetMatrixTransformToWorld(matrix)
    ras = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    if not np.isfinite(ras).all() or abs(np.linalg.det(ras[:3, :3])) < 1e-6:
        raise InputError(f"{subject} cannot be inverted", "Choose another transform")
    return POINTS_TO_RAS @ ras @ POINTS_TO_RAS


def set_matrix(node: slicer.vtkMRMLLinearTransformNode, lps: np.ndarray) -> None:
    """Make ``node`` move points by a 4x4 matrix given in LPS."""
    node.SetMatrixTransformToParent(
        slicer.util.vtkMatrixFromArray(POINTS_TO_RAS @ lps @ POINTS_TO_RAS)
    )


def fixed_to_moving(
    fixed: slicer.vtkMRMLVolumeNode, moving: slicer.vtkMRMLVolumeNode
) -> sitk.Transform | None:
    """From points of ``fixed`` to points of ``moving`` (LPS mm) as both lie in the scene.

    None where they lie in one frame of reference.

    Raises:
        InputError: a parent transform is not linear.
    """
    matrix = np.linalg.inv(to_world(moving)) @ to_world(fixed)
    if np.allclose(matrix, np.eye(4), rtol=0, atol=1e-9):
        return None
    return affine_transform(matrix, np.zeros(3))


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """4x4 from voxels to the world's RAS mm, parent transforms included."""
    return POINTS_TO_RAS @ to_world(node) @ ijk_to_lps(node)


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
    # A resampler asks where a fixed point lies in the moving volume; a scene moves the volume.
    set_matrix(node, np.linalg.inv(matrix_of(transform)))
    return node


def own_transform(
    moving: slicer.vtkMRMLScalarVolumeNode,
) -> slicer.vtkMRMLLinearTransformNode | None:
    """The transform that an earlier run put ``moving`` under, if it still lies there."""
    parent = moving.GetParentTransformNode()
    made_here = parent is not None and parent.GetNodeReference(ALIGNS) is moving
    return parent if made_here else None


def mark(
    node: slicer.vtkMRMLLinearTransformNode,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
    alignment: Alignment,
) -> None:
    """Let ``node`` know what it aligns, and the verdict on it; ``moving`` then observes it."""
    node.SetNodeReferenceID(ALIGNS, moving.GetID())
    node.SetNodeReferenceID(ALIGNED_TO, fixed.GetID())
    if alignment.verdict is not None:
        node.SetAttribute(VERDICT, alignment.verdict.value)
    node.SetDescription("; ".join(alignment.reasons))
    moving.SetAndObserveTransformNodeID(node.GetID())


def alignment_between(
    fixed: slicer.vtkMRMLScalarVolumeNode | None, moving: slicer.vtkMRMLScalarVolumeNode | None
) -> tuple[str, str] | None:
    """(verdict, reasons in words) of the alignment under which the two lie; None without one."""
    if fixed is None or moving is None:
        return None
    node = own_transform(moving)
    if node is None or node.GetNodeReference(ALIGNED_TO) is not fixed:
        return None
    return node.GetAttribute(VERDICT), node.GetDescription() or ""
