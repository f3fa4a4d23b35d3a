"""Segments and boxes as masks on the grid of a volume."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from .node_placement import ijk_to_ras
from .volume_nodes import array_of


def mask_of(
    segmentation: slicer.vtkMRMLSegmentationNode,
    segment_id: str,
    reference: slicer.vtkMRMLVolumeNode,
) -> np.ndarray:
    """bool (K, J, I) on the grid of ``reference``: inside the segment; an empty one is all 0."""
    scene = reference.GetScene()
    # By the class, for slicer.util asks the application for its loaded module.
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(
            segmentation, [segment_id], labels, reference
        )
        if labels.GetImageData() is None:
            return np.zeros(array_of(reference).shape, bool)
        return array_of(labels) > 0
    finally:
        display = labels.GetDisplayNode()
        if display is not None and display.GetColorNode() is not None:
            scene.RemoveNode(display.GetColorNode())
        scene.RemoveNode(labels)


def mask_of_box(
    roi: slicer.vtkMRMLMarkupsROINode, reference: slicer.vtkMRMLVolumeNode
) -> np.ndarray:
    """bool (K, J, I) on the grid of ``reference``: voxels whose centre lies in the box.

    Parent transforms of both count; a box that is turned inside out is its outside.
    """
    planes = vtk.vtkPlanes()
    roi.GetPlanesWorld(planes)
    centre = np.array(roi.GetCenterWorld())
    grid = ijk_to_ras(reference)
    inside = np.ones(array_of(reference).shape, bool)
    for number in range(planes.GetNumberOfPlanes()):
        plane = planes.GetPlane(number)
        normal, through = np.array(plane.GetNormal()), np.array(plane.GetOrigin())
        # Whether normals turn around with the box depends on Slicer's version.
        normal = normal if normal @ (centre - through) <= 0 else -normal
        # The signed distance grows evenly along each voxel axis: no array of points is needed.
        distance = normal @ (grid[:3, 3] - through)
        for axis, step in enumerate(normal @ grid[:3, :3]):
            along = step * np.arange(inside.shape[2 - axis])
            distance = distance + along.reshape(-1, *(1,) * axis)
        inside &= distance <= 0
    return ~inside if roi.GetInsideOut() else inside
