"""Maps of WDualMine in Slicer's DICOM database: found, loaded, and shown as those of a fusion are.

Slicer itself reads no parametric maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import slicer

from ...dicom import kinds
from ...pipeline.parts import BY_CONTENT_LABEL, Part
from ...volumes.volume import Volume
from ..result.volume_nodes import add_volume
from ..views.appearance import show_part
from .database import INSTANCES

_SOP_CLASS, _MANUFACTURER = "0008,0016", "0008,0070"
_NUMBER, _DESCRIPTION = "0020,0011", "0008,103E"
TAGS = {"sopClassUID": _SOP_CLASS, "manufacturer": _MANUFACTURER}
"""Asked of every series, so that the database keeps them at hand."""


@dataclass(frozen=True)
class FoundMap:
    """One map in the database, and its name in words."""

    file: str
    name: str


def maps_in(database: Any, files: Sequence[str]) -> list[FoundMap]:
    """Which files of a series are maps that WDualMine wrote; nothing is read but the database."""
    # Of a long series of images only the first is asked about.
    if not files or database.fileValue(files[0], _SOP_CLASS) != kinds.PARAMETRIC_MAP:
        return []
    return [
        FoundMap(
            file, f"{database.fileValue(file, _NUMBER)}: {database.fileValue(file, _DESCRIPTION)}"
        )
        for file in files
        if database.fileValue(file, _MANUFACTURER) == "WDualMine"
    ]


def load_map(scene: Any, file: str, name: str) -> Any:
    """The map in ``file`` as a volume node, exactly its values, in its colours.

    Raises:
        InputError: the file is damaged.
    """
    import pydicom

    from ...dicom.headers import damaged
    from ...dicom.read import read_series

    path = Path(file)
    with damaged(path):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        part = BY_CONTENT_LABEL[header.ContentLabel]
    volume = replace(read_series([path]).volume, name=name)
    return add_map(scene, volume, part, str(header.SOPInstanceUID))


def add_map(
    scene: slicer.vtkMRMLScene, volume: Volume, part: Part, instance: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """A node for a map, in its colours and scale, with its legend.

    Args:
        volume: the map; its name becomes that of the node.
        part: which map it is.
        instance: SOP instance UID that it was read from.
    """
    node = add_volume(scene, volume)
    show_part(scene, node, part)
    node.SetAttribute(INSTANCES, instance)
    return node
