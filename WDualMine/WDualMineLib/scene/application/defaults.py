"""Which two volumes a user most likely wants to fuse, when nothing was chosen yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer

from ...fusion.intensity import shows_a_head
from ...volumes.modality import codes_in_name
from ..result.result_nodes import OUTPUT
from ..result.volume_nodes import modality_of, seen_in
from .choices import COLOUR_OF_PAIR, WINDOWS_OF_PAIR, Colour, Pair

if TYPE_CHECKING:
    from .parameters import FusionParameters

SuggestedPair = tuple[slicer.vtkMRMLScalarVolumeNode, slicer.vtkMRMLScalarVolumeNode, Pair]
"""Fixed volume, moving volume, and the preset of their windows."""

_PAIRS = {
    ("MR", "CT"): Pair.MR_CT_SOFT,
    ("CT", "MR"): Pair.CT_SOFT_MR,
    ("MR", "PT"): Pair.MR_PET,
    ("MR", "NM"): Pair.MR_SPECT,
    ("CT", "PT"): Pair.CT_PET,
}
# The same where the CT is one of a head.
_OF_A_HEAD = {Pair.MR_CT_SOFT: Pair.MR_CT_BRAIN, Pair.CT_SOFT_MR: Pair.CT_BRAIN_MR}
# What shows anatomy in most detail keeps its grid.
_ORDER = ("MR", "CT", "", "PT", "NM")


def suggest_inputs(
    scene: slicer.vtkMRMLScene, parameters: FusionParameters
) -> SuggestedPair | None:
    """Choose both volumes and their preset, unless the user chose one already.

    Returns:
        What was chosen, None where nothing was.
    """
    if parameters.fixedVolume is not None or parameters.movingVolume is not None:
        return None
    found = default_pair(scene)
    if found is not None:
        parameters.fixedVolume, parameters.movingVolume, pair = found
        use_pair(parameters, pair)
    return found


class Suggestions:
    """:func:`suggest_inputs` in one scene."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def suggest(self, parameters: FusionParameters) -> SuggestedPair | None:
        return suggest_inputs(self._scene, parameters)


def use_pair(parameters: FusionParameters, pair: Pair) -> None:
    """Set the preset, and the windows and colours that it stands for."""
    parameters.pair = pair
    parameters.fixedWindow, parameters.movingWindow = WINDOWS_OF_PAIR[pair]
    parameters.colour = COLOUR_OF_PAIR.get(pair, Colour.NONE)


def possible_inputs(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Every volume that could be fused: scalar, with voxels, and no result itself."""
    kind = "vtkMRMLScalarVolumeNode"
    volumes = [scene.GetNthNodeByClass(i, kind) for i in range(scene.GetNumberOfNodesByClass(kind))]
    return [
        node
        for node in volumes
        # Label maps are a kind of scalar volumes to MRML; results are no inputs.
        if node.GetClassName() == kind
        and not node.GetAttribute(OUTPUT)
        and not node.GetHideFromEditors()
        and node.GetImageData()
    ]


def default_pair(scene: slicer.vtkMRMLScene) -> SuggestedPair | None:
    """(fixed, moving, preset) of the first two volumes of different modality, else None."""
    known: dict[str, slicer.vtkMRMLScalarVolumeNode] = {}
    for node in possible_inputs(scene):
        known.setdefault(guessed_modality(node), node)
    if len(known) < 2:
        return None
    fixed, moving = sorted(known, key=_ORDER.index)[:2]
    return arranged(known[fixed], known[moving])


def arranged(
    first: slicer.vtkMRMLScalarVolumeNode, second: slicer.vtkMRMLScalarVolumeNode
) -> SuggestedPair:
    """(fixed, moving, preset) of these two: what shows more detail of anatomy keeps its grid."""
    fixed, moving = sorted((first, second), key=lambda node: _ORDER.index(guessed_modality(node)))
    pair = _PAIRS.get((guessed_modality(fixed), guessed_modality(moving)), Pair.DISPLAY)
    if pair in _OF_A_HEAD:
        ct = moving if pair is Pair.MR_CT_SOFT else fixed
        pair = _OF_A_HEAD[pair] if shows_a_head(seen_in(ct)) else pair
    return fixed, moving, pair


def guessed_modality(node: slicer.vtkMRMLVolumeNode) -> str:
    """DICOM's code for ``node``, by what the scene knows, else by its name, else ""."""
    found = modality_of(node)
    return found if found and found in _ORDER else next(iter(codes_in_name(node.GetName())), "")
