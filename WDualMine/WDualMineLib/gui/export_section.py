"""Export of the result as DICOM objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import WDualMineError
from .messages import GOOD, coloured, of_error, of_notes
from .protocols import ExportLogic
from .session import Session
from .widgets import Hint, say


class ExportSection:
    """Folder, identity where the sources carry none, and the button."""

    def __init__(self, ui: Any, session: Session, logic: ExportLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._export = Hint(ui.exportButton)
        ui.exportButton.toolTip = ""
        ui.exportButton.clicked.connect(self.export)
        session.changed.connect(self.update)

    def export(self, *_: Any) -> None:
        """Write fused volume, colour, maps and registration into the folder."""
        say(self._ui.exportLabel, "")
        steps = self._logic.steps(
            self._session.nodes,
            Path(self._ui.exportFolderButton.directory),
            self._ui.patientNameEdit.text,
            self._ui.patientIdEdit.text,
            self._ui.anonymiseCheck.checked,
        )
        self._session.run("Export", steps, self._on_exported, self._on_error)

    def update(self) -> None:
        reason = self._session.reason_no_result("export")
        self._export.enable_unless(reason)
        if not reason:
            self._ui.exportButton.toolTip = "Write DICOM files into the folder"

    def _on_exported(self, exported: Any) -> None:
        done = coloured(str(exported.folder), GOOD, f"{len(exported.files)} DICOM files written.")
        notes = of_notes(exported.notes)
        say(self._ui.exportLabel, f"{done}<br/>{notes}" if notes else done)

    def _on_error(self, error: WDualMineError) -> None:
        say(self._ui.exportLabel, of_error(error))
