"""Where is it doubtful? The flagged regions, largest first; a click goes there."""

from __future__ import annotations

from typing import Any

import qt

from ..errors import WDualMineError
from .messages import DOUBTFUL, QUIET, coloured, of_error
from .protocols import DoubtLogic
from .runner import StepsRunner
from .session import Session
from .widgets import say

_TITLE = "Where is it doubtful?"
_HEADINGS = ["Suspected in", "Volume", "Mean reliability"]
_NOTHING = "Nothing is flagged. A map without a mark is no certificate: faults may be missed."
_SHOWN_ROWS = 6


class DoubtsSection:
    """Fills itself after every fusion, in the background, beside whatever else is done."""

    def __init__(self, ui: Any, session: Session, logic: DoubtLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._doubts: list[Any] = []
        self._of: Any = None
        self._runner = StepsRunner()
        self._runner.finished.connect(self._on_found)
        self._runner.failed.connect(self._on_error)
        table = ui.doubtsTable
        table.cellClicked.connect(self.show)
        table.currentCellChanged.connect(self.show)  # by the arrow keys
        table.visible = False
        say(ui.doubtsLabel, "")
        session.fused.connect(self._look)
        session.changed.connect(self.update)

    @property
    def running(self) -> bool:
        return self._runner.running

    def update(self) -> None:
        """Forget what was found in a result that is gone; look into one that was loaded."""
        nodes = self._session.nodes
        if nodes is None and self._of is not None:
            self._runner.cancel()
            self._of = None
            self._tell([])
            say(self._ui.doubtsLabel, "")
            self._ui.doubtsSection.text = _TITLE
        elif nodes is not None and self._of is None and not self._session.running:
            self._look()

    def show(self, row: int, *_: Any) -> None:
        """Go to the region of that row in all slice views."""
        nodes = self._session.nodes
        if nodes is not None and 0 <= row < len(self._doubts):
            doubt = self._doubts[row]
            self._session.attempt(lambda: self._logic.show(nodes, doubt), self._on_error)

    def close(self) -> None:
        self._runner.cancel()

    def _look(self) -> None:
        nodes = self._session.nodes
        if nodes is None:
            return
        self._runner.cancel()
        self._of = nodes
        self._runner.start(self._logic.steps(nodes))

    def _on_found(self, doubts: list[Any]) -> None:
        self._tell(doubts)
        total = sum(doubt.volume_ml for doubt in doubts)
        count = "1 region" if len(doubts) == 1 else f"{len(doubts)} regions"
        self._ui.doubtsSection.text = f"{_TITLE} ({count}, {total:.1f} ml)" if doubts else _TITLE
        said = "Click a row to go there." if doubts else _NOTHING
        say(self._ui.doubtsLabel, coloured(said, DOUBTFUL if doubts else QUIET))

    def _tell(self, doubts: list[Any]) -> None:
        table = self._ui.doubtsTable
        self._doubts = []  # a change of the current row while it is filled is nobody's click
        table.clearContents()
        table.rowCount, table.columnCount = len(doubts), len(_HEADINGS)
        table.setHorizontalHeaderLabels(_HEADINGS)
        for row, doubt in enumerate(doubts):
            words = doubt.role, f"{doubt.volume_ml:.1f} ml", f"{doubt.reliability:.2f}"
            for column, text in enumerate(words):
                table.setItem(row, column, qt.QTableWidgetItem(text))
        table.setCurrentCell(-1, -1)
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        rows = sum(table.rowHeight(row) for row in range(min(len(doubts), _SHOWN_ROWS)))
        height = table.horizontalHeader().sizeHint.height() + rows + 2 * table.frameWidth
        table.minimumHeight = table.maximumHeight = height
        table.visible = bool(doubts)
        self._doubts = doubts

    def _on_error(self, error: WDualMineError) -> None:
        say(self._ui.doubtsLabel, of_error(error))
