"""What a fusion is asked to do in a scene, and why it cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import slicer

from ...errors import InputError
from ...fusion.settings import FusionSettings
from ..application.choices import Colour, Registration, WindowChoice
from .node_placement import to_world, transform_to_world

if TYPE_CHECKING:
    from ..application.parameters import FusionParameters

PARAMETER_OF_PART = {
    "fused": "fused",
    "reliability_fixed": "reliabilityFixed",
    "reliability_moving": "reliabilityMoving",
    "arbitration": "arbitration",
    "colour": "colourVolume",
    "share": "shareVolume",
}
"""Which parameter holds the node of which part of the result."""

_NAMED_WINDOWS = {
    WindowChoice.AUTO: "auto",
    WindowChoice.CT_BRAIN: "ct-brain",
    WindowChoice.CT_BONE: "ct-bone",
    WindowChoice.CT_SOFT: "ct-soft",
    WindowChoice.PET: "pet",
    WindowChoice.MR: "mr",
}


@dataclass(frozen=True)
class SceneRequest:
    """One press of Apply.

    Attributes:
        fixed, moving: the sources.
        settings: of the fusion.
        registration: how to align them; ``transform`` is the node for ``Registration.TRANSFORM``.
        targets: node to write each part of the result into, by the names of the parts; a part that
            is absent or None gets a new node.
    """

    fixed: slicer.vtkMRMLScalarVolumeNode | None
    moving: slicer.vtkMRMLScalarVolumeNode | None
    settings: FusionSettings = field(default_factory=FusionSettings)
    registration: Registration = Registration.OFF
    transform: slicer.vtkMRMLTransformNode | None = None
    targets: Mapping[str, slicer.vtkMRMLVolumeNode | None] = field(default_factory=dict)


def placement_in(request: SceneRequest, moving_to_world: np.ndarray) -> np.ndarray:
    """4x4 from fixed to moving points (LPS mm), where the moving volume is placed so."""
    return np.linalg.inv(moving_to_world) @ to_world(request.fixed)


def require_possible(request: SceneRequest) -> None:
    """Raise :class:`InputError` where the request cannot be carried out; looks at no voxel."""
    for role, node in (("fixed", request.fixed), ("moving", request.moving)):
        _require_scalar(role, node)
    if request.fixed is request.moving:
        raise InputError(
            f"{request.fixed.GetName()} is chosen as both the fixed and the moving volume",
            "Choose two different volumes of one patient",
        )
    to_world(request.fixed)
    if request.registration is Registration.TRANSFORM:
        if request.transform is None or request.transform.GetScene() is None:
            raise InputError(
                "No transform is chosen", "Choose the transform that aligns the moving volume"
            )
        transform_to_world(request.transform)
    else:
        to_world(request.moving)
    _require_distinct(request)


def _require_scalar(role: str, node: slicer.vtkMRMLVolumeNode | None) -> None:
    if node is None:
        raise InputError(f"No {role} volume is chosen", f"Choose the {role} volume")
    name = node.GetName()
    # A parameter node may still know it.
    if node.GetScene() is None:
        raise InputError(f"{name} is not in the scene any more", f"Choose the {role} volume")
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(f"{name} is a label map", "Choose a volume of grey values")
    image = node.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise InputError(f"{name} holds no voxels", "Load it again, or choose another volume")
    components = image.GetNumberOfScalarComponents()
    if components != 1:
        raise InputError(
            f"{name} holds {components} values a voxel (colour, vectors or time points)",
            "Choose a volume of one value a voxel; extract one component or time point first",
        )


def _require_distinct(request: SceneRequest) -> None:
    taken = {request.fixed.GetID(): "an input", request.moving.GetID(): "an input"}
    for node in request.targets.values():
        if node is None:
            continue
        if node.GetID() in taken:
            raise InputError(
                f"The output {node.GetName()} is also {taken[node.GetID()]}",
                "Choose another node for it, or leave it to be made",
            )
        taken[node.GetID()] = "another output"


def window_of(
    node: slicer.vtkMRMLScalarVolumeNode, choice: WindowChoice, low: float, high: float
) -> str | tuple[float, float]:
    """The window for :class:`FusionSettings`: what is seen is what is fused."""
    if choice is WindowChoice.NUMBERS:
        return low, high
    if choice is WindowChoice.DISPLAY:
        display = node.GetDisplayNode()
        if display is None or display.GetWindow() <= 0:
            return "auto"
        return display.GetWindowLevelMin(), display.GetWindowLevelMax()
    return _NAMED_WINDOWS[choice]


def colour_of(
    choice: Colour, moving: slicer.vtkMRMLScalarVolumeNode
) -> str | tuple[tuple[float, float, float], ...] | None:
    """The colour table for :class:`FusionSettings`."""
    if choice is Colour.NONE:
        return None
    display = moving.GetDisplayNode()
    shown = display.GetColorNode() if display is not None else None
    if choice is Colour.HEAT or shown is None or shown.GetNumberOfColors() < 2:
        return "PET-Heat"
    rgba = [0.0] * 4
    rows = []
    for index in range(shown.GetNumberOfColors()):
        shown.GetColor(index, rgba)
        rows.append((rgba[0], rgba[1], rgba[2]))
    return tuple(rows)


def request_of(parameters: FusionParameters) -> SceneRequest:
    """What the panel's parameters ask for; see
    :class:`~..application.parameters.FusionParameters`.

    Raises:
        InputError: a source is missing, or a window is empty.
    """
    fixed, moving = parameters.fixedVolume, parameters.movingVolume
    for role, node in (("fixed", fixed), ("moving", moving)):
        _require_scalar(role, node)
    windows = (
        window_of(fixed, parameters.fixedWindow, parameters.fixedLow, parameters.fixedHigh),
        window_of(moving, parameters.movingWindow, parameters.movingLow, parameters.movingHigh),
    )
    settings = FusionSettings(
        *windows,
        axis=parameters.axis.name.lower().replace("_", "-"),
        strength=parameters.strength,
        correlation_floor=parameters.correlationFloor,
        colour=colour_of(parameters.colour, moving),
        device=parameters.device.name.lower(),
        precision=parameters.precision.name.lower(),
        share=parameters.mapShare,
    )
    targets = {part: getattr(parameters, name) for part, name in PARAMETER_OF_PART.items()}
    return SceneRequest(
        fixed, moving, settings, parameters.registration, parameters.transform, targets
    )
