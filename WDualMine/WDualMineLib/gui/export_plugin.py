"""What Slicer's DICOM export dialog is offered, and how its answer is carried out; no widget here.

The dialog shows tags of each series, which the user may edit. Series number and description are
taken as they come back. Patient and study are those of the fixed series; what the user types there
counts for volumes that were not loaded from DICOM, and must not contradict the series otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dicom.context import Patient
from ..dicom.identity import DifferentPatients
from ..dicom.series import SeriesLabel, default_labels
from ..errors import InputError
from ..progress import finish
from ..scene.exportables import ExportablePart, part_of_item, parts_at
from .export import DicomExport, ExportRequest


@dataclass(frozen=True)
class Offer:
    """One series that can be exported: its item in the subject hierarchy, and tags to edit."""

    item: int
    tags: dict[str, str]


def offers_for(scene: Any, item: int) -> list[Offer]:
    """The series that an item of the subject hierarchy stands for; [] if it is no result."""
    return [
        Offer(part.item, _tags(default_labels(*part.modalities)[part.part]))
        for part in parts_at(scene, item)
    ]


def export_now(scene: Any, exportables: Sequence[Any]) -> list[str]:
    """Write what the dialog hands back, and wait; returns what the user must be told.

    Args:
        scene: with the results.
        exportables: of ``qSlicerDICOMExportable``, with directory and edited tags.

    Raises:
        WDualMineError: see :meth:`~.export.DicomExport.steps`.
    """
    notes = []
    found = [(part_of_item(scene, e.subjectHierarchyItemID), e) for e in exportables]
    for fused in {part.nodes.fused.GetID(): None for part, _ in found}:
        of_result = [(p, e) for p, e in found if p.nodes.fused.GetID() == fused]
        try:
            exported = finish(DicomExport().steps(_request(of_result)))
        except DifferentPatients as error:
            raise DifferentPatients(
                error.what,
                "Check that both are the same person; if so, export from the panel of WDualMine, "
                "which asks",
            ) from error
        notes += exported.notes
    return notes


def _request(found: list[tuple[ExportablePart, Any]]) -> ExportRequest:
    part, exportable = found[0]
    parts = {part.part for part, _ in found}
    if "fused" in parts:
        parts.add("registration")
    return ExportRequest(
        nodes=part.nodes,
        # A folder of its own, as other plugins make: from the folder itself the dialog removes the
        # files when it exports into the database, which only refers to them.
        folder=Path(exportable.directory) / f"WDualMine_{part.item}",
        patient=Patient(
            patient_id=_tag(exportable, "PatientID"),
            name=_tag(exportable, "PatientName"),
            birth_date=_tag(exportable, "PatientBirthDate"),
            sex=_tag(exportable, "PatientSex"),
        ),
        parts=parts,
        labels={part.part: _label(exportable) for part, exportable in found},
    )


def _tags(label: SeriesLabel) -> dict[str, str]:
    return {"SeriesDescription": label.description, "SeriesNumber": str(label.number)}


def _label(exportable: Any) -> SeriesLabel:
    number = _tag(exportable, "SeriesNumber")
    if not number.isdecimal():
        raise InputError(f"The series number {number!r} is none", "Give a whole number")
    return SeriesLabel(int(number), _tag(exportable, "SeriesDescription"))


def _tag(exportable: Any, name: str) -> str:
    return (exportable.tag(name) or "").strip()
