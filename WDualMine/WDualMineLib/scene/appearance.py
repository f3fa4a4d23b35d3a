"""How volumes look: fixed windows and colours, set once and not left to guessing."""

from __future__ import annotations

import slicer

from .colours import uptake_colours
from .modality import EMISSION, modality_of


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
    uptake = window_name == "pet" or modality_of(node) in EMISSION
    show(node, window, uptake_colours(scene) if uptake else None)
