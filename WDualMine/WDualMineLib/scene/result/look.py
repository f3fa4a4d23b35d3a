"""The look of a result: detail strength and correlation floor, without the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import slicer

from ...background import Job, run_in_background
from ...fusion.colour import colour_table, colourise
from ...fusion.composition import ceiling_of, compose
from ...fusion.correlation import apply_floor
from ...fusion.tone import VOLUME_KNEE
from ...pipeline.parts import COLOUR, FUSED, SHARE
from ...pipeline.result import Result
from ...progress import Progress, Steps
from ..views.slice_views import shown_slices
from .recovery import Results, reason_not_recoverable
from .result_nodes import FusionNodes, record_in, write_record
from .volume_nodes import array_of, update_volume
from .workflow import Outcome


class Look:
    """Changes the fused nodes of an outcome and the share; other maps do not depend on the look."""

    def __init__(self, scene: slicer.vtkMRMLScene, results: Results | None = None) -> None:
        self._scene = scene
        self._results = results or Results()

    def reason_not_possible(self, outcome: Outcome | None) -> str:
        """Why the look cannot be changed, "" if it can."""
        if outcome is None or outcome.nodes is None:
            return "Apply first: there is no fused volume yet."
        if outcome.nodes.fused.GetScene() is None:
            return "Apply again: the fused volume was deleted."
        return "" if outcome.result is not None else reason_not_recoverable(outcome.nodes)

    def _made(self, outcome: Outcome) -> FusionNodes:
        """The nodes of an outcome that has some, as :meth:`reason_not_possible` made sure."""
        if outcome.nodes is None:
            raise ValueError("nothing was fused")
        return outcome.nodes

    def recover_steps(self, outcome: Outcome) -> Steps[Outcome]:
        """The outcome of an earlier session with its result, which :meth:`show_slices` needs.

        Raises:
            InputError: the sources are not what they were.
        """
        return replace(outcome, result=(yield from self._results.steps(self._made(outcome))))

    def is_shown(self, outcome: Outcome, strength: float, correlation_floor: float) -> bool:
        """Whether the whole volume has this look already."""
        known = outcome.result or record_in(self._made(outcome).fused)
        settings = known.settings
        wanted, has = (strength, correlation_floor), (settings.strength, settings.correlation_floor)
        return bool(np.allclose(wanted, has, rtol=0, atol=1e-6))

    def show_slices(self, outcome: Outcome, strength: float, correlation_floor: float) -> None:
        """Give only the slices on screen a new look, at once.

        The floor is that of each slice alone; in the volume it holds over all slices together, so
        that a slice can still change a little when the slider is released.
        """
        result, nodes = outcome.result, self._made(outcome)
        if result is None:
            raise ValueError("recover the result first")
        node, colour = nodes.fused, nodes.colour
        rows, table = result.pair.table_rows, result.settings.colour
        voxels = array_of(node)
        ceiling = ceiling_of(result.pair.fixed, result.pair.moving, result.residual, strength)
        for axis, index in shown_slices(self._scene, node):
            place = (slice(None),) * axis + (index,)
            a, b = result.pair.fixed[place], result.pair.moving[place]
            composed = compose(a, b, result.residual[place], strength, ceiling)
            voxels[place] = apply_floor(
                composed, a, b, correlation_floor, in_head=True, knee=VOLUME_KNEE
            )[0]
            if colour is not None and rows is not None and table is not None:
                # What the views show where there is a colour volume.
                indices = np.ascontiguousarray(rows[place])
                array_of(colour)[place] = colourise(voxels[place], indices, colour_table(table))
        for changed in filter(None, (node, colour)):
            slicer.util.arrayFromVolumeModified(changed)

    def steps(self, outcome: Outcome, strength: float, correlation_floor: float) -> Steps[Outcome]:
        """Give the whole volume a new look; returns the outcome with its new result.

        Raises:
            InputError: the outcome is of an earlier session, and its sources are not what they
                were.
        """
        known = outcome.result or (yield from self._results.steps(self._made(outcome)))

        def work(job: Job) -> Result:
            job.report(0.1, "Changing the look")
            return known.with_look(strength, correlation_floor)

        result = yield from run_in_background(work)
        yield Progress(1.0, "Changing the look")
        nodes = self._made(outcome)
        for name in (FUSED.name, COLOUR.name, SHARE.name):
            node, volume = nodes.parts.get(name), result.volumes.get(name)
            if node is not None and volume is not None and self._scene.IsNodePresent(node):
                update_volume(node, volume)
                write_record(node, result.record)
        share = nodes.parts.get(SHARE.name)
        if share is not None and result.share is None:
            self._scene.RemoveNode(share)
            there = {name: node for name, node in nodes.parts.items() if node is not share}
            nodes = replace(nodes, parts=there)
        self._results.keep(nodes, result)
        return replace(outcome, nodes=nodes, result=result)
