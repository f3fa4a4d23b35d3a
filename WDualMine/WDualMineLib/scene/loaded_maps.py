"""Maps that come back from DICOM, shown as those of a fusion are."""

from __future__ import annotations

import slicer

from ..volumes.volume import Volume
from .appearance import show
from .colours import arbitration_colours, reliability_colours
from .dicom_files import INSTANCES
from .legends import MAP_LEGENDS, add_legend
from .volumes import add_volume


def add_map(
    scene: slicer.vtkMRMLScene, volume: Volume, part: str, instance: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """A node for a map, in its colours, from 0 to 1, with its legend.

    Args:
        volume: the map; its name becomes that of the node.
        part: "reliability_fixed", "reliability_moving" or "arbitration".
        instance: SOP instance UID that it was read from.
    """
    node = add_volume(scene, volume)
    colours = arbitration_colours if part == "arbitration" else reliability_colours
    show(node, (0.0, 1.0), colours(scene))
    add_legend(node, MAP_LEGENDS[part])
    node.SetAttribute(INSTANCES, instance)
    return node
