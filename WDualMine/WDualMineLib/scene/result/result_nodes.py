"""A fusion's result as nodes: named, windowed, coloured, filed and traceable to its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import slicer

from ...pipeline.parts import BY_NAME, FUSED, PARTS, short_name
from ...pipeline.record import Record
from ...pipeline.result import Result
from ...version import __version__
from ..views.appearance import show_part
from .dicom_origin import INSTANCES
from .part_images import RESIDUAL, RESIDUAL_SCALE, PartImages, images_of
from .value_units import declare_no_unit
from .volume_nodes import Kept, update_volume

ATTRIBUTE = "WDualMine."
"""Prefix of every attribute and reference role that a result's nodes carry."""

FIXED_ROLE = ATTRIBUTE + "FixedVolume"
MOVING_ROLE = ATTRIBUTE + "MovingVolume"
OUTPUT = ATTRIBUTE + "Output"
VERSION = ATTRIBUTE + "Version"
PART_ROLE = ATTRIBUTE + "Part."

_SCALAR, _VECTOR = "vtkMRMLScalarVolumeNode", "vtkMRMLVectorVolumeNode"


@dataclass(frozen=True)
class FusionNodes:
    """The nodes of one result.

    Attributes:
        parts: those that there are, by the names of :data:`~...pipeline.parts.PARTS`.
        residual: hidden, what the network found beyond the average, for a later change of the look;
            None in scenes that lost it.
    """

    parts: Mapping[str, slicer.vtkMRMLVolumeNode]
    residual: slicer.vtkMRMLScalarVolumeNode | None = None

    @property
    def fused(self) -> slicer.vtkMRMLScalarVolumeNode:
        return self.parts["fused"]

    @property
    def colour(self) -> slicer.vtkMRMLVectorVolumeNode | None:
        """None where nothing was fused in colour."""
        return self.parts.get("colour")

    @property
    def reliability_fixed(self) -> slicer.vtkMRMLScalarVolumeNode:
        return self.parts["reliability_fixed"]

    @property
    def reliability_moving(self) -> slicer.vtkMRMLScalarVolumeNode:
        return self.parts["reliability_moving"]

    @property
    def arbitration(self) -> slicer.vtkMRMLScalarVolumeNode:
        return self.parts["arbitration"]

    @property
    def maps(self) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """The maps that there are."""
        return [node for name, node in self.parts.items() if BY_NAME[name].is_map]

    def all(self) -> list[slicer.vtkMRMLVolumeNode]:
        """Those that the user sees."""
        return list(self.parts.values())


def results_in(scene: slicer.vtkMRMLScene) -> list[FusionNodes]:
    """Every result in the scene that still has all its maps, in the order they were added."""
    found = []
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode")
        if node.GetAttribute(OUTPUT) != FUSED.name:
            continue
        nodes = {p.name: node.GetNodeReference(PART_ROLE + p.name) for p in PARTS}
        nodes[FUSED.name] = node
        if all(nodes[part.name] is not None for part in PARTS if not part.optional):
            there = {name: each for name, each in nodes.items() if each is not None}
            found.append(FusionNodes(there, node.GetNodeReference(PART_ROLE + RESIDUAL)))
    return found


def record_in(node: slicer.vtkMRMLVolumeNode) -> Record:
    """How the result that ``node`` is a part of was made, as its attributes tell.

    Raises:
        KeyError, ValueError: they do not tell.
    """
    names = [name for name in node.GetAttributeNames() if name.startswith(ATTRIBUTE)]
    return Record.of_strings({n.removeprefix(ATTRIBUTE): node.GetAttribute(n) for n in names})


def write_record(node: slicer.vtkMRMLVolumeNode, record: Record) -> None:
    """Make the attributes of ``node`` tell ``record``."""
    for key, value in record.strings().items():
        node.SetAttribute(ATTRIBUTE + key, value)


def add_outputs(
    scene: slicer.vtkMRMLScene,
    result: Result,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
    targets: Mapping[str, slicer.vtkMRMLVolumeNode | None] | None = None,
    images: PartImages | None = None,
) -> FusionNodes:
    """Put the result of fusing ``fixed`` and ``moving`` into their scene, all or nothing.

    The nodes lie in a folder beside ``fixed`` and under its transform. Fused and maps are shown in
    their scales, the maps with a legend; each node refers to both sources and carries the windows
    and settings that it was made with.

    Args:
        targets: nodes to update, by the names of the parts; what is absent or None is made. Their
            names and places in the hierarchy stay as they are.
        images: :func:`~.part_images.images_of` the result, where they were made already.
    """
    images = images or images_of(result)
    targets = dict(targets or {})
    fused = targets.get(FUSED.name)
    if fused is not None:
        targets[RESIDUAL] = fused.GetNodeReference(PART_ROLE + RESIDUAL)
    pair = " + ".join(short_name(node.GetName()) for node in (fixed, moving))
    nodes: dict[str, slicer.vtkMRMLVolumeNode] = {}
    known = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
    kept: list[Kept] = []
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        for name in (*(part.name for part in PARTS), RESIDUAL):
            if name not in images.volumes:
                continue
            node, volume = targets.get(name), images.volumes[name]
            if node is None:
                part = BY_NAME.get(name)
                title = (
                    f"{pair} {name}"
                    if part is None
                    else part.title_for(fixed.GetName(), moving.GetName())
                )
                kind = _VECTOR if volume.is_colour else _SCALAR
                node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(title))
            else:
                kept.append(Kept(node))
            # Before there are voxels, of which it would look for the best window.
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().AutoWindowLevelOff()
            update_volume(node, volume, images.images[name])
            nodes[name] = node
            node.SetAndObserveTransformNodeID(fixed.GetTransformNodeID())
        _finish(scene, nodes, f"{pair} fusion", fixed)
        for name, node in nodes.items():
            _trace(node, name, result.record, fixed, moving)
        nodes[RESIDUAL].SetAttribute(RESIDUAL_SCALE, repr(images.residual_scale))
    except BaseException:
        for node in [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]:
            if node.GetID() not in known:
                scene.RemoveNode(node)
        for state in kept:
            state.restore()
        raise
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    residual = nodes.pop(RESIDUAL)
    return FusionNodes(nodes, residual)


def _finish(
    scene: slicer.vtkMRMLScene,
    nodes: Mapping[str, slicer.vtkMRMLVolumeNode],
    folder: str,
    fixed: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Windows, colours, legends and places of the nodes; new ones go into ``folder``."""
    for name, node in nodes.items():
        if name in BY_NAME:
            show_part(scene, node, BY_NAME[name])
        if name != FUSED.name:
            nodes[FUSED.name].SetNodeReferenceID(PART_ROLE + name, node.GetID())
    for part in PARTS:
        if part.name not in nodes:  # what an earlier run left there is no part of this result
            nodes[FUSED.name].RemoveNodeReferenceIDs(PART_ROLE + part.name)
    unfiled = [n for name, n in nodes.items() if name in BY_NAME and not n.GetAttribute(OUTPUT)]
    if unfiled:
        place_beside(scene, fixed, unfiled, folder)
    nodes[RESIDUAL].HideFromEditorsOn()
    place_under(scene, nodes[FUSED.name], nodes[RESIDUAL])


def _trace(
    node: slicer.vtkMRMLVolumeNode,
    name: str,
    record: Record,
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    # References follow their nodes through renumbering on import; plain IDs would not.
    node.SetNodeReferenceID(FIXED_ROLE, fixed.GetID())
    node.SetNodeReferenceID(MOVING_ROLE, moving.GetID())
    for role, source in ((FIXED_ROLE, fixed), (MOVING_ROLE, moving)):
        # None removes what an earlier run with other sources left.
        node.SetAttribute(role + ".instanceUIDs", source.GetAttribute(INSTANCES))
    write_record(node, record)
    node.SetAttribute(VERSION, __version__)
    node.SetAttribute(OUTPUT, name)
    declare_no_unit(node)


def place_beside(
    scene: slicer.vtkMRMLScene,
    neighbour: slicer.vtkMRMLNode,
    nodes: Iterable[slicer.vtkMRMLNode],
    folder: str,
) -> int:
    """Put ``nodes`` into a folder that lies where ``neighbour`` lies; make the folder if need be.

    Args:
        scene: the scene of all the nodes.
        neighbour: the fixed volume; its study, patient or folder becomes the folder's parent.
        nodes: what goes into the folder, in this order.
        folder: its name.

    Returns:
        The subject hierarchy item of the folder.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parent = hierarchy.GetItemParent(item_of(hierarchy, neighbour))
    item = hierarchy.GetItemChildWithName(parent, folder)
    if not item:
        item = hierarchy.CreateFolderItem(parent, folder)
    for node in nodes:
        hierarchy.SetItemParent(item_of(hierarchy, node), item)
    return item


def place_under(
    scene: slicer.vtkMRMLScene, parent: slicer.vtkMRMLNode, node: slicer.vtkMRMLNode
) -> None:
    """Make ``node`` a part of ``parent``: who deletes the parent there deletes both."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.SetItemParent(item_of(hierarchy, node), item_of(hierarchy, parent))


def item_of(hierarchy: slicer.vtkMRMLSubjectHierarchyNode, node: slicer.vtkMRMLNode) -> int:
    """The item of ``node``; made where the application did not make it (slicer-core)."""
    item = hierarchy.GetItemByDataNode(node)
    return item or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
