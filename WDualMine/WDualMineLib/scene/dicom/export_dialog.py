"""What Slicer's DICOM export dialog is offered, and how its answer is carried out.

The dialog shows tags of each series, which the user may edit. Series number and description are
taken as they come back. Patient and study are those of the fixed series; what the user types there
counts for volumes that were not loaded from DICOM, and must not contradict the series otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from ...dicom.context import Patient
from ...dicom.identity import DifferentPatients
from ...dicom.series import SeriesLabel
from ...errors import InputError
from ...pipeline.parts import BY_NAME
from ...progress import finish
from ..result.result_nodes import FIXED_ROLE, MOVING_ROLE, OUTPUT, FusionNodes, results_in
from ..result.volume_nodes import modality_of
from .object_export import DicomExport, ExportRequest


@dataclass(frozen=True)
class ExportablePart:
    """One volume of a result.

    Attributes:
        item: of the subject hierarchy.
        part: by the names of :class:`~.outputs.FusionNodes`.
        nodes: of the whole result.
    """

    item: int
    part: str
    nodes: FusionNodes

    @property
    def modalities(self) -> tuple[str, str]:
        """Of the fixed and the moving source as DICOM names them, "" where unknown."""
        sources = (self.nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
        fixed, moving = (modality_of(source) if source is not None else "" for source in sources)
        return fixed, moving


def parts_at(scene: slicer.vtkMRMLScene, item: int) -> list[ExportablePart]:
    """What an export of ``item`` consists of.

    The fused volume stands for its whole result, as far as it lies beside it, and so does the
    folder of both; a map or a volume in colour stands for itself. [] for everything else.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    for nodes in results_in(scene):
        parts = [
            ExportablePart(hierarchy.GetItemByDataNode(node), node.GetAttribute(OUTPUT), nodes)
            for node in nodes.all()
        ]
        whole, folder = parts[0], hierarchy.GetItemParent(parts[0].item)
        is_folder = item == folder and hierarchy.GetItemDataNode(item) is None
        if item == whole.item or (is_folder and item != hierarchy.GetSceneItemID()):
            return [part for part in parts if hierarchy.GetItemParent(part.item) == folder]
        if alone := [part for part in parts if part.item == item]:
            return alone
    return []


def part_of_item(scene: slicer.vtkMRMLScene, item: int) -> ExportablePart:
    """The volume at ``item`` itself.

    Raises:
        InputError: it belongs to no result, or its result is not complete any more.
    """
    found = [part for part in parts_at(scene, item) if part.item == item]
    if not found:
        raise InputError(
            "The volume is no part of a result of WDualMine any more",
            "Apply again, or export it as another kind of object",
        )
    return found[0]


@dataclass(frozen=True)
class Offer:
    """One series that can be exported: its item in the subject hierarchy, and tags to edit."""

    item: int
    tags: dict[str, str]


def offers_for(scene: Any, item: int) -> list[Offer]:
    """The series that an item of the subject hierarchy stands for; [] if it is no result."""
    return [
        Offer(part.item, _tags(BY_NAME[part.part].series.default_label(*part.modalities)))
        for part in parts_at(scene, item)
    ]


def export_now(scene: Any, exportables: Sequence[Any]) -> list[str]:
    """Write what the dialog hands back, and wait; returns what the user must be told.

    Args:
        scene: with the results.
        exportables: of ``qSlicerDICOMExportable``, with directory and edited tags.

    Raises:
        WDualMineError: see :meth:`~.object_export.DicomExport.steps`.
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
                "Choose two series of one patient, or export from the panel of WDualMine, which "
                "anonymises such a result",
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
