"""Subject hierarchy: results beside the fixed volume, so that patient and study are kept."""

from __future__ import annotations

from collections.abc import Iterable

import slicer


def place_beside(
    scene: slicer.vtkMRMLScene,
    neighbour: slicer.vtkMRMLNode,
    nodes: Iterable[slicer.vtkMRMLNode],
    folder: str,
) -> int:
    """Put ``nodes`` into a folder that lies where ``neighbour`` lies; make the folder if need be.

    Args:
        scene: the scene of all the nodes.
        neighbour: the fixed volume; its study, patient or folder becomes the folder's parent.
        nodes: what goes into the folder, in this order.
        folder: its name.

    Returns:
        The subject hierarchy item of the folder.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parent = hierarchy.GetItemParent(item_of(hierarchy, neighbour))
    item = hierarchy.GetItemChildWithName(parent, folder)
    if not item:
        item = hierarchy.CreateFolderItem(parent, folder)
    for node in nodes:
        hierarchy.SetItemParent(item_of(hierarchy, node), item)
    return item


def place_under(
    scene: slicer.vtkMRMLScene, parent: slicer.vtkMRMLNode, node: slicer.vtkMRMLNode
) -> None:
    """Make ``node`` a part of ``parent``: who deletes the parent there deletes both."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.SetItemParent(item_of(hierarchy, node), item_of(hierarchy, parent))


def item_of(hierarchy: slicer.vtkMRMLSubjectHierarchyNode, node: slicer.vtkMRMLNode) -> int:
    """The item of ``node``; made where the application did not make it (slicer-core)."""
    item = hierarchy.GetItemByDataNode(node)
    return item or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
