"""A result rebuilt from its nodes, so that the look of a saved scene can still be changed.

No network is run: its residual is one of the nodes. The sources are prepared again, in the
alignment that they were fused in, and what comes out is compared with the fused volume, so that a
source that was edited meanwhile is noticed.
"""

from __future__ import annotations

import json

import numpy as np
import slicer

from ..errors import InputError
from ..fusion.preparation import prepare
from ..fusion.result import FusionResult, NetworkOutput, assemble
from ..fusion.settings import FusionSettings
from ..fusion.slices import slicings
from ..progress import Steps
from ..registration.background import Job, run_in_background
from ..registration.transforms import matrix_of
from .fused_placement import knows_placement, placement_when_fused
from .inputs import source_of
from .outputs import ATTRIBUTE, FIXED_ROLE, MOVING_ROLE, FusionNodes
from .placement import moved, to_world
from .residual import residual_of
from .volumes import array_of, geometry_of

# Half a grey level of 8 bits; quantising the residual changes less than a hundredth of that.
_SAME = 0.5 / 255


def reason_not_recoverable(nodes: FusionNodes) -> str:
    """Why the look of ``nodes`` cannot be changed without the network; "" where it can."""
    if nodes.residual is None or nodes.residual.GetScene() is None:
        return "Apply again: what the network found is not in this scene."
    for which, role in (("fixed", FIXED_ROLE), ("moving", MOVING_ROLE)):
        source = nodes.fused.GetNodeReference(role)
        if source is None or source.GetImageData() is None:
            return f"The {which} volume is not in the scene any more: load it and apply again."
    return ""


def recover_steps(nodes: FusionNodes) -> Steps[FusionResult]:
    """The result that ``nodes`` were made of.

    Raises:
        InputError: a part of it is missing, or the sources are not what they were.
    """
    if reason := reason_not_recoverable(nodes):
        raise InputError(f"The look of {nodes.fused.GetName()} cannot be changed", reason)
    fixed, moving = (nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
    sources = source_of(fixed), moved(source_of(moving), _moving_to_fixed(nodes.fused))
    settings = settings_of(nodes)
    network = NetworkOutput(
        residual_of(nodes.residual),
        array_of(nodes.reliability_fixed).copy(),
        array_of(nodes.arbitration).copy(),
        slicings(geometry_of(nodes.fused), settings.axis)[0],
    )
    shown = array_of(nodes.fused).copy()
    name = nodes.fused.GetName()

    def work(job: Job) -> FusionResult:
        job.report(0.1, "Preparing the volumes again")
        result = assemble(prepare(*sources, settings), network, settings)
        job.check()
        same = result.fused.array.shape == shown.shape
        if not same or np.abs(result.fused.array - shown).max() > _SAME:
            raise InputError(
                f"The volumes, or their alignment, are not what {name} was made of",
                "Apply again",
            )
        return result

    return (yield from run_in_background(work))


def _moving_to_fixed(fused: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """4x4 (LPS mm), as it was when they were fused; as they lie now where nothing tells."""
    if knows_placement(fused):
        transform = placement_when_fused(fused)
        return np.eye(4) if transform is None else np.linalg.inv(matrix_of(transform))
    fixed, moving = (fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
    return np.linalg.inv(to_world(fixed)) @ to_world(moving)


def settings_of(nodes: FusionNodes) -> FusionSettings:
    """What ``nodes`` were fused with, as their attributes tell."""

    def told(key: str) -> str:
        return nodes.fused.GetAttribute(ATTRIBUTE + key)

    windows = []
    for which in ("fixed", "moving"):
        window = told(f"{which}_window")
        ends = (float(told(f"{which}_window_{end}")) for end in ("low", "high"))
        windows.append(tuple(ends) if window == "explicit" else window)
    colour = told("colour")
    return FusionSettings(
        *windows,
        axis=told("axis"),
        strength=float(told("strength")),
        correlation_floor=float(told("correlation_floor")),
        colour=json.loads(colour) if colour else None,
    )
