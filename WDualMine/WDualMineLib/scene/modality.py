"""Which scanner a volume came from, as far as the scene knows."""

from __future__ import annotations

import slicer

from .volumes import MODALITY

EMISSION = {"PT", "NM"}
"""Modalities that show uptake rather than anatomy."""


def modality_of(node: slicer.vtkMRMLVolumeNode) -> str:
    """DICOM's code ("CT", "MR", "PT", "NM") for a volume, "" where nothing says it."""
    if found := node.GetAttribute(MODALITY):
        return found.upper()
    scene = node.GetScene()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    # Slicer's DICOM import leaves it at the item of the series, not at the node.
    return (hierarchy.GetItemAttribute(item, MODALITY) or "").upper() if item else ""
