"""From the nodes of a result to DICOM objects in a folder or in Slicer's database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...background import in_background
from ...dicom.context import Patient, SeriesContext
from ...dicom.series import FOLDERS, SeriesLabel
from ...errors import InputError, OutputError, WDualMineError
from ...pipeline.to_dicom import volumes_for_dicom
from ...progress import Progress, Steps
from ..result.node_placement import fixed_to_moving
from ..result.recovery import stored_result
from ..result.result_nodes import FIXED_ROLE, MOVING_ROLE, FusionNodes
from .database import SeriesNotFound, add_to_database, require_database, source_files

if TYPE_CHECKING:  # pydicom loads only when something is exported
    from ...dicom.export import Exported, ResultVolumes


@dataclass(frozen=True)
class ExportRequest:
    """What is exported, and as whose.

    Attributes:
        nodes: of the result.
        folder: to write into; None for Slicer's DICOM database.
        patient: for a fixed volume that was not loaded from DICOM; of another one it must not
            contradict the series.
        anonymise, allow_different_patients, parts, labels: as in
            :class:`~...dicom.export.ExportOptions`.
    """

    nodes: FusionNodes
    folder: Path | None
    patient: Patient = field(default_factory=Patient)
    anonymise: bool = False
    allow_different_patients: bool = False
    parts: Collection[str] | None = None
    labels: Mapping[str, SeriesLabel] = field(default_factory=dict)


class DicomExport:
    """Writes results as DICOM objects; see :func:`~...dicom.export.export_steps`."""

    def steps(self, request: ExportRequest) -> Steps[Exported]:
        """Write fused volume, colour, maps and registration, all or none.

        Patient, study and frame of reference come from the series that the fixed volume was loaded
        from. What is for Slicer's database lies in a folder of its own at first, which
        :meth:`add_to_database` takes in and removes.

        Raises:
            DifferentPatients: the sources are of different patients.
            WDualMineError: a library is missing, a series cannot be read or is not in the database
                any more, a patient is given that is not the series', or the folder or the database
                cannot be written.
        """
        try:
            from ...dicom.export import ExportOptions, export_steps
            from ...dicom.read import read_series
        except ModuleNotFoundError as error:
            raise WDualMineError(
                f"{error.name}, which writes DICOM, is not installed",
                f"Install {error.name} into 3D Slicer and try again",
            ) from error
        if request.folder is None:
            require_database()
        else:
            _require_free(request.folder)
        files, notes = _source_files(request)
        result = _result_of(request.nodes, any(files))
        options = ExportOptions(
            patient=request.patient,
            parts=request.parts,
            labels=request.labels,
            allow_different_patients=request.allow_different_patients,
            anonymise=request.anonymise,
        )
        folder = request.folder or Path(tempfile.mkdtemp(prefix="wdualmine-dicom-"))

        def export() -> Steps[Exported]:
            yield Progress(0.0, "Reading the source series")
            fixed, moving = (read_series(f).context if f else None for f in files)
            _require_same_patient(fixed, request.patient)
            return (yield from export_steps(result, folder, fixed, moving, options))

        try:
            exported = yield from in_background(export)
        except BaseException:
            if request.folder is None:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        exported.notes[:0] = notes
        return exported

    def add_to_database(self, exported: Exported) -> None:
        """Move what :meth:`steps` wrote for Slicer's DICOM database into it, all or nothing.

        Raises:
            OutputError: the database does not take it.
        """
        try:
            add_to_database(exported.folder, exported.instances)
        finally:
            shutil.rmtree(exported.folder, ignore_errors=True)


def _require_free(folder: Path) -> None:
    """Refuse a folder that was exported into: here nobody can be asked what may be replaced."""
    for name in FOLDERS:
        if (folder / name).exists():
            raise OutputError(
                f"{folder / name} is there already, of an earlier export",
                "Choose another folder, or remove it",
            )


def _source_files(request: ExportRequest) -> tuple[list[list[Path]], list[str]]:
    """Files of the fixed and the moving series, [] without; what the user must be told."""
    fused = request.nodes.fused
    try:
        return [source_files(fused, role) for role in (FIXED_ROLE, MOVING_ROLE)], []
    except SeriesNotFound as error:
        if not (request.patient.name and request.patient.patient_id):
            raise
        # The user gave a patient instead, as the refusal says.
        return [[], []], [f"{error.what}: the objects do not refer to it"]


def _result_of(nodes: FusionNodes, from_dicom: bool) -> ResultVolumes:
    result = stored_result(nodes)
    volumes = volumes_for_dicom(result)
    if result.record.moving_to_fixed is not None:
        return volumes
    # Of a scene that does not remember how they lay when they were fused.
    fixed, moving = (nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
    if fixed is not None and moving is not None:
        return replace(volumes, transform=fixed_to_moving(fixed, moving))
    if from_dicom:
        raise InputError(
            "A source of the result is not in the scene any more, so that nobody knows how the two "
            "were aligned",
            "Load it and apply again",
        )
    return volumes


def _require_same_patient(fixed: SeriesContext | None, given: Patient) -> None:
    """Refuse a patient that the fixed series contradicts, instead of ignoring what was typed."""
    differences = fixed.patient.differences(given) if fixed is not None else []
    if differences:
        raise InputError(
            f"The fixed series is of another patient than was given: {', '.join(differences)} "
            "differ",
            "Leave the patient empty: it is taken from the series",
        )
