"""What the panel asks of the logics that are handed to it.

Tests hand over small ones that answer at once; the module hands over those of ``scene``. Whatever
a logic raises as :class:`~..errors.WDualMineError` the panel shows; anything else is a defect,
shown as such.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ..progress import Steps
from ..scene.choices import Layers, Map


class FusionLogic(Protocol):
    """Carries out a press of Apply; see :class:`~..scene.workflow.FusionWorkflow`."""

    def steps(self, request: Any) -> Steps[Any]: ...

    def discard(self, outcome: Any) -> None: ...

    def alignment(self, fixed: Any, moving: Any) -> tuple[str, str] | None:
        """Verdict and reasons of the alignment under which two volumes lie, or None."""

    def recover(self, fused: Any) -> Any:
        """The outcome that a loaded scene holds around a fused volume, or None."""


class DependencyLogic(Protocol):
    """Knows which libraries are missing and how to get them."""

    def missing(self) -> list[str]:
        """What has to be installed, in words that users know; empty when all is there."""

    def install(self) -> None:
        """Install it; raises :class:`~..errors.WDualMineError` where that fails."""


class LookLogic(Protocol):
    """Changes a fused volume without the network; see :class:`~..scene.look.Look`."""

    def reason_not_possible(self, outcome: Any) -> str: ...

    def recover_steps(self, outcome: Any) -> Steps[Any]: ...

    def is_shown(self, outcome: Any, strength: float, correlation_floor: float) -> bool: ...

    def show_slices(self, outcome: Any, strength: float, correlation_floor: float) -> None: ...

    def steps(self, outcome: Any, strength: float, correlation_floor: float) -> Steps[Any]: ...


class InspectLogic(Protocol):
    """Arranges the views; see :class:`~..scene.inspection.Inspection`."""

    def is_prepared(self, nodes: Any) -> bool: ...

    def prepare_steps(self, nodes: Any) -> Steps[Any]: ...

    def side_by_side(self, nodes: Any) -> None: ...

    def checkerboard(self, nodes: Any, tiles: int) -> None: ...

    def reveal(self, nodes: Any, position: float) -> None: ...

    def map_overlay(self, nodes: Any, which: Map, threshold: float, opacity: float) -> None: ...

    def usual(self, nodes: Any, layers: Layers, opacity: float) -> None: ...

    def set_opacity(self, opacity: float) -> None: ...

    def link(self, linked: bool) -> None: ...


class PreviewLogic(Protocol):
    """Fuses the slice on screen; see :class:`~..scene.preview.LivePreview`."""

    def load_steps(self, request: Any) -> Steps[None]: ...

    def picture(self, request: Any) -> tuple[Path, str, str]:
        """A PNG of the fused slice, where it lies, and what must be told of the alignment."""


class MeasureLogic(Protocol):
    """Measures a result; see :class:`~..scene.measures.Measures`."""

    def steps(self, nodes: Any) -> Steps[Any]: ...

    def plot(self, metric: str) -> None: ...

    def regions(
        self, nodes: Any, segmentation: Any, roi: Any
    ) -> list[tuple[str, float, float]]: ...


class ExportLogic(Protocol):
    """Writes a result as DICOM; see :class:`~.export.DicomExport`."""

    def steps(self, request: Any) -> Steps[Any]: ...

    def add_to_database(self, exported: Any) -> None: ...
