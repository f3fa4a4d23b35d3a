"""The module's panel once more, as Slicer opens it in a window of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer


def open_second_panel() -> tuple[Any, Callable[[], None]]:
    """The widget of the second panel, and what closes it."""
    panel = slicer.modules.wdualmine.createNewWidgetRepresentation()
    panel.setMRMLScene(slicer.mrmlScene)
    panel.show()
    panel.enter()

    def close() -> None:
        panel.exit()
        panel.close()
        panel.deleteLater()

    return panel.self(), close
