"""Results of nodes: kept in memory, or rebuilt from what a scene holds of them.

No network is run: its residual is one of the nodes. The sources are prepared again, in the
alignment that they were fused in, and what comes out is compared with the fused volume, so that a
source that was edited meanwhile is noticed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk
import slicer

from ...background import Job, run_in_background
from ...errors import InputError
from ...fusion.slices import slicings
from ...pipeline.alignment import Alignment
from ...pipeline.look import NetworkOutput
from ...pipeline.pair import prepare
from ...pipeline.parts import SHARE
from ...pipeline.record import Record
from ...pipeline.request import AS_THEY_LIE
from ...pipeline.result import Result, assemble
from ...progress import Steps, finish
from ...registration.transforms import affine_transform
from ...version import __version__
from .node_placement import fixed_to_moving
from .part_images import residual_of
from .result_nodes import FIXED_ROLE, MOVING_ROLE, VERSION, FusionNodes, record_in
from .volume_nodes import volume_of

# Half a grey level of 8 bits; quantising the residual changes less than a hundredth of that.
_SAME = 0.5 / 255
# Correlation of what two versions make of the same sources: their tones may differ, but no place.
_ALIKE = 0.97


class Results:
    """The results of one scene's nodes; the last one is kept, for it takes a moment to rebuild."""

    def __init__(self) -> None:
        self._of: tuple = ()
        self._result: Result | None = None

    def keep(self, nodes: FusionNodes, result: Result) -> None:
        """Remember what ``nodes`` were made of."""
        self._of, self._result = _key(nodes), result

    def forget(self) -> None:
        """Keep nothing: another scene was opened, or the last result is of no use any more."""
        self._of, self._result = (), None

    def has(self, nodes: FusionNodes) -> bool:
        """Whether :meth:`of` answers at once."""
        return self._result is not None and self._is_of(nodes)

    def steps(self, nodes: FusionNodes) -> Steps[Result]:
        """The result of ``nodes``, rebuilt where it is not in memory.

        Raises:
            InputError: a source is not in the scene any more, or is not what it was.
        """
        for role in (FIXED_ROLE, MOVING_ROLE):
            source_in(nodes, role)
        if self._result is not None and self._is_of(nodes):
            return self._result
        result = yield from recover_steps(nodes)
        self.keep(nodes, result)
        return result

    def of(self, nodes: FusionNodes) -> Result:
        """What :meth:`steps` return, waited for."""
        return finish(self.steps(nodes))

    def _is_of(self, nodes: FusionNodes) -> bool:
        known = _key(nodes)
        return len(known) == len(self._of) and all(
            a is b for a, b in zip(known, self._of, strict=True)
        )


def source_in(nodes: FusionNodes, role: str) -> slicer.vtkMRMLScalarVolumeNode:
    """The source of ``nodes`` in that role.

    Raises:
        InputError: it is not in the scene any more.
    """
    node = nodes.fused.GetNodeReference(role)
    if node is None or node.GetImageData() is None:
        which = "fixed" if role == FIXED_ROLE else "moving"
        raise InputError(
            f"The {which} volume of {nodes.fused.GetName()} is not in the scene any more",
            "Load it and apply again",
        )
    return node


def reason_not_recoverable(nodes: FusionNodes) -> str:
    """Why the look of ``nodes`` cannot be changed without the network; "" where it can."""
    if nodes.residual is None or nodes.residual.GetScene() is None:
        return "Apply again: what the network found is not in this scene."
    for which, role in (("fixed", FIXED_ROLE), ("moving", MOVING_ROLE)):
        source = nodes.fused.GetNodeReference(role)
        if source is None or source.GetImageData() is None:
            return f"The {which} volume is not in the scene any more: load it and apply again."
    return ""


def recover_steps(nodes: FusionNodes) -> Steps[Result]:
    """The result that ``nodes`` were made of; without what the network found where that is lost.

    Raises:
        InputError: a source is missing, or the sources are not what they were.
    """
    record = record_in(nodes.fused)
    fixed, moving = (volume_of(source_in(nodes, role)) for role in (FIXED_ROLE, MOVING_ROLE))
    transform = placement_of(nodes, record)
    stored = stored_result(nodes)
    kept = nodes.residual is not None and nodes.residual.GetScene() is not None
    residual = residual_of(nodes.residual) if kept else None
    of_this_version = nodes.fused.GetAttribute(VERSION) == __version__

    alignment = replace(stored.alignment, transform=transform)

    def work(job: Job) -> Result:
        job.report(0.1, "Preparing the volumes again")
        pair = prepare(fixed, moving, record.settings, transform)
        job.check()
        if residual is None:
            return stored.with_inputs(pair)
        network = NetworkOutput(
            residual,
            stored.reliability_fixed.array,
            stored.arbitration.array,
            slicings(stored.fused.geometry, record.settings.axis)[0],
        )
        result = assemble(pair, network, record.settings, record, alignment)
        job.check()
        if not _is_same(result.fused.array, stored.fused.array, of_this_version):
            raise InputError(
                f"The volumes, or their alignment, are not what {stored.fused.name} was made of",
                "Apply again",
            )
        # It is of this look, and cannot be made again.
        share = {name: v for name, v in stored.volumes.items() if name == SHARE.name}
        return replace(result, volumes={**result.volumes, **share})

    return (yield from run_in_background(work))


def stored_result(nodes: FusionNodes) -> Result:
    """What the nodes themselves hold: every part, and the record; no source is looked at."""
    record = record_in(nodes.fused)
    volumes = {name: volume_of(node) for name, node in nodes.parts.items()}
    known = record.fixed_to_moving
    transform = None if known is None else affine_transform(known, np.zeros(3))
    kind = record.registration or AS_THEY_LIE
    return Result(volumes, record.settings, [], {}, record, Alignment(kind, transform))


def placement_of(nodes: FusionNodes, record: Record) -> sitk.Transform | None:
    """From fixed to moving points, as they were fused; as they lie now where nothing tells."""
    if record.moving_to_fixed is not None:
        known = record.fixed_to_moving
        return None if known is None else affine_transform(known, np.zeros(3))
    return fixed_to_moving(*(source_in(nodes, role) for role in (FIXED_ROLE, MOVING_ROLE)))


def _is_same(again: np.ndarray, shown: np.ndarray, of_this_version: bool) -> bool:
    """Whether the sources are what they were, by what comes out of them."""
    if again.shape != shown.shape:
        return False
    if of_this_version:
        return bool(np.abs(again - shown).max() <= _SAME)
    return bool(np.corrcoef(again.ravel(), shown.ravel())[0, 1] >= _ALIKE)


def _key(nodes: FusionNodes) -> tuple:
    """The objects by which a result is known again: an update of the node brings a new image."""
    return nodes.fused, nodes.fused.GetImageData()
