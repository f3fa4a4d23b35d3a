"""Own colour nodes for the maps: one a scene and map, kept with it when it is saved."""

from __future__ import annotations

import numpy as np
import slicer

from ..palettes import ARBITRATION, RELIABILITY

_TABLE = "WDualMine.ColourTable"


def reliability_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The sequential table of the reliability maps, made on first use."""
    return _colour_node(scene, "WDualMine reliability", RELIABILITY,
                        "0: not trusted, 1: trusted alone")


def arbitration_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The diverging table of the arbitration map, made on first use."""
    return _colour_node(scene, "WDualMine arbitration", ARBITRATION,
                        "0: frequency expert, 1: spatial expert")


def _colour_node(
    scene: slicer.vtkMRMLScene, name: str, table: np.ndarray, description: str
) -> slicer.vtkMRMLColorTableNode:
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLColorTableNode")
        if node.GetAttribute(_TABLE) == name:
            return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(name)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(table))
    for index, colour in enumerate(table / 255.0):
        node.SetColor(index, f"{index / (len(table) - 1):.3f}", *colour, 1.0)
    node.SetDescription(description)
    node.SetAttribute(_TABLE, name)
    node.SetAttribute("Category", "WDualMine")
    # Table nodes hide themselves by default, and hidden ones are stored out of sight.
    node.HideFromEditorsOff()
    scene.AddNode(node)
    return node
