"""Own colour nodes: one of each kind in a scene, kept with it when it is saved."""

from __future__ import annotations

import numpy as np
import slicer

from ..fusion.colour import PET_HEAT, colour_table
from ..palettes import ARBITRATION, RELIABILITY

_TABLE = "WDualMine.ColourTable"


def reliability_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The sequential table of the reliability maps, made on first use."""
    meaning = "0: not trusted, 1: trusted alone"
    return _colour_node(scene, "WDualMine reliability", RELIABILITY / 255.0, meaning)


def arbitration_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The diverging table of the arbitration map, made on first use."""
    meaning = "0: frequency expert, 1: spatial expert"
    return _colour_node(scene, "WDualMine arbitration", ARBITRATION / 255.0, meaning)


def uptake_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The table of PET and SPECT, the one that they are fused in colour with; made on first use.

    Slicer's own PET-Heat is yellow from a third of the window on, which hides most of the uptake.
    """
    meaning = "Luminance grows evenly with uptake"
    return _colour_node(scene, "WDualMine PET heat", colour_table(PET_HEAT), meaning)


def _colour_node(
    scene: slicer.vtkMRMLScene, name: str, table: np.ndarray, meaning: str
) -> slicer.vtkMRMLColorTableNode:
    """The node named ``name``; made from ``table``, (N, 3) in [0, 1], if the scene lacks it."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLColorTableNode")
        if node.GetAttribute(_TABLE) == name:
            return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(name)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(table))
    for index, colour in enumerate(table):
        node.SetColor(index, f"{index / (len(table) - 1):.3f}", *colour, 1.0)
    node.SetDescription(meaning)
    node.SetAttribute(_TABLE, name)
    node.SetAttribute("Category", "WDualMine")
    # Table nodes hide themselves by default, and hidden ones are stored out of sight.
    node.HideFromEditorsOff()
    scene.AddNode(node)
    return node
