"""From two volume nodes to fused ones: align, fuse, and only then touch the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import slicer

from ...background import Job, in_background, run_in_background
from ...errors import InputError
from ...pipeline.alignment import Alignment, align_steps
from ...pipeline.request import AFFINE, AS_THEY_LIE, GIVEN, RIGID, Request
from ...pipeline.result import Result
from ...pipeline.run import fuse_aligned_steps
from ...progress import Progress, Steps, scaled
from ...registration.transforms import affine_transform
from ...volumes.volume import Volume
from ..application.choices import Registration
from ..application.window_presets import offer_windows
from ..views.appearance import show_source
from .loaded_slices import LoadedSlices
from .node_placement import (
    ALIGNS,
    alignment_between,
    mark,
    own_transform,
    set_matrix,
    to_world,
    transform_to_world,
)
from .part_images import PartImages, images_of
from .recovery import Results
from .requests import SceneRequest, placement_in, require_possible
from .result_nodes import FusionNodes, add_outputs, results_in
from .volume_nodes import volume_of

_KINDS = {
    Registration.OFF: AS_THEY_LIE,
    Registration.RIGID: RIGID,
    Registration.AFFINE: AFFINE,
    Registration.TRANSFORM: GIVEN,
}
# Share of the progress bar for a registration, where there is one.
_REGISTRATION = 0.5


@dataclass(frozen=True)
class Outcome:
    """What one run left in the scene.

    Attributes:
        nodes, result: of the fusion; None where the alignment is doubtful and the user is to judge
            it before anything is fused. A result alone is None for what was saved and loaded.
        alignment: of the two volumes, with its verdict where there is one.
        transform: the node that a registration was put into.
        replaced: the transform that the moving volume observed before, or None.
    """

    nodes: FusionNodes | None
    result: Result | None
    alignment: Alignment | None = None
    transform: slicer.vtkMRMLLinearTransformNode | None = None
    replaced: slicer.vtkMRMLTransformNode | None = None


class FusionWorkflow:
    """Carries out requests on one scene; knows nothing of widgets."""

    def __init__(self, scene: slicer.vtkMRMLScene, results: Results | None = None) -> None:
        self._scene = scene
        self._results = results or Results()
        self._loaded = LoadedSlices()

    def steps(self, request: SceneRequest) -> Steps[Outcome]:
        """Align and fuse, yielding progress all the while; closing cancels.

        Computation runs in a thread on copies, so that the application stays alive and the user
        may change or delete nodes meanwhile. The scene is changed in one step at the end: an
        error or a cancel leaves it as it was. A doubtful registration is put into the scene without
        a fusion, to be looked at; a transform that the user gave is used, whatever it is doubted
        for.

        Raises:
            InputError: the request cannot be carried out, or an input was deleted meanwhile.
            RegistrationFailed: no alignment could be found.
            WDualMineError: whatever else the fusion raises.
        """
        require_possible(request)
        fixed = volume_of(request.fixed)
        yield Progress(0.0, "Preparing")  # a large volume takes a moment to be copied
        self._require_present(request)
        moving = volume_of(request.moving)
        asked = [self._loaded.asked_of(node) for node in (request.fixed, request.moving)]
        notes = yield from run_in_background(lambda _: [each.notes() for each in asked])
        self._require_present(request)
        fixed, moving = (
            replace(volume, notes=(*volume.notes, *told))
            for volume, told in zip((fixed, moving), notes, strict=True)
        )
        job = self._job(request, fixed, moving)
        fixed_to_world = to_world(request.fixed)
        share = 0.0 if job.registration == AS_THEY_LIE else _REGISTRATION
        alignment = yield from scaled(align_steps(job), 0.0, share)
        moving_to_world = fixed_to_world @ np.linalg.inv(alignment.matrix)
        registered = request.registration in (Registration.RIGID, Registration.AFFINE)
        if registered and alignment.is_doubtful:
            self._require_present(request)
            replaced = request.moving.GetParentTransformNode()
            node = self._place(None, request, alignment, moving_to_world)
            return Outcome(None, None, alignment, node, replaced)
        fused = in_background(lambda: fuse_aligned_steps(job, alignment))
        result = yield from scaled(fused, share, 1.0)
        images = yield from run_in_background(lambda job: _images(job, result))
        self._require_present(request)
        return self._commit(request, result, images, moving_to_world)

    def discard(self, outcome: Outcome) -> None:
        """Take a doubtful alignment out of the scene again; the moving volume goes back."""
        if outcome.transform is None or not self._scene.IsNodePresent(outcome.transform):
            return
        moving = outcome.transform.GetNodeReference(ALIGNS)
        if moving is not None:
            before = outcome.replaced
            there = before is not None and self._scene.IsNodePresent(before)
            moving.SetAndObserveTransformNodeID(before.GetID() if there else None)
        self._scene.RemoveNode(outcome.transform)

    def recover(self, fused: slicer.vtkMRMLScalarVolumeNode) -> Outcome | None:
        """What an earlier session left around ``fused``: nodes without the network's residual."""
        self._results.forget()
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

    def _job(self, request: SceneRequest, fixed: Volume, moving: Volume) -> Request:
        """The request in volumes, with the moving one where the scene has it."""
        matrix = placement_in(request, self._moving_to_world(request))
        moved = not np.allclose(matrix, np.eye(4), rtol=0, atol=1e-9)
        # For a registration it is the start: a user who moved the volume meant something by it.
        given = request.registration is Registration.TRANSFORM
        transform = affine_transform(matrix, np.zeros(3)) if moved or given else None
        name = request.transform.GetName() if given and request.transform is not None else ""
        kind = _KINDS[request.registration]
        return Request(fixed, moving, request.settings, kind, transform, name)

    def _moving_to_world(self, request: SceneRequest) -> np.ndarray:
        if request.registration is Registration.TRANSFORM:
            return transform_to_world(request.transform)
        own = own_transform(request.moving)
        if own is not None and request.registration is not Registration.OFF:
            # A new registration starts afresh, not from what an earlier one found.
            return np.eye(4)
        return to_world(request.moving)

    def _require_present(self, request: SceneRequest) -> None:
        for role, node in (("fixed", request.fixed), ("moving", request.moving)):
            if not self._scene.IsNodePresent(node):
                raise InputError(
                    f"The {role} volume {node.GetName()} was deleted during the run",
                    "Choose the volumes and apply again",
                )

    def _commit(
        self,
        request: SceneRequest,
        result: Result,
        images: PartImages,
        moving_to_world: np.ndarray,
    ) -> Outcome:
        targets = {
            part: node
            for part, node in request.targets.items()
            if node is not None and self._scene.IsNodePresent(node)
        }
        nodes = add_outputs(self._scene, result, request.fixed, request.moving, targets, images)
        transform = None
        if request.registration in (Registration.RIGID, Registration.AFFINE):
            own = own_transform(request.moving)
            transform = self._place(own, request, result.alignment, moving_to_world)
        elif request.registration is Registration.TRANSFORM:
            request.moving.SetAndObserveTransformNodeID(request.transform.GetID())
        for node, window in (
            (request.fixed, result.pair.fixed_window),
            (request.moving, result.pair.moving_window),
        ):
            show_source(self._scene, node, (window.low, window.high), window.name)
            offer_windows(node, window.units)
        self._results.keep(nodes, result)
        return Outcome(nodes, result, result.alignment, transform)

    def _place(
        self,
        node: slicer.vtkMRMLLinearTransformNode | None,
        request: SceneRequest,
        alignment: Alignment,
        moving_to_world: np.ndarray,
    ) -> slicer.vtkMRMLLinearTransformNode:
        """Put the alignment into ``node``, or a new one, and the moving volume under it."""
        if node is None:
            name = f"{request.moving.GetName()} to {request.fixed.GetName()}"
            node = self._scene.AddNewNodeByClass(
                "vtkMRMLLinearTransformNode", self._scene.GenerateUniqueName(name)
            )
        set_matrix(node, moving_to_world)
        mark(node, request.fixed, request.moving, alignment)
        return node


def _images(job: Job, result: Result) -> PartImages:
    job.report(1.0, "Copying the result")
    return images_of(result)
