"""A fusion's result as nodes: named, windowed, coloured, filed and traceable to its sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import slicer

from ..fusion.result import FusionResult
from ..version import __version__
from .appearance import grey_colours, show
from .colours import arbitration_colours, reliability_colours
from .hierarchy import place_beside, place_under
from .legends import MAP_LEGENDS, add_legend
from .parts import Parts, parts_of
from .residual import RESIDUAL_SCALE
from .volumes import Kept, update_volume

ATTRIBUTE = "WDualMine."
"""Prefix of every attribute and reference role that a result's nodes carry."""

FIXED_ROLE = ATTRIBUTE + "FixedVolume"
MOVING_ROLE = ATTRIBUTE + "MovingVolume"
OUTPUT = ATTRIBUTE + "Output"
PART_ROLE = ATTRIBUTE + "Part."
_DICOM_INSTANCES = "DICOM.instanceUIDs"
_SCALAR, _VECTOR = "vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"


@dataclass(frozen=True)
class FusionNodes:
    """The nodes of one result.

    Attributes:
        fused, reliability_fixed, reliability_moving, arbitration: shown from 0 to 1.
        colour: None where nothing was fused in colour.
        residual: hidden, what the network found beyond the average, for a later change of the look;
            None in scenes that lost it.
    """

    fused: slicer.vtkMRMLScalarVolumeNode
    reliability_fixed: slicer.vtkMRMLScalarVolumeNode
    reliability_moving: slicer.vtkMRMLScalarVolumeNode
    arbitration: slicer.vtkMRMLScalarVolumeNode
    colour: slicer.vtkMRMLVectorVolumeNode | None = None
    residual: slicer.vtkMRMLScalarVolumeNode | None = None

    def all(self) -> list[slicer.vtkMRMLVolumeNode]:
        """Those that the user sees."""
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
        if all(parts[name] is not None for name in parts if name not in ("colour", "residual")):
            found.append(FusionNodes(**parts))
    return found


def add_outputs(
    scene: slicer.vtkMRMLScene,
    result: FusionResult,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
    targets: Mapping[str, slicer.vtkMRMLVolumeNode | None] | None = None,
    parts: Parts | None = None,
) -> FusionNodes:
    """Put the result of fusing ``fixed`` and ``moving`` into their scene, all or nothing.

    The nodes lie in a folder beside ``fixed`` and under its transform. Fused and maps are shown
    from 0 to 1, the maps with a legend; each node refers to both sources and carries the windows
    and settings that it was made with.

    Args:
        targets: nodes to update, by the names of :class:`FusionNodes`; what is absent or None is
            made. Their names and places in the hierarchy stay as they are.
        parts: :func:`parts_of` the result, where they were made already.
    """
    parts = parts or parts_of(result)
    targets = dict(targets or {})
    if targets.get("fused") is not None:
        targets["residual"] = targets["fused"].GetNodeReference(PART_ROLE + "residual")
    pair = f"{fixed.GetName()} + {moving.GetName()}"
    names = {
        "fused": f"{pair} fused",
        "colour": f"{pair} fused in colour",
        "reliability_fixed": f"{pair} reliability of {fixed.GetName()}",
        "reliability_moving": f"{pair} reliability of {moving.GetName()}",
        "arbitration": f"{pair} arbitration",
        "residual": f"{pair} residual",
    }
    nodes: dict[str, slicer.vtkMRMLVolumeNode] = {}
    known = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
    kept: list[Kept] = []
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        tables = _tables(scene)
        for part, volume in parts.volumes.items():
            node = targets.get(part)
            if node is None:
                kind = _VECTOR if volume.is_colour else _SCALAR
                node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(names[part]))
            else:
                kept.append(Kept(node))
            # Before there are voxels, of which it would look for the best window.
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().AutoWindowLevelOff()
            update_volume(node, volume, parts.images[part])
            nodes[part] = node
            node.SetAndObserveTransformNodeID(fixed.GetTransformNodeID())
        _finish(scene, nodes, tables, f"{pair} fusion", fixed)
        told = look_of(result) | {"Weights": f"sha256:{parts.weights}", "Version": __version__}
        for part, node in nodes.items():
            _trace(node, part, told, fixed, moving)
        nodes["residual"].SetAttribute(RESIDUAL_SCALE, repr(parts.residual_scale))
    except BaseException:
        for node in [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]:
            if node.GetID() not in known:
                scene.RemoveNode(node)
        for state in kept:
            state.restore()
        raise
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    return FusionNodes(**nodes)


def _tables(scene: slicer.vtkMRMLScene) -> dict[str, slicer.vtkMRMLColorNode]:
    """Colour nodes of the parts that are shown from 0 to 1."""
    reliability = reliability_colours(scene)
    return {
        "fused": grey_colours(scene),
        "reliability_fixed": reliability,
        "reliability_moving": reliability,
        "arbitration": arbitration_colours(scene),
    }


def _finish(
    scene: slicer.vtkMRMLScene,
    nodes: Mapping[str, slicer.vtkMRMLVolumeNode],
    tables: Mapping[str, slicer.vtkMRMLColorNode],
    folder: str,
    fixed: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Windows, colours, legends and places of the nodes; new ones go into ``folder``."""
    for part, node in nodes.items():
        if part in tables:
            show(node, (0.0, 1.0), tables[part])
        if part in MAP_LEGENDS:
            add_legend(node, MAP_LEGENDS[part])
        if part != "fused":
            nodes["fused"].SetNodeReferenceID(PART_ROLE + part, node.GetID())
    unfiled = [n for part, n in nodes.items() if part != "residual" and not n.GetAttribute(OUTPUT)]
    if unfiled:
        place_beside(scene, fixed, unfiled, folder)
    nodes["residual"].HideFromEditorsOn()
    place_under(scene, nodes["fused"], nodes["residual"])


def _trace(
    node: slicer.vtkMRMLVolumeNode,
    part: str,
    told: Mapping[str, str],
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    # References follow their nodes through renumbering on import; plain IDs would not.
    node.SetNodeReferenceID(FIXED_ROLE, fixed.GetID())
    node.SetNodeReferenceID(MOVING_ROLE, moving.GetID())
    for role, source in ((FIXED_ROLE, fixed), (MOVING_ROLE, moving)):
        # None removes what an earlier run with other sources left.
        node.SetAttribute(role + ".instanceUIDs", source.GetAttribute(_DICOM_INSTANCES))
    for key, value in told.items():
        node.SetAttribute(ATTRIBUTE + key, value)
    node.SetAttribute(OUTPUT, part)


def look_of(result: FusionResult) -> dict[str, str]:
    """Windows, settings and look of a result as attributes, without the prefix."""
    settings = result.settings
    attributes: dict[str, Any] = dict(result.fused.attributes)
    if settings.colour is not None:
        attributes["colour"] = json.dumps(settings.colour)
    return {key: str(value) for key, value in attributes.items()}
