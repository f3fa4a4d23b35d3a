"""The page of a case from the nodes of a result: sources, verdict, measures and patient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ...background import Job, in_background, run_in_background
from ...pipeline.anonymous import anonymous
from ...pipeline.result import Result
from ...progress import Steps, scaled
from ...registration.registration_result import Verdict
from .dicom_origin import patient_of
from .node_placement import alignment_between
from .recovery import Results, source_in
from .result_nodes import FIXED_ROLE, MOVING_ROLE, FusionNodes

_NAME = "wdualmine-case"
_MEASURING = 0.8  # share of the progress bar


@dataclass(frozen=True)
class CaseRequest:
    """What page is wanted.

    Attributes:
        nodes: of the result.
        folder: where it goes, under a name that is free and tells nothing of the patient.
        anonymise: whether patient, names and paths are left out.
    """

    nodes: FusionNodes
    folder: Path
    anonymise: bool = False


class CasePage:
    """Writes the page as PDF."""

    def __init__(self, results: Results | None = None) -> None:
        self._results = results or Results()

    def steps(self, request: CaseRequest) -> Steps[Path]:
        """Measure the result and write its page; returns the file.

        Raises:
            InputError: a source is not in the scene any more, or is not what it was.
            OutputError: the folder cannot be written.
        """
        result = yield from self._results.steps(request.nodes)
        result = _with_what_the_scene_knows(result, request.nodes)
        measuring = in_background(result.measure_steps)
        measures = yield from scaled(measuring, 0.0, _MEASURING)
        result = result.with_measures(measures)
        if request.anonymise:
            result = anonymous(result, ())
        path = _free_name(request.folder)

        def work(job: Job) -> Path:
            # Here and not above: Pillow is needed by nothing else in the panel.
            from ...casereport.case_file import write_case

            job.report(_MEASURING, "Writing the page")
            request.folder.mkdir(parents=True, exist_ok=True)
            return write_case(result, path)

        return (yield from run_in_background(work))


def _with_what_the_scene_knows(result: Result, nodes: FusionNodes) -> Result:
    """Whose the sources are, and the verdict of an earlier session's alignment."""
    fixed, moving = (source_in(nodes, role) for role in (FIXED_ROLE, MOVING_ROLE))
    record, alignment = result.record, result.alignment
    record = replace(
        record,
        fixed=replace(record.fixed, patient=record.fixed.patient or patient_of(fixed)),
        moving=replace(record.moving, patient=record.moving.patient or patient_of(moving)),
    )
    known = alignment_between(fixed, moving)
    if alignment.verdict is None and known is not None and known[0]:
        reasons = (known[1],) if known[1] else ()
        alignment = replace(alignment, verdict=Verdict(known[0]), reasons=reasons)
    return replace(result, record=record, alignment=alignment)


def _free_name(folder: Path) -> Path:
    number, path = 1, folder / f"{_NAME}.pdf"
    while path.exists():
        number += 1
        path = folder / f"{_NAME}-{number}.pdf"
    return path
