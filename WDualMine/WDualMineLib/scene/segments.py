"""Segments as masks on the grid of a volume."""

from __future__ import annotations

import numpy as np
import slicer

from .volumes import array_of


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
