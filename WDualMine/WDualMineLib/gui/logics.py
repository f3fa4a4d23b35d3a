"""The logics that the panel works with, and the real ones for a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..scene.application.defaults import Suggestions
from ..scene.application.dependencies import Dependencies
from ..scene.dicom.object_export import DicomExport
from ..scene.result.case_page import CasePage
from ..scene.result.doubt_list import DoubtList
from ..scene.result.look import Look
from ..scene.result.measuring import Measures
from ..scene.result.recovery import Results
from ..scene.result.workflow import FusionWorkflow
from ..scene.views.borrowed import Borrowed
from ..scene.views.inspection import Inspection
from ..scene.views.live_preview import LivePreview
from .protocols import (
    CaseLogic,
    DependencyLogic,
    DoubtLogic,
    ExportLogic,
    FusionLogic,
    InspectLogic,
    LookLogic,
    MeasureLogic,
    PreviewLogic,
    SuggestionLogic,
)


@dataclass(frozen=True)
class Logics:
    """Everything that the panel does not do itself."""

    fusion: FusionLogic
    dependencies: DependencyLogic
    preview: PreviewLogic
    look: LookLogic
    inspection: InspectLogic
    measures: MeasureLogic
    export: ExportLogic
    suggestion: SuggestionLogic
    doubts: DoubtLogic
    case: CaseLogic


def logics_for(scene: Any) -> Logics:
    """Those that work on ``scene``; they share what is known of its results, and what they changed
    of the user's window."""
    results, borrowed = Results(), Borrowed()
    return Logics(
        FusionWorkflow(scene, results),
        Dependencies(),
        LivePreview(scene),
        Look(scene, results),
        Inspection(scene, results, borrowed),
        Measures(scene, results, borrowed),
        DicomExport(),
        Suggestions(scene),
        DoubtList(scene),
        CasePage(results),
    )
