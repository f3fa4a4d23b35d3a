"""Measures of the fused volume, their course along the slices, and reliability in regions."""

from __future__ import annotations

import math
from typing import Any

import qt

from ..errors import WDualMineError
from ..quality.volume_measures import VOLUME_METRICS
from .messages import QUIET, coloured, of_error
from .protocols import MeasureLogic
from .session import Session
from .widgets import Hint, say

_MEANINGS = {
    "CC": "Correlation, mean of both",
    "CC/bound": "Share of the highest possible",
    "MI": "Shared information, bits",
    "SSIM": "Structural similarity",
    "Qabf": "Edges kept, 0 to 1",
}


class MeasureSection:
    """A table for the volume, a curve along the slices, and a line a region."""

    def __init__(self, ui: Any, session: Session, logic: MeasureLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._measured: Any = None
        self._measure = Hint(ui.measureButton)
        self._plot = Hint(ui.plotCombo)
        self._region = Hint(ui.measureRegionButton)
        for metric in VOLUME_METRICS:
            ui.plotCombo.addItem(metric)
        ui.measureButton.clicked.connect(self.measure)
        ui.plotCombo.activated.connect(self.plot)
        ui.measureRegionButton.clicked.connect(self.measure_region)
        session.changed.connect(self.update)
        for changed in (session.fused, session.looked, session.forgotten):
            changed.connect(self._forget_measures)
        for changed in (session.fused, session.forgotten):
            changed.connect(self._forget_regions)

    def measure(self, *_: Any) -> None:
        say(self._ui.regionLabel, "")
        self._session.run(
            "Measuring", self._logic.steps(self._session.nodes), self._on_measured, self._on_error
        )

    def plot(self, *_: Any) -> None:
        """Show the course of one measure along the slices."""
        metric = self._ui.plotCombo.currentText
        self._session.attempt(lambda: self._logic.plot(metric), self._on_error)

    def measure_region(self, *_: Any) -> None:
        nodes, parameters = self._session.nodes, self._session.parameters
        rows = self._session.attempt(
            lambda: self._logic.regions(nodes, parameters.region, parameters.roi), self._on_error
        )
        if rows is None:
            return
        lines = [
            coloured(f"fixed {fixed:.3f}, moving {moving:.3f}", QUIET, name)
            for name, fixed, moving in rows
        ]
        say(self._ui.regionLabel, "<br/>".join(lines))

    def update(self) -> None:
        reason = self._session.reason_no_result("measure")
        if self._session.nodes is None:
            self._forget_measures()
        self._measure.enable_unless(reason)
        unmeasured = "" if self._measured else "Measure first: there is no curve yet"
        self._plot.enable_unless(reason or unmeasured)
        parameters = self._session.parameters
        none = parameters is None or (parameters.region is None and parameters.roi is None)
        unchosen = "Choose a segmentation or a box first" if none else ""
        self._region.enable_unless(reason or unchosen)

    def _forget_measures(self) -> None:
        """They are of a fused volume that is not there any more."""
        self._measured = None
        self._ui.measuresTable.visible = False

    def _forget_regions(self) -> None:
        say(self._ui.regionLabel, "")

    def _on_measured(self, measures: Any) -> None:
        self._measured = measures
        table = self._ui.measuresTable
        table.rowCount, table.columnCount = len(VOLUME_METRICS), 2
        table.setHorizontalHeaderLabels(["Volume", "Meaning"])
        table.setVerticalHeaderLabels(list(VOLUME_METRICS))
        for row, metric in enumerate(VOLUME_METRICS):
            value = measures.whole[metric]
            text = "undefined" if math.isnan(value) else f"{value:.4f}"
            table.setItem(row, 0, qt.QTableWidgetItem(text))
            table.setItem(row, 1, qt.QTableWidgetItem(_MEANINGS[metric]))
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        rows = sum(table.rowHeight(row) for row in range(len(VOLUME_METRICS)))
        height = table.horizontalHeader().sizeHint.height() + rows + 2 * table.frameWidth
        table.minimumHeight = table.maximumHeight = height
        table.visible = True
        self.plot()

    def _on_error(self, error: WDualMineError) -> None:
        say(self._ui.regionLabel, of_error(error))
