"""Which parts of which result the items of the subject hierarchy stand for, for an export."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from ..errors import InputError
from .modality import modality_of
from .outputs import FIXED_ROLE, MOVING_ROLE, OUTPUT, FusionNodes, results_in


@dataclass(frozen=True)
class ExportablePart:
    """One volume of a result.

    Attributes:
        item: of the subject hierarchy.
        part: by the names of :class:`~.outputs.FusionNodes`.
        nodes: of the whole result.
    """

    item: int
    part: str
    nodes: FusionNodes

    @property
    def modalities(self) -> tuple[str, str]:
        """Of the fixed and the moving source as DICOM names them, "" where unknown."""
        sources = (self.nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
        fixed, moving = (modality_of(source) if source is not None else "" for source in sources)
        return fixed, moving


def parts_at(scene: slicer.vtkMRMLScene, item: int) -> list[ExportablePart]:
    """What an export of ``item`` consists of.

    The fused volume stands for its whole result, as far as it lies beside it, and so does the
    folder of both; a map or a volume in colour stands for itself. [] for everything else.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for nodes in results_in(scene):
        parts = [
            ExportablePart(hierarchy.GetItemByDataNode(node), node.GetAttribute(OUTPUT), nodes)
            for node in nodes.all()
        ]
        whole, folder = parts[0], hierarchy.GetItemParent(parts[0].item)
        is_folder = item == folder and hierarchy.GetItemDataNode(item) is None
        if item == whole.item or (is_folder and item != hierarchy.GetSceneItemID()):
            return [part for part in parts if hierarchy.GetItemParent(part.item) == folder]
        if alone := [part for part in parts if part.item == item]:
            return alone
    return []


def part_of_item(scene: slicer.vtkMRMLScene, item: int) -> ExportablePart:
    """The volume at ``item`` itself.

    Raises:
        InputError: it belongs to no result, or its result is not complete any more.
    """
    found = [part for part in parts_at(scene, item) if part.item == item]
    if not found:
        raise InputError(
            "The volume is no part of a result of WDualMine any more",
            "Apply again, or export it as another kind of object",
        )
    return found[0]
