"""What the sections of the panel share: the parameters, the last result, and the one runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import WDualMineError
from ..progress import Progress, Steps
from ..scene.result.requests import SceneRequest, request_of, require_possible
from .runner import StepsRunner, unexpected
from .signal import Signal


class Session:
    """State of one panel.

    Attributes:
        parameters: the wrapped parameter node; None while the module is not shown.
        outcome: of the last run in this scene; None before it and after the scene was closed.
        blocked: why nothing can be fused whatever the inputs (a library is missing), or "".

    Signals:
        changed(): parameters, result, or what is running.
        started(title), progressed(Progress), stopped(message): of any long work.
        fused(): there is a new result in the scene; what was said of the one before it goes.
        looked(): the fused volume has another look.
        forgotten(): the scene was closed; whatever was said of it goes.
        failed(WDualMineError): of work whose starter did not want to know.
    """

    def __init__(self) -> None:
        self.parameters: Any = None
        self.outcome: Any = None
        self.blocked = ""
        self.changed = Signal()
        self.started = Signal()
        self.progressed = Signal()
        self.stopped = Signal()
        self.fused = Signal()
        self.looked = Signal()
        self.forgotten = Signal()
        self.failed = Signal()
        self.task = ""
        self._connecting = False
        self._done: Callable[[Any], None] | None = None
        self._failed: Callable[[WDualMineError], None] | None = None
        self._runner = StepsRunner()
        self._runner.progressed.connect(self._on_progress)
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._on_failed)
        self._runner.cancelled.connect(self._on_cancelled)

    @property
    def nodes(self) -> Any:
        """Nodes of the last result; None if there is none, or one of them was deleted."""
        nodes = self.outcome.nodes if self.outcome is not None else None
        if nodes is not None and any(node.GetScene() is None for node in nodes.all()):
            return None
        return nodes

    @contextmanager
    def connecting(self) -> Iterator[None]:
        """Widgets are filled from a parameter node meanwhile: what they tell is nobody's choice."""
        self._connecting = True
        try:
            yield
        finally:
            self._connecting = False

    def on_choice(self, signal: Any, slot: Callable[..., None]) -> None:
        """Call ``slot`` when a widget's ``signal`` tells what somebody chose."""

        def chosen(*values: Any) -> None:
            if not self._connecting:
                slot(*values)

        signal.connect(chosen)

    @property
    def running(self) -> bool:
        return self._runner.running

    def request(self) -> SceneRequest:
        """What Apply would do; raises InputError where it cannot be done."""
        request = request_of(self.parameters)
        require_possible(request)
        return request

    def reason_not_ready(self) -> str:
        """Why Apply is off, as sentences; "" if it can be pressed."""
        if self.parameters is None:
            return "The module is not open."
        if self.running:
            return f"{self.task} is running."
        if self.blocked:
            return self.blocked
        try:
            self.request()
        except WDualMineError as error:
            return str(error)
        return ""

    def reason_no_result(self, to_do: str) -> str:
        """Why a control that needs a result is off; "" if there is one and nothing runs."""
        if self.running:
            return f"{self.task} is running."
        if self.nodes is None:
            return f"Apply first: there is nothing to {to_do} yet."
        return ""

    def run(
        self,
        task: str,
        steps: Steps,
        done: Callable[[Any], None],
        failed: Callable[[WDualMineError], None] | None = None,
    ) -> None:
        """Run ``steps``; call ``done`` with what they return, or ``failed`` with what they raise.

        Args:
            task: what it is, as the user would call it: "Fusion".
        """
        self.task, self._done, self._failed = task, done, failed
        self._runner.start(steps)
        self.started.emit(task)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop what is running; nothing happens if nothing is."""
        self._runner.cancel()

    def attempt(self, action: Callable[[], Any], failed: Callable[[WDualMineError], None]) -> Any:
        """The result of a short action; None, and ``failed`` called, where it raises."""
        try:
            return action()
        except WDualMineError as error:
            failed(error)
        except Exception as error:
            failed(unexpected(error))
        return None

    def forget(self) -> None:
        """Drop the result, whose nodes are going, and stop what would use them."""
        self.cancel()
        self.outcome = None
        self.forgotten.emit()
        self.changed.emit()

    def _on_progress(self, progress: Progress) -> None:
        self.progressed.emit(progress)

    def _on_finished(self, value: Any) -> None:
        done, self._done = self._done, None
        self.stopped.emit("")
        if done is not None:
            done(value)
        self.changed.emit()

    def _on_failed(self, error: WDualMineError) -> None:
        failed = self._failed or self.failed.emit
        self.stopped.emit("")
        failed(error)
        self.changed.emit()

    def _on_cancelled(self) -> None:
        self.stopped.emit(f"{self.task} was cancelled; nothing was changed.")
        self.changed.emit()
