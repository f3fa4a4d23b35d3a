"""Live preview: the slice on screen, fused as the user scrolls, before anything is applied."""

from __future__ import annotations

from typing import Any

import qt

from ..errors import WDualMineError
from .messages import QUIET, coloured, of_error, of_notes
from .protocols import PreviewLogic
from .session import Session
from .widgets import Hint, say

# While the user scrolls, a slice is fused when the views rest for this long.
_REST_MS = 15


class PreviewSection:
    """Shows one fused slice in the panel; the scene is not touched."""

    def __init__(self, ui: Any, session: Session, logic: PreviewLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._loaded = False
        self._check = Hint(ui.livePreviewCheck)
        self._timer = qt.QTimer()
        self._timer.interval = _REST_MS
        self._timer.timeout.connect(self._show)
        session.on_choice(ui.livePreviewCheck.toggled, self._on_toggled)
        session.changed.connect(self.update)
        session.forgotten.connect(self._show_nothing)

    def update(self) -> None:
        """Something changed that the preview shows: parameters, or the position of a view."""
        reason = self._session.reason_not_ready()
        self._check.enable_unless("" if self._ui.livePreviewCheck.checked else reason)
        if self._wanted() and not reason:
            self._timer.start()
        elif not self._ui.livePreviewCheck.checked:
            self._show_nothing()

    def close(self) -> None:
        """Whatever was to be shown is not shown any more."""
        self._timer.stop()

    def _wanted(self) -> bool:
        return self._session.parameters is not None and self._ui.livePreviewCheck.checked

    def _on_toggled(self, *_: Any) -> None:
        if self._wanted():
            self._ui.previewSection.collapsed = False
            self.update()
        else:
            self._show_nothing()

    def _show_nothing(self) -> None:
        self._timer.stop()
        self._show_picture(None)
        say(self._ui.previewLabel, "")

    def _show_picture(self, pixmap: Any) -> None:
        """A label without a picture takes the room of one line."""
        if pixmap is None:
            self._ui.previewImage.clear()
        else:
            self._ui.previewImage.pixmap = pixmap
        self._ui.previewImage.visible = pixmap is not None

    def _show(self) -> None:
        self._timer.stop()
        if not self._wanted() or self._session.running:
            return
        request = self._session.attempt(self._session.request, self._on_error)
        if request is None:
            return
        if not self._loaded:
            # Loading PyTorch and the network takes seconds, once.
            self._session.run(
                "Loading the network", self._logic.load_steps(request), self._on_loaded,
                self._on_error,
            )  # fmt: skip
            return
        found = self._session.attempt(lambda: self._logic.picture(request), self._on_error)
        if found is not None:
            self._show_picture(qt.QPixmap(str(found.path)))
            notes = [note for note in (found.warning, *found.notes) if note]
            lines = [coloured(found.place, QUIET), *([of_notes(notes)] if notes else [])]
            say(self._ui.previewLabel, "<br/>".join(lines))

    def _on_loaded(self, _: Any) -> None:
        self._loaded = True

    def _on_error(self, error: WDualMineError) -> None:
        self._show_picture(None)
        say(self._ui.previewLabel, of_error(error))
