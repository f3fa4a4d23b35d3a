"""Asks for libraries that are missing, and installs them once the user agrees."""

from __future__ import annotations

from typing import Any

from ..errors import WDualMineError
from ..progress import Progress
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
        self._installing = StepsRunner()
        self._installing.progressed.connect(self._tell)
        self._installing.finished.connect(self._on_installed)
        self._installing.failed.connect(self._on_failure)
        self._installing.cancelled.connect(self._on_cancelled)
        ui.installButton.clicked.connect(self.install)

    def check(self) -> None:
        """Look what is missing; done whenever the module is opened, for it may have come since."""
        if self._installing.running:
            return
        missing = self._logic.missing()
        listed = " and ".join(missing)
        self._session.blocked = f"Install {listed} first, with the button above." if missing else ""
        self._ui.setupFrame.visible = bool(missing)
        if missing:
            say(
                self._ui.setupLabel,
                coloured(
                    "They are installed into this 3D Slicer only, which needs the internet and "
                    "some minutes, once. While PyTorch is installed, 3D Slicer may not answer.",
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
        """Stop loading ahead, and installing."""
        self._installing.cancel()
        if self._preloading is not None:
            self._preloading.cancel()

    def install(self, *_: Any) -> None:
        """The press of the button is the user's agreement; the next one takes it back."""
        if self._installing.is_stepping:
            return  # the extension is at it, and cannot be stopped
        if self._installing.running:
            self._installing.cancel()
            return
        self._ui.installButton.text = "Cancel the installation"
        self._installing.start(self._logic.install_steps())

    def _tell(self, progress: Progress) -> None:
        say(self._ui.setupLabel, coloured(progress.message, PLAIN, "Installing"))

    def _on_installed(self, _: Any) -> None:
        self.check()

    def _on_failure(self, error: WDualMineError) -> None:
        self.check()
        say(self._ui.setupLabel, of_error(error))

    def _on_cancelled(self) -> None:
        self.check()
        if self._session.blocked:
            say(
                self._ui.setupLabel,
                coloured("Press the button again when it may go on.", PLAIN, "Not installed."),
            )
