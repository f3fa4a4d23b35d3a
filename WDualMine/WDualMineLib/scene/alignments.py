"""Transform nodes that a registration made, and whether two volumes are aligned by one."""

from __future__ import annotations

import slicer

from .choices import Registration
from .inputs import FusionRequest

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


def reason_not_aligned(request: FusionRequest) -> str:
    """What the user must know of how the volumes lie now; "" where Apply would not move them."""
    if request.registration not in (Registration.RIGID, Registration.AFFINE):
        return ""
    known = alignment_between(request.fixed, request.moving)
    if known is None:
        return "Not registered yet: shown as the volumes lie now. Apply aligns them first."
    if known[0] == "doubtful":
        return "Shown with an alignment that is doubtful."
    return ""
