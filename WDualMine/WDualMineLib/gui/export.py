"""From the nodes of a result to DICOM files; no widget here."""

from __future__ import annotations

from pathlib import Path

from ..errors import WDualMineError
from ..progress import Progress, Steps, finish
from ..registration.background import Job, run_in_background
from ..scene.dicom_files import dicom_files
from ..scene.outputs import ATTRIBUTE, FIXED_ROLE, MOVING_ROLE, FusionNodes
from ..scene.placement import fixed_to_moving
from ..scene.volumes import volume_of

_MAPS = ("reliability_fixed", "reliability_moving", "arbitration")
_SETTINGS = ("fixed_window", "moving_window", "axis", "strength", "correlation_floor")


class DicomExport:
    """Writes results as DICOM objects; see :func:`~..dicom.export.export_steps`."""

    def steps(
        self, nodes: FusionNodes, folder: Path, name: str, patient_id: str, anonymise: bool
    ) -> Steps:
        """Write fused volume, colour, maps and registration, all or none.

        Patient, study and frame of reference come from the series that the sources were loaded
        from; without such a series ``name`` and ``patient_id`` are used.

        Raises:
            WDualMineError: a library is missing, the series cannot be read, the two are of
                different patients, or the folder cannot be written.
        """
        try:
            from ..dicom.context import Patient
            from ..dicom.export import ExportOptions, ResultVolumes, export_steps
            from ..dicom.read import read_series
        except ModuleNotFoundError as error:
            raise WDualMineError(
                f"{error.name}, which writes DICOM, is not installed",
                f"Install {error.name} into 3D Slicer and try again",
            ) from error
        fixed, moving = (nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
        both = fixed is not None and moving is not None
        result = ResultVolumes(
            volume_of(nodes.fused),
            {name: volume_of(getattr(nodes, name)) for name in _MAPS},
            volume_of(nodes.colour) if nodes.colour is not None else None,
            fixed_to_moving(fixed, moving) if both else None,
            {key: nodes.fused.GetAttribute(ATTRIBUTE + key) for key in _SETTINGS},
        )
        files = [dicom_files(node) for node in (fixed, moving)]
        options = ExportOptions(Patient(patient_id=patient_id, name=name), anonymise=anonymise)

        def work(job: Job):
            def report(progress: Progress) -> None:
                job.report(progress.fraction, progress.message)

            job.report(0.0, "Reading the source series")
            contexts = [read_series(found).context if found else None for found in files]
            return finish(export_steps(result, folder, *contexts, options), report)

        return (yield from run_in_background(work))
