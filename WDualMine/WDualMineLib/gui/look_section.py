"""The look of the result: detail strength and correlation floor, layers and their opacity."""

from __future__ import annotations

from typing import Any

from ..errors import WDualMineError
from .messages import of_error, of_notes
from .protocols import InspectLogic, LookLogic
from .session import Session
from .widgets import Hint, say

TASK = "Changing the look"


class LookSection:
    """Sliders act on the shown slices while they are dragged, on the volume when released."""

    def __init__(self, ui: Any, session: Session, logic: LookLogic, views: InspectLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._views = views
        self._sliders = [Hint(ui.strengthSlider), Hint(ui.floorSlider)]
        self._layers, self._opacity = Hint(ui.layersCombo), Hint(ui.opacitySlider)
        for signal, slot in (
            (ui.strengthSlider.valueIsChanging, self._on_strength_changing),
            (ui.floorSlider.valueIsChanging, self._on_floor_changing),
            (ui.strengthSlider.valueChanged, self._on_changed),
            (ui.floorSlider.valueChanged, self._on_changed),
            (ui.opacitySlider.valueChanged, self._on_opacity),
            (ui.linkCheck.toggled, self._on_link),
        ):
            session.on_choice(signal, slot)
        session.changed.connect(self.update)
        session.fused.connect(self._say_nothing)
        session.forgotten.connect(self._say_nothing)

    def update(self) -> None:
        reason = ""
        if self._session.running and self._session.task != TASK:
            reason = f"{self._session.task} is running."
        elif not self._session.running:
            reason = self._logic.reason_not_possible(self._session.outcome)
        for hint in self._sliders:
            hint.enable_unless(reason)
        self._layers.enable_unless(self._session.reason_no_result("show"))
        # Before there is a result it acts on whatever the user laid over each other.
        single = self._session.nodes is not None and self._ui.layersCombo.currentIndex == 0
        self._opacity.enable_unless(
            "One layer is shown: choose two of them under “Views show”" if single else ""
        )

    def _possible(self) -> bool:
        other = self._session.running and self._session.task != TASK
        return not other and not self._logic.reason_not_possible(self._session.outcome)

    def _on_strength_changing(self, strength: float) -> None:
        # Of the signal: while it is dragged, a slider's own value is the one from before.
        self._on_changing(strength, self._ui.floorSlider.value)

    def _on_floor_changing(self, floor: float) -> None:
        self._on_changing(self._ui.strengthSlider.value, floor)

    def _on_changing(self, strength: float, floor: float) -> None:
        if not self._possible():
            return
        if self._session.outcome.result is None:
            # Of a loaded scene: it takes a moment before the first slice can follow the slider.
            if not self._session.running:
                steps = self._logic.recover_steps(self._session.outcome)
                self._session.run(TASK, steps, self._on_recovered, self._on_error)
            return
        look = self._session.outcome, strength, floor
        self._session.attempt(lambda: self._logic.show_slices(*look), self._on_error)

    def _on_changed(self, *_: Any) -> None:
        look = self._session.outcome, self._ui.strengthSlider.value, self._ui.floorSlider.value
        if not self._possible() or self._logic.is_shown(*look):
            return
        self._session.cancel()
        self._session.run(TASK, self._logic.steps(*look), self._on_done, self._on_error)

    def _on_recovered(self, outcome: Any) -> None:
        self._session.outcome = outcome
        self._say_nothing()

    def _on_done(self, outcome: Any) -> None:
        self._session.outcome = outcome
        say(self._ui.lookLabel, of_notes(outcome.result.notes))
        self._session.looked.emit()

    def _say_nothing(self) -> None:
        say(self._ui.lookLabel, "")

    def _on_error(self, error: WDualMineError) -> None:
        say(self._ui.lookLabel, of_error(error))

    def _on_opacity(self, opacity: float) -> None:
        self._views.set_opacity(opacity)

    def _on_link(self, *_: Any) -> None:
        self._views.link(self._ui.linkCheck.checked)
