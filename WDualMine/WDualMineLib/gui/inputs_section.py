"""Inputs, registration and outputs: what is chosen, and which choices count at the moment."""

from __future__ import annotations

from typing import Any

from ..scene.application.choices import Colour, Registration, WindowChoice
from ..scene.application.defaults import use_pair
from .session import Session
from .widgets import Hint


class InputsSection:
    """Keeps the choices consistent with each other."""

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui = ui
        self._session = session
        self._numbers = {
            "fixedWindow": (ui.fixedLowSpin, ui.fixedHighSpin),
            "movingWindow": (ui.movingLowSpin, ui.movingHighSpin),
        }
        self._transform = Hint(ui.transformSelector)
        self._colour = Hint(ui.colourVolumeSelector)
        self._share = Hint(ui.shareVolumeSelector)
        self._swap = Hint(ui.swapButton)
        ui.swapButton.clicked.connect(self.swap)
        ui.pairCombo.activated.connect(self.apply_pair)
        session.changed.connect(self.update)

    def apply_pair(self, *_: Any) -> None:
        """Set both windows, and the colours, to what the preset stands for."""
        use_pair(self._session.parameters, self._session.parameters.pair)

    def swap(self, *_: Any) -> None:
        """Exchange the two volumes with their windows."""
        p = self._session.parameters
        p.fixedVolume, p.movingVolume = p.movingVolume, p.fixedVolume
        p.fixedWindow, p.movingWindow = p.movingWindow, p.fixedWindow
        p.fixedLow, p.movingLow = p.movingLow, p.fixedLow
        p.fixedHigh, p.movingHigh = p.movingHigh, p.fixedHigh

    def update(self) -> None:
        parameters = self._session.parameters
        if parameters is None:
            return
        for name, boxes in self._numbers.items():
            for box in boxes:
                box.visible = getattr(parameters, name) is WindowChoice.NUMBERS
        by_transform = parameters.registration is Registration.TRANSFORM
        self._transform.enable_unless(
            "" if by_transform else f"Only for “{Registration.TRANSFORM.value}”"
        )
        self._colour.enable_unless(
            "Choose a colour under Fusion first" if parameters.colour is Colour.NONE else ""
        )
        self._share.enable_unless(
            "" if parameters.mapShare else "Ask for the map under Fusion first"
        )
        nothing = parameters.fixedVolume is None and parameters.movingVolume is None
        self._swap.enable_unless("Choose the volumes first" if nothing else "")
