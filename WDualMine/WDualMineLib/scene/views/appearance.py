"""How volumes look: windows, colours and legends, set once and not left to guessing."""

from __future__ import annotations

import numpy as np
import slicer

from ...fusion.colour import PET_HEAT, colour_table
from ...palettes import PALETTES
from ...pipeline.parts import Part
from ...volumes.modality import EMISSION
from ..result.volume_nodes import modality_of

_TABLE = "WDualMine.ColourTable"
_LABELS = 3  # of a legend: 0, 0.5, 1


def show(
    node: slicer.vtkMRMLVolumeNode,
    window: tuple[float, float],
    colours: slicer.vtkMRMLColorNode | None = None,
) -> None:
    """Show ``node`` in a fixed window and, if given, through a colour node.

    Args:
        node: scalar volume with a display node.
        window: lowest and highest value shown, in the volume's units.
        colours: None leaves the colours as they are.
    """
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    try:
        # Automatic windows follow each volume's own histogram, so that maps of two patients, or
        # of two runs, would not look alike where they are alike.
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(*window)
        if colours is not None:
            display.SetAndObserveColorNodeID(colours.GetID())
    finally:
        display.EndModify(modifying)


def show_only_between(node: slicer.vtkMRMLVolumeNode, low: float, high: float) -> None:
    """Hide the voxels of ``node`` outside ``[low, high]``, so that what lies under it is seen."""
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    try:
        display.AutoThresholdOff()
        display.SetThreshold(low, high)
        display.ApplyThresholdOn()
    finally:
        display.EndModify(modifying)


def show_everywhere(node: slicer.vtkMRMLVolumeNode) -> None:
    """Undo :func:`show_only_between`."""
    node.GetDisplayNode().ApplyThresholdOff()


def grey_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorNode:
    """The grey table that every scene has, if the default colour nodes were added."""
    return scene.GetFirstNodeByName("Grey")


def show_source(
    scene: slicer.vtkMRMLScene,
    node: slicer.vtkMRMLScalarVolumeNode,
    window: tuple[float, float],
    window_name: str,
) -> None:
    """Show a source as it was fused: in the same window, and uptake through the heat table.

    Args:
        window_name: of the intensity window; "pet" marks PET and SPECT whatever their headers say.
    """
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    uptake = in_uptake_colours(window_name, modality_of(node))
    show(node, window, uptake_colours(scene) if uptake else None)


def in_uptake_colours(window_name: str, modality: str) -> bool:
    """Whether :func:`show_source` shows a source through the heat table."""
    return window_name == "pet" or modality in EMISSION


def show_part(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLVolumeNode, part: Part) -> None:
    """Show one part of a result in its scale and colours, with its legend; colour as it is."""
    if node.IsA("vtkMRMLVectorVolumeNode"):
        return
    show(node, part.scale, part_colours(scene, part))
    if any(part.ends):
        add_legend(node, part.legend)


def renew(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLVolumeNode, part: Part) -> None:
    """Show a part as :func:`show_part` does, if its colours are those of an earlier version.

    Colours that a user chose stay.
    """
    colours = node.GetDisplayNode().GetColorNode()
    name = colours.GetAttribute(_TABLE) if colours is not None else None
    if name and name != _table_name(part):
        show_part(scene, node, part)


def _table_name(part: Part) -> str:
    return f"WDualMine {part.palette}"


def part_colours(scene: slicer.vtkMRMLScene, part: Part) -> slicer.vtkMRMLColorNode:
    """The colour node of a part, made on first use; grey for those without a palette."""
    if not part.palette:
        return grey_colours(scene)
    meaning = ", ".join(f"{x:g}: {end}" for x, end in zip(part.scale, part.ends, strict=True))
    table = PALETTES[part.palette] / 255.0
    if part.says_nothing is not None:
        values = np.linspace(*part.scale, len(table))
        low, high = part.says_nothing
        seen = (values < low) | (values > high)
        table = np.column_stack([table, seen])
    return _colour_node(scene, _table_name(part), table, meaning)


def table_of(colours: slicer.vtkMRMLColorNode) -> np.ndarray:
    """(N, 3) uint8: the colours of a node, from the lowest value to the highest."""
    table = np.zeros((colours.GetNumberOfColors(), 4))
    for index, row in enumerate(table):
        colours.GetColor(index, row)
    return np.rint(255 * table[:, :3]).astype(np.uint8)


def uptake_colours(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The table of PET and SPECT, the one that they are fused in colour with; made on first use.

    Slicer's own PET-Heat is yellow from a third of the window on, which hides most of the uptake.
    """
    meaning = "Luminance grows evenly with uptake"
    return _colour_node(scene, "WDualMine PET heat", colour_table(PET_HEAT), meaning)


def _colour_node(
    scene: slicer.vtkMRMLScene, name: str, table: np.ndarray, meaning: str
) -> slicer.vtkMRMLColorTableNode:
    """The node named ``name``; made from ``table``, (N, 3) or (N, 4) in [0, 1],
    if the scene lacks it."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLColorTableNode")
        if node.GetAttribute(_TABLE) == name:
            return node
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(name)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(table))
    for index, colour in enumerate(table):
        rgba = (*colour, 1.0)[:4]
        node.SetColor(index, f"{index / (len(table) - 1):.3f}", *rgba)
    node.SetDescription(meaning)
    node.SetAttribute(_TABLE, name)
    node.SetAttribute("Category", "WDualMine")
    # Table nodes hide themselves by default, and hidden ones are stored out of sight.
    node.HideFromEditorsOff()
    scene.AddNode(node)
    return node


def add_legend(
    node: slicer.vtkMRMLVolumeNode, title: str
) -> slicer.vtkMRMLColorLegendDisplayNode | None:
    """A legend for ``node``, seen wherever the node is; None if it had one already.

    One that is there keeps its place, and says ``title`` from now on.

    Args:
        node: volume with a display node and colours.
        title: what the colours mean, lines separated by newlines.
    """
    logic = slicer.vtkSlicerColorLogic
    known = logic.GetColorLegendDisplayNode(node)
    if known is not None:
        known.SetTitleText(title)
        return None
    legend = logic.AddDefaultColorLegendDisplayNode(node)
    modifying = legend.StartModify()
    legend.SetTitleText(title)
    legend.SetLabelFormat("%.1f")
    legend.SetNumberOfLabels(_LABELS)
    # Low at the right, where slice views write nothing, and small, for it lies over the picture:
    # with it the title grows and shrinks, whatever the size of its font.
    legend.SetPosition(0.99, 0.02)
    legend.SetSize(0.05, 0.26)
    legend.GetLabelTextProperty().SetFontSize(11)
    legend.GetLabelTextProperty().SetFontFamilyToArial()
    legend.EndModify(modifying)
    return legend
