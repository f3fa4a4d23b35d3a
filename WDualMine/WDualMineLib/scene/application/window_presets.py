"""The windows that volumes are fused in, among the presets of Slicer's own Volumes module."""

from __future__ import annotations

import slicer

from ...fusion.intensity import CT_WINDOWS


def offer_windows(node: slicer.vtkMRMLScalarVolumeNode, units: str) -> None:
    """Add the CT windows to the presets of a display node, where the volume is in HU.

    What a user chooses there, or among Slicer's own presets, is fused with "As displayed". Presets
    that are there already, those of DICOM first, keep their places.

    Args:
        units: of the volume, as its window tells them.
    """
    display = node.GetDisplayNode()
    if units != "HU" or display is None:
        return
    count = display.GetNumberOfWindowLevelPresets()
    known = {(display.GetWindowPreset(n), display.GetLevelPreset(n)) for n in range(count)}
    for low, high in CT_WINDOWS.values():
        preset = high - low, (high + low) / 2
        if preset not in known:
            display.AddWindowLevelPreset(*preset)
