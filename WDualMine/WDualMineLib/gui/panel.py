"""The panel: one section object for each part of the ``.ui``, over logics that are handed in."""

from __future__ import annotations

from typing import Any

from ..scene.application.input_watch import InputWatch
from .accessibility import name_controls
from .case_section import CaseSection
from .doubts_section import DoubtsSection
from .export_section import ExportSection
from .inputs_section import InputsSection
from .inspect_section import InspectSection
from .logics import Logics
from .look_section import LookSection
from .measure_section import MeasureSection
from .preview_section import PreviewSection
from .run_section import RunSection
from .session import Session
from .setup_section import SetupSection
from .shortcuts import Shortcuts
from .suggestion_section import SuggestionSection
from .widgets import say


class FusionPanel:
    """Behaviour of the widgets in ``ui``.

    Args:
        ui: has every named widget of ``WDualMine.ui`` as an attribute.
        logics: what the panel calls.
        session: what the sections share; tests may look into it.
    """

    def __init__(self, ui: Any, logics: Logics, session: Session | None = None) -> None:
        self.session = session or Session()
        self._fusion = logics.fusion
        self._watch = InputWatch(self.session.changed.emit)
        self.session.changed.connect(self._watch_inputs)
        self.setup = SetupSection(ui, self.session, logics.dependencies)
        self.preview = PreviewSection(ui, self.session, logics.preview)
        self.inspection = InspectSection(ui, self.session, logics.inspection)
        self.sections = (
            self.setup,
            self.preview,
            InputsSection(ui, self.session),
            RunSection(ui, self.session, logics.fusion),
            LookSection(ui, self.session, logics.look, logics.inspection),
            self.inspection,
            MeasureSection(ui, self.session, logics.measures),
            ExportSection(ui, self.session, logics.export),
            CaseSection(ui, self.session, logics.case),
        )
        self.suggestion = SuggestionSection(ui, self.session, logics.suggestion)
        self.doubts = DoubtsSection(ui, self.session, logics.doubts)
        self.shortcuts = Shortcuts(ui)
        name_controls(ui)
        for name in ("reason", "status", "preview", "look", "region", "export", "suggestion"):
            say(getattr(ui, f"{name}Label"), "")

    def set_parameters(self, parameters: Any) -> None:
        """Work on another parameter node; None while the module is not shown.

        Its widgets are connected already, within :meth:`~.session.Session.connecting`.
        """
        self.session.parameters = parameters
        if parameters is not None:
            self.setup.check()
            if self.session.nodes is None and parameters.fused is not None:
                self.session.outcome = self._fusion.recover(parameters.fused)
        self.session.changed.emit()

    def _watch_inputs(self) -> None:
        """A transform over an input, for one, is no change of a parameter."""
        p = self.session.parameters
        self._watch.watch(() if p is None else (p.fixedVolume, p.movingVolume, p.transform))

    def parameters_changed(self, *_: Any) -> None:
        """A parameter changed, in the panel or elsewhere."""
        self.session.changed.emit()

    def views_changed(self, *_: Any) -> None:
        """The user scrolled a slice view."""
        self.preview.update()

    def views_added(self, *_: Any) -> None:
        """Another layout brought slice views that were not there before."""
        self.inspection.views_added()
        self.preview.update()

    def volume_added(self, *_: Any) -> None:
        """A volume came into the scene: there may be a pair to suggest."""
        self.suggestion.volume_added()

    def scene_closing(self, *_: Any) -> None:
        """Every node is about to go: stop, and forget what refers to them."""
        self.inspection.scene_closing()
        self.session.forget()

    def close(self) -> None:
        """Stop for good."""
        self.session.cancel()
        for section in (self.doubts, self.setup, self.preview, self.inspection, self.suggestion):
            section.close()
        self._watch.watch(())
        self.session.parameters = None
