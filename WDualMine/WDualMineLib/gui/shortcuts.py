"""Keys for layouts and maps, while the module's panel is on screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt

from ..pipeline.parts import BY_NAME
from ..scene.application.choices import Map

KEYS = {
    "Alt+1": "Back to the usual views",
    "Alt+2": "Side by side",
    "Alt+3": "Checkerboard",
    "Alt+4": "Reveal",
    "Alt+5": "Map: suspected faults",
    "Alt+6": "Map: arbitration",
    "Alt+7": "Map: share of the fixed volume",
    "Alt+0": "What the views show: fused, fused over fixed, moving over fixed",
}
"""What each key does. Slicer itself uses neither; digits have no mnemonics in its menus."""


class Shortcuts:
    """Presses the panel's own buttons, so that a key does what a click does, or nothing."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        actions: dict[str, Callable[[], None]] = {
            "Alt+1": lambda: _click(ui.normalLayoutButton),
            "Alt+2": lambda: _click(ui.sideBySideButton),
            "Alt+3": lambda: _click(ui.checkerboardButton),
            "Alt+4": lambda: _click(ui.revealButton),
            "Alt+5": lambda: self._map("reliability_fixed"),
            "Alt+6": lambda: self._map("arbitration"),
            "Alt+7": lambda: self._map("share"),
            "Alt+0": self._next_layers,
        }
        self.shortcuts = {key: self._bind(key, action) for key, action in actions.items()}

    def _bind(self, key: str, action: Callable[[], None]) -> Any:
        # Of the window, so that they act while the mouse is in a view; and of a widget of the
        # panel, so that they are silent while another module is shown. A section that is folded
        # is shown, its children are not.
        shortcut = qt.QShortcut(qt.QKeySequence(key), self._ui.inspectSection)
        shortcut.activated.connect(action)
        return shortcut

    def _map(self, name: str) -> None:
        if not self._ui.mapButton.enabled:
            return
        names = [BY_NAME[member.name.lower()].name for member in Map]
        self._ui.mapCombo.currentIndex = names.index(name)
        if not self._ui.mapButton.checked:
            _click(self._ui.mapButton)

    def _next_layers(self) -> None:
        combo = self._ui.layersCombo
        if combo.enabled and combo.count:
            combo.currentIndex = (combo.currentIndex + 1) % combo.count


def _click(button: Any) -> None:
    if button.enabled:
        button.click()
