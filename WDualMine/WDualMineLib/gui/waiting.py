"""Waits for long work that somebody wants the result of at once, under a dialog with Cancel."""

from __future__ import annotations

from typing import Any, TypeVar

import qt

from ..progress import Steps

T = TypeVar("T")
_PARTS = 1000


def wait_for(steps: Steps[T], title: str, parent: Any = None) -> T | None:
    """What ``steps`` return; None if the user cancels. What they raise is passed on.

    The application repaints meanwhile, and takes no input but for the dialog.

    Args:
        parent: main window, or None.
    """
    dialog = qt.QProgressDialog(title, "Cancel", 0, _PARTS, parent)
    dialog.windowTitle = "WDualMine"
    dialog.windowModality = qt.Qt.ApplicationModal
    dialog.minimumDuration = 0
    # It closes itself at its maximum, and one that is closed asks for nothing.
    dialog.autoClose = dialog.autoReset = False
    dialog.show()
    try:
        while not dialog.wasCanceled:
            step = next(steps)
            dialog.value = round(_PARTS * step.fraction)
            dialog.labelText = f"{step.message} ..."
            qt.QApplication.instance().processEvents()
    except StopIteration as stop:
        return stop.value
    finally:
        steps.close()
        dialog.close()
        dialog.deleteLater()
    return None
