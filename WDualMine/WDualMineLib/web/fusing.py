"""Two volumes, registered and fused in the background while viewers see how far it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..background import in_background
from ..errors import Cancelled, WDualMineError
from ..pipeline.folder import write_folder
from ..pipeline.request import Request
from ..pipeline.result import Result
from ..pipeline.run import run_steps
from ..progress import Progress, Steps
from ..volumes.volume import Volume
from .study import Study, study_of, unnamed

_LOG = logging.getLogger(__name__)

Made = tuple[Result, Volume, Volume]
"""A result, its fixed and its moving volume."""


def request_steps(make: Callable[[], Request]) -> Steps[Made]:
    """Carry out a request.

    Args:
        make: makes it, reading the volumes.
    """
    yield Progress(0.0, "Reading the volumes")
    request = make()
    return (yield from run_steps(request)), request.fixed, request.moving


@dataclass(frozen=True)
class Order:
    """What is to be fused.

    Attributes:
        steps: make a result, and tell of which volumes.
        output: folder for the result; None where nothing is saved.
        force: whether files there are replaced.
        anonymise: whether names are removed, from what is shown and from what is saved.
    """

    steps: Callable[[], Steps[Made]]
    output: Path | None = None
    force: bool = False
    anonymise: bool = False


class Fusing:
    """One fusion at a time, in a thread; every method may be called from any other one."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress = Progress(0.0, "Starting")
        self.study: Study | None = None
        self.failure = ""

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin, or begin again after a cancel or a failure; nothing where it runs or is done."""
        if self.is_running or self.study is not None:
            return
        self._stop.clear()
        self.failure, self.progress = "", Progress(0.0, "Starting")
        self._thread = threading.Thread(target=self._run, name="WDualMine fusing", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop; :attr:`failure` says so once it did."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait for it."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            steps = in_background(self._steps)
            try:
                while True:
                    self.progress = next(steps)
                    if self._stop.is_set():
                        raise Cancelled()
            except StopIteration as done:
                self.study = done.value
            finally:
                steps.close()
        except Cancelled as error:
            self.failure = str(error)
        except WDualMineError as error:
            self.failure = str(unnamed(error) if self._order.anonymise else error)
        except Exception:  # a thread has nobody else to tell
            _LOG.exception("a defect of the fusion")
            self.failure = "The fusion failed by a defect. The server printed which."

    def _steps(self) -> Steps[Study]:
        made = yield from self._order.steps()
        study = study_of(*made, anonymise=self._order.anonymise)
        if self._order.output is not None:
            yield Progress(1.0, "Saving the result")
            self._save(study.result, self._order.output)
        return study

    def _save(self, result: Result, output: Path) -> None:
        write_folder(result, output, force=self._order.force)
