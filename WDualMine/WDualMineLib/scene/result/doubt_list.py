"""The doubtful regions of a result in the scene, and the way to each of them."""

from __future__ import annotations

import numpy as np
import slicer

from ...background import Job, run_in_background
from ...pipeline.doubts import Doubt, doubtful_regions
from ...progress import Steps
from .node_placement import ijk_to_ras
from .result_nodes import FusionNodes
from .volume_nodes import volume_of


class DoubtList:
    """Finds the regions, and shows one in all slice views."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def steps(self, nodes: FusionNodes) -> Steps[list[Doubt]]:
        """The doubtful regions of ``nodes``, largest first; found in a thread, on a copy."""
        reliability = volume_of(nodes.reliability_fixed)

        def work(job: Job) -> list[Doubt]:
            job.report(0.1, "Looking for doubtful regions")
            return doubtful_regions(reliability)

        return (yield from run_in_background(work))

    def show(self, nodes: FusionNodes, doubt: Doubt) -> None:
        """Centre every slice view on the region, and put the crosshair there.

        Whether the crosshair is seen is left to the user.
        """
        point = (ijk_to_ras(nodes.fused) @ np.array([*doubt.index, 1.0]))[:3].tolist()
        centred = slicer.vtkMRMLSliceNode.CenteredJumpSlice
        slicer.vtkMRMLSliceNode.JumpAllSlices(self._scene, *point, centred)
        crosshair = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None:
            crosshair.SetCrosshairRAS(point)
