"""A fusion's result as nodes: named, windowed, coloured, filed and traceable to its sources."""

from __future__ import annotations

from dataclasses import dataclass, fields

import slicer

from ..fusion.result import FusionResult
from ..version import __version__
from ..volumes.volume import Volume
from .appearance import grey_colours, show
from .colours import arbitration_colours, reliability_colours
from .hierarchy import place_beside
from .volumes import add_volume

ATTRIBUTE = "WDualMine."
"""Prefix of every attribute and reference role that a result's nodes carry."""

FIXED_ROLE = ATTRIBUTE + "FixedVolume"
MOVING_ROLE = ATTRIBUTE + "MovingVolume"
OUTPUT = ATTRIBUTE + "Output"
PART_ROLE = ATTRIBUTE + "Part."
_DICOM_INSTANCES = "DICOM.instanceUIDs"


@dataclass(frozen=True)
class FusionNodes:
    """The nodes of one result; ``colour`` is None where nothing was fused in colour."""

    fused: slicer.vtkMRMLScalarVolumeNode
    reliability_fixed: slicer.vtkMRMLScalarVolumeNode
    reliability_moving: slicer.vtkMRMLScalarVolumeNode
    arbitration: slicer.vtkMRMLScalarVolumeNode
    colour: slicer.vtkMRMLVectorVolumeNode | None = None

    def all(self) -> list[slicer.vtkMRMLVolumeNode]:
        nodes = [self.fused, self.colour, self.reliability_fixed, self.reliability_moving,
                 self.arbitration]  # fmt: skip
        return [node for node in nodes if node is not None]


def results_in(scene: slicer.vtkMRMLScene) -> list[FusionNodes]:
    """Every result in the scene that still has all its maps, in the order they were added."""
    found = []
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode")
        if node.GetAttribute(OUTPUT) != "fused":
            continue
        parts = {part.name: node.GetNodeReference(PART_ROLE + part.name)
                 for part in fields(FusionNodes)}  # fmt: skip
        parts["fused"] = node
        if all(parts[name] is not None for name in parts if name != "colour"):
            found.append(FusionNodes(**parts))
    return found


def add_outputs(
    scene: slicer.vtkMRMLScene,
    result: FusionResult,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
) -> FusionNodes:
    """Add the result of fusing ``fixed`` and ``moving`` to their scene, all or nothing.

    The nodes lie in a folder beside ``fixed``. Fused and maps are shown from 0 to 1; each node
    refers to both sources and carries the windows and settings that it was made with.
    """
    pair = f"{fixed.GetName()} + {moving.GetName()}"
    parts: dict[str, tuple[Volume | None, str]] = {
        "fused": (result.fused, f"{pair} fused"),
        "colour": (result.colour, f"{pair} fused in colour"),
        "reliability_fixed": (
            result.reliability_fixed, f"{pair} reliability of {fixed.GetName()}"),
        "reliability_moving": (
            result.reliability_moving, f"{pair} reliability of {moving.GetName()}"),
        "arbitration": (result.arbitration, f"{pair} arbitration"),
    }  # fmt: skip
    reliability = reliability_colours(scene)
    tables = {
        "fused": grey_colours(scene),
        "reliability_fixed": reliability,
        "reliability_moving": reliability,
        "arbitration": arbitration_colours(scene),
    }
    made: dict[str, slicer.vtkMRMLVolumeNode] = {}
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        for part, (volume, name) in parts.items():
            if volume is None:
                continue
            made[part] = node = add_volume(scene, volume.with_array(volume.array, name))
            if part in tables:
                show(node, (0.0, 1.0), tables[part])
            _trace(node, part, result, fixed, moving)
        for part, node in made.items():
            if part != "fused":
                made["fused"].SetNodeReferenceID(PART_ROLE + part, node.GetID())
        place_beside(scene, fixed, made.values(), f"{pair} fusion")
    except BaseException:
        for node in made.values():
            scene.RemoveNode(node)
        raise
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    return FusionNodes(**made)


def _trace(
    node: slicer.vtkMRMLVolumeNode,
    part: str,
    result: FusionResult,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    # References follow their nodes through renumbering on import; plain IDs would not.
    node.SetNodeReferenceID(FIXED_ROLE, fixed.GetID())
    node.SetNodeReferenceID(MOVING_ROLE, moving.GetID())
    for role, source in ((FIXED_ROLE, fixed), (MOVING_ROLE, moving)):
        if uids := source.GetAttribute(_DICOM_INSTANCES):
            node.SetAttribute(role + ".instanceUIDs", uids)
    for key, value in result.fused.attributes.items():
        node.SetAttribute(ATTRIBUTE + key, str(value))
    node.SetAttribute(OUTPUT, part)
    node.SetAttribute(ATTRIBUTE + "Version", __version__)
