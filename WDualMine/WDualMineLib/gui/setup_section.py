"""Asks for libraries that are missing, and installs them once the user agrees."""

from __future__ import annotations

from typing import Any

from ..errors import WDualMineError
from .messages import PLAIN, coloured, of_error
from .protocols import DependencyLogic
from .runner import StepsRunner
from .session import Session
from .widgets import say


class SetupSection:
    """A frame at the top of the panel, seen only while something is missing."""

    def __init__(self, ui: Any, session: Session, logic: DependencyLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._preloading: StepsRunner | None = None
        ui.installButton.clicked.connect(self.install)

    def check(self) -> None:
        """Look what is missing; done whenever the module is opened, for it may have come since."""
        missing = self._logic.missing()
        listed = " and ".join(missing)
        self._session.blocked = f"Install {listed} first, with the button above." if missing else ""
        self._ui.setupFrame.visible = bool(missing)
        if missing:
            say(
                self._ui.setupLabel,
                coloured(
                    "They are installed into this 3D Slicer only, which needs the internet and "
                    "some minutes, once.",
                    PLAIN,
                    f"WDualMine needs {listed}.",
                ),
            )
            self._ui.installButton.text = f"Install {listed}"
        elif self._preloading is None:
            # While the user still chooses, so that the first press of Apply finds it loaded. What
            # fails here, fails there again, and is told there.
            self._preloading = StepsRunner()
            self._preloading.start(self._logic.preload_steps())
        self._session.changed.emit()

    def close(self) -> None:
        """Stop loading ahead."""
        if self._preloading is not None:
            self._preloading.cancel()

    def install(self, *_: Any) -> None:
        """The press of the button is the user's agreement."""
        failures: list[WDualMineError] = []
        self._session.attempt(self._logic.install, failures.append)
        self.check()
        if failures:
            say(self._ui.setupLabel, of_error(failures[0]))
