"""What a user does with the panel: choose, click, drag, wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import slicer

_ROUNDS = 10


class CannotGoOn(Exception):
    """A control that a step needs is off or not there, or work does not end."""


class Hands:
    """On the panel of one module widget.

    Args:
        ui: has every widget of the panel as an attribute.
        running: whether long work goes on.
        patience_s: for any of it.
    """

    def __init__(self, ui: Any, running: Callable[[], bool], patience_s: float) -> None:
        self._ui = ui
        self._running = running
        self._patience = patience_s

    def choose(self, combo: Any, text: str) -> None:
        """The first entry that starts with ``text``, as with the mouse."""
        for index in range(combo.count):
            if combo.itemText(index).startswith(text):
                combo.currentIndex = index
                combo.activated.emit(index) if hasattr(combo.activated, "emit") else None
                self.settle()
                return
        raise CannotGoOn(f"There is no choice {text!r} in {combo.objectName}")

    def click(self, button: Any) -> None:
        if not button.enabled:
            raise CannotGoOn(f"The button {button.text!r} is off: {button.toolTip}")
        button.click()
        self.settle()

    def drag(self, slider: Any, value: float) -> None:
        """Hold a slider's knob at ``value``; :meth:`let_go` ends it."""
        if not slider.enabled:
            raise CannotGoOn(f"The slider {slider.objectName} is off: {slider.toolTip}")
        knob = _knob(slider)
        share = (value - slider.minimum) / (slider.maximum - slider.minimum)
        knob.sliderDown = True
        knob.sliderPosition = round(knob.minimum + share * (knob.maximum - knob.minimum))
        self.settle()

    def let_go(self, slider: Any) -> None:
        _knob(slider).sliderDown = False
        self.wait("Letting go of a slider")

    def settle(self) -> None:
        """Let the application react; its timers of a few milliseconds, too."""
        for _ in range(_ROUNDS):
            slicer.app.processEvents()
            time.sleep(0.002)

    def wait(self, what: str) -> None:
        """Until no long work goes on."""
        self.settle()
        self.until(lambda: not self._running(), what)
        self.settle()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        started = time.perf_counter()
        while not condition():
            slicer.app.processEvents()
            if time.perf_counter() - started > self._patience:
                raise CannotGoOn(f"{what} did not come to an end within {self._patience:g} s")


def _knob(slider: Any) -> Any:
    """The Qt slider inside of a ctkSliderWidget, at whatever depth."""
    inside = list(slider.children())
    while inside:
        child = inside.pop(0)
        if hasattr(child, "sliderPosition") and hasattr(child, "sliderDown"):
            return child
        inside += list(child.children())
    raise CannotGoOn(f"The slider {slider.objectName} has no knob")
