"""Colour legends: what the colours of a map mean, beside the picture."""

from __future__ import annotations

import slicer

MAP_LEGENDS = {
    "reliability_fixed": "Reliability\n1: trusted alone\n0: not trusted",
    "reliability_moving": "Reliability\n1: trusted alone\n0: not trusted",
    "arbitration": "Arbitration\n1: spatial expert\n0: frequency expert",
}
"""What the colours of a map mean, by the part of the result that it is."""

_LABELS = 5  # 0, 0.25, 0.5, 0.75, 1


def add_legend(
    node: slicer.vtkMRMLVolumeNode, title: str
) -> slicer.vtkMRMLColorLegendDisplayNode | None:
    """A legend for ``node``, seen wherever the node is; None if it had one already.

    Args:
        node: volume with a display node and colours.
        title: what the colours mean, lines separated by newlines.
    """
    logic = slicer.vtkSlicerColorLogic
    if logic.GetColorLegendDisplayNode(node) is not None:
        return None
    legend = logic.AddDefaultColorLegendDisplayNode(node)
    modifying = legend.StartModify()
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.2f")
    legend.SetNumberOfLabels(_LABELS)
    legend.SetPosition(0.97, 0.5)
    legend.SetSize(0.12, 0.45)
    legend.EndModify(modifying)
    return legend
