"""Export of the result as DICOM objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..dicom.context import Patient
from ..dicom.identity import DifferentPatients
from ..errors import WDualMineError
from ..scene.application.choices import ExportTarget
from ..scene.dicom.object_export import ExportRequest
from .messages import GOOD, coloured, of_error, of_notes
from .protocols import ExportLogic
from .session import Session
from .widgets import Hint, say

_PERMISSION = (
    "Choose two series of one patient; where they are meant to be of two, tick the box above and "
    "export again, which anonymises the objects"
)


class ExportSection:
    """Where to, identity where the sources carry none, and the button."""

    def __init__(self, ui: Any, session: Session, logic: ExportLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._export = Hint(ui.exportButton)
        self._into_database = False
        self._adding = False
        self._asked_about: Any = None
        ui.exportButton.toolTip = ""
        ui.exportButton.clicked.connect(self.export)
        session.changed.connect(self.update)
        session.fused.connect(self._say_nothing)
        session.forgotten.connect(self._say_nothing)

    def export(self, *_: Any) -> None:
        """Write fused volume, colour, maps and registration, all or none."""
        say(self._ui.exportLabel, "")
        ui, into_database = self._ui, self._chosen_database()
        request = ExportRequest(
            nodes=self._session.nodes,
            folder=None if into_database else Path(ui.exportFolderButton.directory),
            patient=Patient(patient_id=ui.patientIdEdit.text, name=ui.patientNameEdit.text),
            anonymise=ui.anonymiseCheck.checked or ui.differentPatientsCheck.checked,
            allow_different_patients=ui.differentPatientsCheck.checked,
        )
        self._into_database = into_database
        self._session.run("Export", self._logic.steps(request), self._on_exported, self._on_error)

    def update(self) -> None:
        into_database = self._chosen_database()
        for widget in (self._ui.exportFolderButton, self._ui.exportSectionFormLabel0):
            widget.visible = not into_database
        if self._session.nodes is not self._asked_about:
            self._ask_about(None)
        reason = self._session.reason_no_result("export")
        if self._adding:
            reason = "DICOM objects are being added to Slicer's database."
        self._export.enable_unless(reason)
        if not reason:
            where = "Slicer's DICOM database" if into_database else "the folder"
            self._ui.exportButton.toolTip = f"Write DICOM objects into {where}"

    def _say_nothing(self) -> None:
        say(self._ui.exportLabel, "")

    def _chosen_database(self) -> bool:
        parameters = self._session.parameters
        return parameters is not None and parameters.exportTarget is ExportTarget.DATABASE

    def _ask_about(self, nodes: Any) -> None:
        """Offer to export ``nodes`` although their patients differ; None withdraws the offer.

        It is made after a refusal only, and for that result only: nobody is to tick it in advance.
        """
        self._asked_about = nodes
        self._ui.differentPatientsCheck.checked = False
        self._ui.differentPatientsCheck.visible = nodes is not None

    def _on_exported(self, exported: Any) -> None:
        count = len(exported.files)
        if self._into_database:
            # Not one of the steps: Slicer's importer runs an event loop of its own meanwhile.
            say(self._ui.exportLabel, f"Adding {count} DICOM objects to Slicer's database ...")
            self._adding = True
            self.update()
            failures: list[WDualMineError] = []
            self._session.attempt(lambda: self._logic.add_to_database(exported), failures.append)
            self._adding = False
            self.update()
            if failures:
                self._on_error(failures[0])
                return
            text = f"Module DICOM, patient {exported.patient}"
            title = f"{count} DICOM objects are in Slicer's database."
        else:
            text, title = str(exported.folder), f"{count} DICOM files written."
        self._ask_about(None)
        notes = of_notes(exported.notes)
        done = coloured(text, GOOD, title)
        say(self._ui.exportLabel, f"{done}<br/>{notes}" if notes else done)

    def _on_error(self, error: WDualMineError) -> None:
        if isinstance(error, DifferentPatients):
            self._ask_about(self._session.nodes)
            error = DifferentPatients(error.what, _PERMISSION)
        say(self._ui.exportLabel, of_error(error))
