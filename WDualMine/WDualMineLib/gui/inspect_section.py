"""Inspect: arrangements of the views in which a fusion can be judged."""

from __future__ import annotations

from typing import Any

import qt

from ..errors import WDualMineError
from ..pipeline.parts import BY_NAME
from ..scene.application.choices import Layers, Map
from .messages import of_error
from .protocols import InspectLogic
from .session import Session
from .widgets import Hint, say

TASK = "Preparing the views"
_NO_THRESHOLD = "This map needs no threshold: its colours say all of it"


class InspectSection:
    """One arrangement at a time; its sliders are on only while it is shown."""

    def __init__(self, ui: Any, session: Session, logic: InspectLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._shown = ""
        self._failed = False
        self._buttons = {
            "side by side": ui.sideBySideButton,
            "checkerboard": ui.checkerboardButton,
            "reveal": ui.revealButton,
            "map": ui.mapButton,
        }
        self._actions = {
            "side by side": self._side_by_side,
            "checkerboard": self._checkerboard,
            "reveal": self._reveal,
            "map": self._map,
        }
        self._hints = [Hint(button) for button in (*self._buttons.values(), ui.normalLayoutButton)]
        self._controls = {
            "checkerboard": [Hint(ui.tilesSlider)],
            "reveal": [Hint(ui.revealSlider)],
            "map": [Hint(ui.mapCombo), Hint(ui.mapOpacitySlider)],
        }
        self._threshold = Hint(ui.mapThresholdSlider)
        for name, button in self._buttons.items():
            button.clicked.connect(self._actions[name])
        for signal, name in (
            (ui.tilesSlider.valueChanged, "checkerboard"),
            (ui.revealSlider.valueChanged, "reveal"),
            (ui.mapThresholdSlider.valueChanged, "map"),
            (ui.mapOpacitySlider.valueChanged, "map"),
            (ui.mapCombo.currentIndexChanged, "map"),
        ):
            session.on_choice(signal, lambda *_, name=name: self._repeat(name))
        ui.normalLayoutButton.clicked.connect(self._usual)
        session.on_choice(ui.layersCombo.currentIndexChanged, self._usual)
        self._timer = qt.QTimer()
        self._timer.interval = 0
        self._timer.timeout.connect(self._on_time)
        self._renewed = False
        session.fused.connect(self._on_result)
        session.changed.connect(self.update)

    def update(self) -> None:
        reason = self._session.reason_no_result("inspect")
        if self._session.nodes is None:
            self._shown = ""
        for hint in self._hints:
            hint.enable_unless(reason)
        for name, button in self._buttons.items():
            button.checked = name == self._shown
        for name, hints in self._controls.items():
            for hint in hints:
                hint.enable_unless(reason or self._reason_not_shown(name))
        everywhere = BY_NAME[self._map_chosen().name.lower()].shown_from is None
        off = reason or self._reason_not_shown("map")
        self._threshold.enable_unless(off or (_NO_THRESHOLD if everywhere else ""))

    def views_added(self) -> None:
        """A layout brought new views; they are complete once the present event is over."""
        self._timer.start()

    def _on_result(self) -> None:
        """The views are drawn once the application has dealt with the new nodes."""
        self._renewed = True
        self._timer.start()

    def close(self) -> None:
        """Whatever was to be put into the views is left."""
        self._timer.stop()

    def _on_time(self) -> None:
        self._timer.stop()
        renewed, self._renewed = self._renewed, False
        if not renewed:
            self._on_views_added()
        elif self._session.nodes is not None:
            self._on_fused()

    def _on_views_added(self) -> None:
        nodes = self._session.nodes
        if nodes is None:
            return
        failures: list[WDualMineError] = []
        linked = self._ui.linkCheck.checked
        filled = self._session.attempt(
            lambda: self._logic.views_added(nodes, linked), failures.append
        )
        if not filled and not failures:
            self._on_fused()

    def scene_closing(self) -> None:
        """The views are the user's again; now, for after it the layout of now is put back."""
        self._session.attempt(self._logic.leave, lambda _: None)

    def _on_fused(self) -> None:
        """Show the result as the views were arranged, or as the layers that were chosen."""
        self._logic.link(self._ui.linkCheck.checked)
        self._actions.get(self._shown, self._usual)()
        if self._failed:  # a map that this result lacks: nothing of another one may stay in view
            self._usual()

    def _reason_not_shown(self, name: str) -> str:
        return "" if name == self._shown else f"Only while “{name}” is shown"

    def _map_chosen(self) -> Map:
        # Of the widget: it tells of a change before the parameter node knows of it.
        return list(Map)[max(self._ui.mapCombo.currentIndex, 0)]

    def _side_by_side(self, *_: Any) -> None:
        self._show("side by side", lambda nodes: self._logic.side_by_side(nodes))

    def _checkerboard(self, *_: Any) -> None:
        tiles = round(self._ui.tilesSlider.value)
        self._compare("checkerboard", lambda nodes: self._logic.checkerboard(nodes, tiles))

    def _reveal(self, *_: Any) -> None:
        position = self._ui.revealSlider.value
        self._compare("reveal", lambda nodes: self._logic.reveal(nodes, position))

    def _map(self, *_: Any) -> None:
        which = self._map_chosen()
        threshold, opacity = self._ui.mapThresholdSlider.value, self._ui.mapOpacitySlider.value
        self._show("map", lambda nodes: self._logic.map_overlay(nodes, which, threshold, opacity))

    def _usual(self, *_: Any) -> None:
        layers = list(Layers)[max(self._ui.layersCombo.currentIndex, 0)]
        opacity = self._ui.opacitySlider.value
        self._show("", lambda nodes: self._logic.usual(nodes, layers, opacity))

    def _repeat(self, name: str) -> None:
        if self._shown == name:
            self._actions[name]()

    def _compare(self, name: str, action: Any) -> None:
        """Show a comparison of the sources, which have to be brought to one grid first."""
        nodes = self._session.nodes
        if nodes is None or self._session.running:
            return
        prepared = self._session.attempt(lambda: self._logic.is_prepared(nodes), self._on_error)
        if prepared is None:
            return
        if prepared:
            self._show(name, action)
            return
        steps = self._logic.prepare_steps(nodes)
        self._session.run(TASK, steps, lambda _: self._show(name, action), self._on_error)

    def _on_error(self, error: WDualMineError) -> None:
        self._shown, self._failed = "", True
        self.update()
        say(self._ui.statusLabel, of_error(error))

    def _show(self, name: str, action: Any) -> None:
        nodes = self._session.nodes
        if nodes is None:
            return
        failures: list[WDualMineError] = []
        self._session.attempt(lambda: action(nodes), failures.append)
        self._shown = "" if failures else name
        self.update()
        if failures or self._failed:
            say(self._ui.statusLabel, of_error(failures[0]) if failures else "")
        self._failed = bool(failures)
