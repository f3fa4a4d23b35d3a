"""Volumes to MRML nodes and back, with the geometry carried over number by number."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...fusion.body_region import BODY_PART
from ...volumes.geometry import LPS_TO_RAS, Geometry
from ...volumes.volume import Volume
from .dicom_origin import body_part_of

POINTS_TO_RAS = np.diag([*LPS_TO_RAS, 1.0])
"""4x4, from LPS to the RAS of MRML, and back."""

MODALITY = "DICOM.Modality"
"""Node attribute that holds the modality, as Slicer's DICOM import leaves it."""


def add_volume(scene: slicer.vtkMRMLScene, volume: Volume) -> slicer.vtkMRMLVolumeNode:
    """A new node for ``volume``: scalar, or vector for an RGB one, with default display nodes.

    The name is made unique in the scene; the modality becomes a node attribute.
    """
    kind = "vtkMRMLVectorVolumeNode" if volume.is_colour else "vtkMRMLScalarVolumeNode"
    node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(volume.name))
    update_volume(node, volume)
    node.CreateDefaultDisplayNodes()
    if volume.modality:
        node.SetAttribute(MODALITY, volume.modality)
    return node


def image_of(volume: Volume) -> vtk.vtkImageData:
    """A copy of the voxels, as a node takes it; touches no node, so that any thread may do it."""
    image = vtk.vtkImageData()
    image.SetDimensions(volume.geometry.size)
    components = volume.array.shape[3] if volume.is_colour else 1
    flat = np.ascontiguousarray(volume.array).reshape(-1, components)
    scalars = numpy_support.numpy_to_vtk(flat, deep=True)
    scalars.SetName("ImageScalars")
    scalars.GetRange()  # kept with them, for displays and sliders that ask for it in the window
    image.GetPointData().SetScalars(scalars)
    return image


def update_volume(
    node: slicer.vtkMRMLVolumeNode, volume: Volume, image: vtk.vtkImageData | None = None
) -> None:
    """Replace voxels and geometry of ``node`` in one step, so that views refresh once.

    Args:
        image: :func:`image_of` the volume, where it was made already.
    """
    geometry = volume.geometry
    image = image or image_of(volume)
    modifying = node.StartModify()
    try:
        node.SetSpacing(geometry.spacing)
        node.SetOrigin(LPS_TO_RAS * geometry.origin)
        directions = LPS_TO_RAS[:, None] * geometry.direction_matrix
        node.SetIJKToRASDirections(*directions.ravel())
        if volume.is_colour:
            node.SetVoxelVectorType(slicer.vtkMRMLVolumeNode.VoxelVectorTypeColorRGB)
        node.SetAndObserveImageData(image)
    finally:
        node.EndModify(modifying)


def geometry_of(node: slicer.vtkMRMLVolumeNode) -> Geometry:
    """The grid of ``node`` itself (parent transforms are not applied)."""
    directions = np.zeros((3, 3))
    node.GetIJKToRASDirections(directions)
    return Geometry(
        node.GetImageData().GetDimensions(),
        node.GetSpacing(),
        tuple((LPS_TO_RAS * node.GetOrigin()).tolist()),
        tuple((LPS_TO_RAS[:, None] * directions).ravel().tolist()),
    )


def array_of(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The voxels of ``node``, (K, J, I) or (K, J, I, 3), not copied: writing changes the node."""
    image = node.GetImageData()
    components = image.GetNumberOfScalarComponents()
    shape = image.GetDimensions()[::-1] + ((components,) if components > 1 else ())
    return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)


def volume_of(node: slicer.vtkMRMLVolumeNode) -> Volume:
    """What ``node`` holds, its own geometry (parent transforms are not applied); voxels copied."""
    seen = seen_in(node)
    return seen.with_array(seen.array.copy())


def seen_in(node: slicer.vtkMRMLVolumeNode) -> Volume:
    """:func:`volume_of` without a copy, to be looked at while the node is not changed."""
    part = body_part_of(node)
    attributes = {BODY_PART: part} if part else {}
    return Volume(array_of(node), geometry_of(node), node.GetName(), modality_of(node), attributes)


def modality_of(node: slicer.vtkMRMLVolumeNode) -> str:
    """DICOM's code ("CT", "MR", "PT", "NM") for a volume, "" where nothing says it."""
    if found := node.GetAttribute(MODALITY):
        return found.upper()
    scene = node.GetScene()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    # Slicer's DICOM import leaves it at the item of the series, not at the node.
    return (hierarchy.GetItemAttribute(item, MODALITY) or "").upper() if item else ""


def ijk_to_lps(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """4x4 from voxels to the node's own LPS mm (parent transforms are not applied)."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return POINTS_TO_RAS @ slicer.util.arrayFromVTKMatrix(matrix)


class Kept:
    """Voxels, grid and transform of a node, to be put back if an update of several nodes fails."""

    def __init__(self, node: slicer.vtkMRMLVolumeNode) -> None:
        self._node = node
        self._image = node.GetImageData()
        self._transform = node.GetTransformNodeID()
        self._grid = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(self._grid)

    def restore(self) -> None:
        """Put everything back."""
        self._node.SetIJKToRASMatrix(self._grid)
        self._node.SetAndObserveImageData(self._image)
        self._node.SetAndObserveTransformNodeID(self._transform)
