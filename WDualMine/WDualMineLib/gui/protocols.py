"""What the panel asks of the logics that are handed to it.

Tests hand over small ones that answer at once; :func:`~.logics.logics_for` hands over those of
``scene``, where the type checker holds them against these protocols. Whatever a logic raises as
:class:`~..errors.WDualMineError` the panel shows; anything else is a defect, shown as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..progress import Steps

if TYPE_CHECKING:  # what is only named here need not be loaded with the panel
    from pathlib import Path

    from ..dicom.export import Exported
    from ..pipeline.doubts import Doubt
    from ..quality.volume_measures import VolumeMeasures
    from ..scene.application.choices import Layers, Map
    from ..scene.dicom.object_export import ExportRequest
    from ..scene.result.case_page import CaseRequest
    from ..scene.result.requests import SceneRequest
    from ..scene.result.result_nodes import FusionNodes
    from ..scene.result.workflow import Outcome
    from ..scene.views.live_preview import PreviewPicture


class FusionLogic(Protocol):
    """Carries out a press of Apply; see :class:`~..scene.result.workflow.FusionWorkflow`."""

    def steps(self, request: SceneRequest) -> Steps[Outcome]: ...

    def discard(self, outcome: Outcome) -> None: ...

    def alignment(self, fixed: Any, moving: Any) -> tuple[str, str] | None:
        """Verdict and reasons of the alignment under which two volumes lie, or None."""

    def recover(self, fused: Any) -> Outcome | None:
        """The outcome that a loaded scene holds around a fused volume, or None."""


class SuggestionLogic(Protocol):
    """Chooses for a user who chose nothing; see :class:`~..scene.application.defaults`."""

    def suggest(self, parameters: Any) -> tuple[Any, Any, Any] | None:
        """(fixed, moving, preset) that it chose, None where it left everything as it was."""


class DoubtLogic(Protocol):
    """Lists doubtful regions; see :class:`~..scene.result.doubt_list.DoubtList`."""

    def steps(self, nodes: FusionNodes) -> Steps[list[Doubt]]: ...

    def show(self, nodes: FusionNodes, doubt: Doubt) -> None: ...


class CaseLogic(Protocol):
    """Writes the page of a case; see :class:`~..scene.result.case_page.CasePage`."""

    def steps(self, request: CaseRequest) -> Steps[Path]: ...


class DependencyLogic(Protocol):
    """Knows which libraries are missing and how to get them."""

    def missing(self) -> list[str]:
        """What has to be installed, in words that users know; empty when all is there."""
        ...

    def install_steps(self) -> Steps[None]:
        """Install it; raises :class:`~..errors.WDualMineError` where that fails."""
        ...

    def preload_steps(self) -> Steps[None]:
        """Load what takes long to load, in the background."""
        ...


class LookLogic(Protocol):
    """Changes a fused volume without the network; see :class:`~..scene.result.look.Look`."""

    def reason_not_possible(self, outcome: Outcome | None) -> str: ...

    def recover_steps(self, outcome: Outcome) -> Steps[Outcome]: ...

    def is_shown(self, outcome: Outcome, strength: float, correlation_floor: float) -> bool: ...

    def show_slices(self, outcome: Outcome, strength: float, correlation_floor: float) -> None: ...

    def steps(
        self, outcome: Outcome, strength: float, correlation_floor: float
    ) -> Steps[Outcome]: ...


class InspectLogic(Protocol):
    """Arranges the views; see :class:`~..scene.views.inspection.Inspection`."""

    def is_prepared(self, nodes: FusionNodes) -> bool: ...

    def prepare_steps(self, nodes: FusionNodes) -> Steps[Any]: ...

    def side_by_side(self, nodes: FusionNodes) -> None: ...

    def checkerboard(self, nodes: FusionNodes, tiles: int) -> None: ...

    def reveal(self, nodes: FusionNodes, position: float) -> None: ...

    def map_overlay(
        self, nodes: FusionNodes, which: Map, threshold: float, opacity: float
    ) -> None: ...

    def usual(self, nodes: FusionNodes, layers: Layers, opacity: float) -> None: ...

    def views_added(self, nodes: FusionNodes, linked: bool) -> bool: ...

    def leave(self) -> None: ...

    def set_opacity(self, opacity: float) -> None: ...

    def link(self, linked: bool) -> None: ...


class PreviewLogic(Protocol):
    """Fuses the slice on screen; see :class:`~..scene.views.live_preview.LivePreview`."""

    def load_steps(self, request: SceneRequest) -> Steps[None]: ...

    def picture(self, request: SceneRequest) -> PreviewPicture: ...


class MeasureLogic(Protocol):
    """Measures a result; see :class:`~..scene.result.measuring.Measures`."""

    def steps(self, nodes: FusionNodes) -> Steps[VolumeMeasures]: ...

    def plot(self, metric: str) -> None: ...

    def regions(
        self, nodes: FusionNodes, segmentation: Any, roi: Any
    ) -> list[tuple[str, float, float]]: ...


class ExportLogic(Protocol):
    """Writes a result as DICOM; see :class:`~..scene.dicom.object_export.DicomExport`."""

    def steps(self, request: ExportRequest) -> Steps[Exported]: ...

    def add_to_database(self, exported: Exported) -> None: ...
