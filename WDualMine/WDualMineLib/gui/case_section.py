"""The case on one page, for the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import WDualMineError
from ..scene.result.case_page import CaseRequest
from .messages import GOOD, coloured, of_error
from .protocols import CaseLogic
from .session import Session
from .widgets import Hint, say

TASK = "Writing the page"


class CaseSection:
    """A folder, whether it is anonymised, and the button."""

    def __init__(self, ui: Any, session: Session, logic: CaseLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._write = Hint(ui.caseButton)
        ui.caseButton.clicked.connect(self.write)
        say(ui.caseLabel, "")
        session.changed.connect(self.update)
        for changed in (session.fused, session.looked, session.forgotten):
            changed.connect(self._say_nothing)

    def write(self, *_: Any) -> None:
        say(self._ui.caseLabel, "")
        request = CaseRequest(
            self._session.nodes,
            Path(self._ui.caseFolderButton.directory),
            self._ui.caseAnonymiseCheck.checked,
        )
        self._session.run(TASK, self._logic.steps(request), self._on_written, self._on_error)

    def update(self) -> None:
        self._write.enable_unless(self._session.reason_no_result("report on"))

    def _say_nothing(self) -> None:
        say(self._ui.caseLabel, "")

    def _on_written(self, path: Path) -> None:
        say(self._ui.caseLabel, coloured(str(path), GOOD, "The page is written."))

    def _on_error(self, error: WDualMineError) -> None:
        say(self._ui.caseLabel, of_error(error))
