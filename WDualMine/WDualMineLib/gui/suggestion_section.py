"""What the module would fuse, said as soon as two volumes are there: one press of Apply is left."""

from __future__ import annotations

from typing import Any

import qt

from .messages import QUIET, coloured
from .protocols import SuggestionLogic
from .session import Session
from .widgets import say

# Volumes that are dropped together come one after the other, and get their modality after that.
_REST_MS = 300


class SuggestionSection:
    """Chooses for a user who has chosen nothing, and says so."""

    def __init__(self, ui: Any, session: Session, logic: SuggestionLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._suggested: tuple[Any, Any] | None = None
        self._timer = qt.QTimer()
        self._timer.interval = _REST_MS
        self._timer.timeout.connect(self._on_rest)
        session.changed.connect(self.update)
        session.forgotten.connect(self._forget)

    def close(self) -> None:
        """Whatever was to be suggested is not any more."""
        self._timer.stop()

    def volume_added(self) -> None:
        """A volume came into the scene while the module is open."""
        self._timer.start()

    def tell(self, suggested: tuple[Any, Any, Any] | None) -> None:
        """Say what was chosen for the user; None says nothing new."""
        if suggested is None:
            return
        fixed, moving, pair = suggested
        self._suggested = fixed, moving
        text = (
            f"{fixed.GetName()} keeps its grid, {moving.GetName()} is fused into it: "
            f"{pair.label()}. Press Apply, or choose otherwise above."
        )
        say(self._ui.suggestionLabel, coloured(text, QUIET, "Suggested"))

    def update(self) -> None:
        """Once something else is chosen, or there is a result, nothing is suggested any more."""
        parameters = self._session.parameters
        if parameters is None or self._suggested is None:
            return
        chosen = parameters.fixedVolume, parameters.movingVolume
        if self._session.nodes is not None or any(
            a is not b for a, b in zip(chosen, self._suggested, strict=True)
        ):
            self._forget()

    def _forget(self) -> None:
        self._timer.stop()
        self._suggested = None
        say(self._ui.suggestionLabel, "")

    def _on_rest(self) -> None:
        self._timer.stop()
        parameters = self._session.parameters
        if parameters is not None and not self._session.running:
            self.tell(self._logic.suggest(parameters))
