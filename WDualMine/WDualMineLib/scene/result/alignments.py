"""Transform nodes that a registration made, and whether two volumes are aligned by one."""

from __future__ import annotations

import slicer

from ...pipeline.alignment import Alignment

ALIGNS = "WDualMine.Aligns"
"""Reference role by which a transform node that a registration made knows its moving volume."""

ALIGNED_TO = "WDualMine.AlignedTo"
"""The same for the fixed volume."""

VERDICT = "WDualMine.Verdict"
"""Attribute of such a node: "good" or "doubtful"."""


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
