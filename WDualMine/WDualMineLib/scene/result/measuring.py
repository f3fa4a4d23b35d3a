"""Measures of a result: of the volume, along its slices as a plot, and in regions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import slicer

from ...background import in_background
from ...errors import InputError
from ...progress import Steps
from ...quality.volume_measures import VolumeMeasures
from ..views.borrowed import Borrowed, borrow_layout
from .masks import mask_of, mask_of_box
from .recovery import Results
from .result_nodes import FusionNodes
from .volume_nodes import array_of

TABLE = "WDualMine measures along the slices"


class Measures:
    """Measures results of one scene, and keeps the last measures for plots."""

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        results: Results | None = None,
        borrowed: Borrowed | None = None,
    ) -> None:
        self._scene = scene
        self._results = results or Results()
        self._borrowed = borrowed or Borrowed()
        self._last: VolumeMeasures | None = None

    def steps(self, nodes: FusionNodes) -> Steps[VolumeMeasures]:
        """Measure the fused volume; see :meth:`~...pipeline.result.Result.measure_steps`.

        Raises:
            InputError: a source is not in the scene any more, or is not what it was.
        """
        result = yield from self._results.steps(nodes)
        self._last = yield from in_background(result.measure_steps)
        return self._last

    def plot(self, metric: str) -> None:
        """Show the course of ``metric`` along the slices, in a layout with a plot view.

        :meth:`~..views.inspection.Inspection.usual` gives the layout of before back.
        Table, series and chart are made once and used again.
        """
        if self._last is None:
            return
        values = self._last.slices[metric]
        table = self._node("vtkMRMLTableNode", TABLE)
        slicer.util.updateTableFromArray(
            table,
            (np.arange(1, len(values) + 1, dtype=float), np.nan_to_num(values, nan=0.0)),
            ("Slice", metric),
        )
        series = self._node("vtkMRMLPlotSeriesNode", f"{TABLE}: series")
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName("Slice")
        series.SetYColumnName(metric)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        series.SetColor(0.18, 0.62, 0.36)
        chart = self._node("vtkMRMLPlotChartNode", f"{TABLE}: chart")
        if not chart.HasPlotSeriesNodeID(series.GetID()):
            chart.AddAndObservePlotSeriesNodeID(series.GetID())
        chart.SetTitle(f"{metric} along the slices")
        chart.SetXAxisTitle("Slice")
        chart.SetYAxisTitle(metric)
        chart.SetLegendVisibility(False)
        self._show(chart)

    def regions(
        self,
        nodes: FusionNodes,
        segmentation: slicer.vtkMRMLSegmentationNode | None,
        roi: slicer.vtkMRMLMarkupsROINode | None,
    ) -> list[tuple[str, float, float]]:
        """(name, mean reliability of fixed, of moving) for each region with voxels on the grid.

        Regions are the segments of ``segmentation`` and the box ``roi``.

        Raises:
            InputError: no region has any voxel there.
        """
        fixed, moving = (
            array_of(node) for node in (nodes.reliability_fixed, nodes.reliability_moving)
        )
        masks = list(_masks(nodes.fused, segmentation, roi))
        rows = [
            (name, float(fixed[mask].mean()), float(moving[mask].mean()))
            for name, mask in masks
            if mask.any()
        ]
        if not rows:
            names = " and ".join(n.GetName() for n in (segmentation, roi) if n is not None)
            raise InputError(
                f"Nothing of {names} lies in the fused volume",
                "Draw a segment or a box on the fused volume, or choose another",
            )
        return rows

    def _node(self, kind: str, name: str) -> slicer.vtkMRMLNode:
        return self._scene.GetFirstNodeByName(name) or self._scene.AddNewNodeByClass(kind, name)

    def _show(self, chart: slicer.vtkMRMLPlotChartNode) -> None:
        layout = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if layout is not None:
            borrow_layout(self._borrowed, layout, layout.SlicerLayoutFourUpPlotView)
        kind = "vtkMRMLPlotViewNode"
        for index in range(self._scene.GetNumberOfNodesByClass(kind)):
            self._scene.GetNthNodeByClass(index, kind).SetPlotChartNodeID(chart.GetID())


def _masks(
    reference: slicer.vtkMRMLVolumeNode,
    segmentation: slicer.vtkMRMLSegmentationNode | None,
    roi: slicer.vtkMRMLMarkupsROINode | None,
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, mask) of each segment, then of the box."""
    if segmentation is not None:
        segments = segmentation.GetSegmentation()
        for number in range(segments.GetNumberOfSegments()):
            segment = segments.GetNthSegmentID(number)
            name = segments.GetSegment(segment).GetName()
            yield name, mask_of(segmentation, segment, reference)
    if roi is not None:
        yield roi.GetName(), mask_of_box(roi, reference)
