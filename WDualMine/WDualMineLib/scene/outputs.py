"""A fusion's result as nodes: named, windowed, coloured, filed and traceable to its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import slicer

from ..fusion.result import FusionResult
from ..version import __version__
from ..volumes.volume import Volume
from .appearance import grey_colours, show
from .colours import arbitration_colours, reliability_colours
from .hierarchy import place_beside
from .legends import add_legend
from .volumes import Kept, add_volume, update_volume

ATTRIBUTE = "WDualMine."
"""Prefix of every attribute and reference role that a result's nodes carry."""

FIXED_ROLE = ATTRIBUTE + "FixedVolume"
MOVING_ROLE = ATTRIBUTE + "MovingVolume"
OUTPUT = ATTRIBUTE + "Output"
PART_ROLE = ATTRIBUTE + "Part."
_DICOM_INSTANCES = "DICOM.instanceUIDs"

_LEGENDS = {
    "reliability_fixed": "Reliability\n1: trusted alone\n0: not trusted",
    "reliability_moving": "Reliability\n1: trusted alone\n0: not trusted",
    "arbitration": "Arbitration\n1: spatial expert\n0: frequency expert",
}


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
    targets: Mapping[str, slicer.vtkMRMLVolumeNode | None] | None = None,
) -> FusionNodes:
    """Put the result of fusing ``fixed`` and ``moving`` into their scene, all or nothing.

    The nodes lie in a folder beside ``fixed`` and under its transform. Fused and maps are shown
    from 0 to 1, the maps with a legend; each node refers to both sources and carries the windows
    and settings that it was made with.

    Args:
        targets: nodes to update, by the names of :class:`FusionNodes`; what is absent or None is
            made. Their names and places in the hierarchy stay as they are.
    """
    targets = targets or {}
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
    nodes: dict[str, slicer.vtkMRMLVolumeNode] = {}
    made: list[slicer.vtkMRMLNode] = []
    unfiled: list[slicer.vtkMRMLNode] = []
    kept: list[Kept] = []
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        for part, (volume, name) in parts.items():
            if volume is None:
                continue
            node = targets.get(part)
            if node is None:
                node = add_volume(scene, volume.with_array(volume.array, name))
                made.append(node)
            else:
                kept.append(Kept(node))
                update_volume(node, volume)
                node.CreateDefaultDisplayNodes()
            nodes[part] = node
            if node.GetAttribute(OUTPUT) is None:
                unfiled.append(node)
            node.SetAndObserveTransformNodeID(fixed.GetTransformNodeID())
            if part in tables:
                show(node, (0.0, 1.0), tables[part])
            if part in _LEGENDS and (legend := add_legend(node, _LEGENDS[part])) is not None:
                made.append(legend)
            _trace(node, part, result, fixed, moving)
        for part, node in nodes.items():
            if part != "fused":
                nodes["fused"].SetNodeReferenceID(PART_ROLE + part, node.GetID())
        if unfiled:
            place_beside(scene, fixed, unfiled, f"{pair} fusion")
    except BaseException:
        for node in made:
            scene.RemoveNode(node)
        for state in kept:
            state.restore()
        raise
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    return FusionNodes(**nodes)


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
    # Here and not above: the results of an earlier session can be found without PyTorch.
    from ..network.weights import weights_hash

    node.SetAttribute(ATTRIBUTE + "Weights", f"sha256:{weights_hash(result.settings.weights)}")
    node.SetAttribute(OUTPUT, part)
    node.SetAttribute(ATTRIBUTE + "Version", __version__)
