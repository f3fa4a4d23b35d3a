"""From two volume nodes to fused ones: align, fuse, and only then touch the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import slicer

from ..errors import InputError
from ..fusion.api import fuse_steps
from ..fusion.result import FusionResult
from ..progress import Progress, Steps, T, finish
from ..registration.api import register_steps
from ..registration.background import Job, run_in_background
from ..registration.result import RegistrationResult, Verdict
from ..registration.settings import RegistrationSettings
from ..registration.transforms import affine_transform, matrix_of
from ..volumes.volume import Volume
from .alignments import ALIGNED_TO, ALIGNS, VERDICT, alignment_between, own_transform
from .appearance import show_source
from .choices import Registration
from .fused_placement import remember_placement
from .inputs import FusionRequest, require_possible, source_of
from .outputs import FusionNodes, add_outputs, results_in
from .parts import Parts, parts_of
from .placement import moved, set_matrix, to_world, transform_to_world

# Share of the progress bar for a registration, where there is one.
_REGISTRATION = 0.5


@dataclass(frozen=True)
class Outcome:
    """What one run left in the scene.

    Attributes:
        nodes, result: of the fusion; None where the alignment is doubtful and the user is to judge
            it before anything is fused. A result alone is None for what was saved and loaded.
        alignment: what the registration found, None if there was none.
        transform: the node that it was put into.
        replaced: ID of the transform that the moving volume observed before, or None.
    """

    nodes: FusionNodes | None
    result: FusionResult | None
    alignment: RegistrationResult | None = None
    transform: slicer.vtkMRMLLinearTransformNode | None = None
    replaced: str | None = None


class FusionWorkflow:
    """Carries out requests on one scene; knows nothing of widgets."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def steps(self, request: FusionRequest) -> Steps[Outcome]:
        """Align and fuse, yielding progress ten times a second; closing cancels.

        Computation runs in a thread on copies, so that the application stays alive and the user
        may change or delete nodes meanwhile. The scene is changed in one step at the end: an
        error or a cancel leaves it as it was. A doubtful alignment is put into the scene without
        a fusion, to be looked at.

        Raises:
            InputError: the request cannot be carried out, or an input was deleted meanwhile.
            RegistrationFailed: no alignment could be found.
            WDualMineError: whatever else the fusion raises.
        """
        require_possible(request)
        fixed = source_of(request.fixed)
        yield Progress(0.0, "Preparing")  # a large volume takes a moment to be copied
        self._require_present(request)
        moving = source_of(request.moving)
        fixed_to_world = to_world(request.fixed)
        placed = np.linalg.inv(fixed_to_world) @ self._moving_to_world(request)
        alignment = None
        if request.registration in (Registration.RIGID, Registration.AFFINE):
            settings = _registration_settings(request.registration, placed)
            alignment = yield from _scaled(
                register_steps(fixed, moving, settings), 0.0, _REGISTRATION
            )
            alignment.require_usable()
            placed = np.linalg.inv(matrix_of(alignment.transform))
            if alignment.verdict is Verdict.DOUBTFUL:
                self._require_present(request)
                replaced = request.moving.GetTransformNodeID()
                node = self._place(None, request, alignment, fixed_to_world @ placed)
                return Outcome(None, None, alignment, node, replaced)
        fused = _in_background(fixed, moved(moving, placed), request)
        result, parts = yield from _scaled(fused, _REGISTRATION if alignment else 0.0, 1.0)
        self._require_present(request)
        outcome = self._commit(request, result, parts, alignment, fixed_to_world @ placed)
        remember_placement(outcome.nodes.fused, placed)
        return outcome

    def discard(self, outcome: Outcome) -> None:
        """Take a doubtful alignment out of the scene again; the moving volume goes back."""
        if outcome.transform is None or not self._scene.IsNodePresent(outcome.transform):
            return
        moving = outcome.transform.GetNodeReference(ALIGNS)
        if moving is not None:
            moving.SetAndObserveTransformNodeID(outcome.replaced)
        self._scene.RemoveNode(outcome.transform)

    def recover(self, fused: slicer.vtkMRMLScalarVolumeNode) -> Outcome | None:
        """What an earlier session left around ``fused``: nodes without the network's residual."""
        for nodes in results_in(self._scene):
            if nodes.fused is fused:
                return Outcome(nodes, None)
        return None

    def alignment(
        self,
        fixed: slicer.vtkMRMLScalarVolumeNode | None,
        moving: slicer.vtkMRMLScalarVolumeNode | None,
    ) -> tuple[str, str] | None:
        """(verdict, reasons in words) of the alignment under which the two lie; None without."""
        return alignment_between(fixed, moving)

    def _moving_to_world(self, request: FusionRequest) -> np.ndarray:
        if request.registration is Registration.TRANSFORM:
            return transform_to_world(request.transform)
        own = own_transform(request.moving)
        if own is not None and request.registration is not Registration.OFF:
            # A new registration starts afresh, not from what an earlier one found.
            return np.eye(4)
        return to_world(request.moving)

    def _require_present(self, request: FusionRequest) -> None:
        for role, node in (("fixed", request.fixed), ("moving", request.moving)):
            if not self._scene.IsNodePresent(node):
                raise InputError(
                    f"The {role} volume {node.GetName()} was deleted during the run",
                    "Choose the volumes and apply again",
                )

    def _commit(
        self,
        request: FusionRequest,
        result: FusionResult,
        parts: Parts,
        alignment: RegistrationResult | None,
        moving_to_world: np.ndarray,
    ) -> Outcome:
        targets = {
            part: node
            for part, node in request.targets.items()
            if node is not None and self._scene.IsNodePresent(node)
        }
        nodes = add_outputs(self._scene, result, request.fixed, request.moving, targets, parts)
        transform = None
        if alignment is not None:
            own = own_transform(request.moving)
            transform = self._place(own, request, alignment, moving_to_world)
        elif request.registration is Registration.TRANSFORM:
            request.moving.SetAndObserveTransformNodeID(request.transform.GetID())
        for node, window in (
            (request.fixed, result.pair.fixed_window),
            (request.moving, result.pair.moving_window),
        ):
            show_source(self._scene, node, (window.low, window.high), window.name)
        return Outcome(nodes, result, alignment, transform)

    def _place(
        self,
        node: slicer.vtkMRMLLinearTransformNode | None,
        request: FusionRequest,
        alignment: RegistrationResult,
        moving_to_world: np.ndarray,
    ) -> slicer.vtkMRMLLinearTransformNode:
        """Put the alignment into ``node``, or a new one, and the moving volume under it."""
        if node is None:
            name = f"{request.moving.GetName()} to {request.fixed.GetName()}"
            node = self._scene.AddNewNodeByClass(
                "vtkMRMLLinearTransformNode", self._scene.GenerateUniqueName(name)
            )
        set_matrix(node, moving_to_world)
        node.SetNodeReferenceID(ALIGNS, request.moving.GetID())
        node.SetNodeReferenceID(ALIGNED_TO, request.fixed.GetID())
        node.SetAttribute(VERDICT, alignment.verdict.value)
        node.SetDescription("; ".join(alignment.reasons))
        request.moving.SetAndObserveTransformNodeID(node.GetID())
        return node


def _registration_settings(kind: Registration, placed: np.ndarray) -> RegistrationSettings:
    start = None
    if not np.allclose(placed, np.eye(4), rtol=0, atol=1e-9):
        # From fixed to moving points; a user who moved the volume meant something by it.
        start = affine_transform(np.linalg.inv(placed), np.zeros(3))
    return RegistrationSettings("affine" if kind is Registration.AFFINE else "rigid", start)


def _in_background(
    fixed: Volume, moving: Volume, request: FusionRequest
) -> Steps[tuple[FusionResult, Parts]]:
    def work(job: Job) -> tuple[FusionResult, Parts]:
        def report(progress: Progress) -> None:
            job.report(progress.fraction, progress.message)

        result = finish(fuse_steps(fixed, moving, request.settings), report)
        job.check()
        return result, parts_of(result)

    return run_in_background(work)


def _scaled(steps: Steps[T], start: float, end: float) -> Steps[T]:
    """``steps`` with its fractions mapped from [0, 1] to [start, end]."""
    try:
        while True:
            progress = next(steps)
            yield replace(progress, fraction=start + (end - start) * progress.fraction)
    except StopIteration as stop:
        return stop.value
    finally:
        steps.close()
