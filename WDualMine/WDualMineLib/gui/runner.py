"""Drives long work from Qt's event loop, a step at a time, so that the application stays alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import qt

from ..errors import WDualMineError
from ..progress import Steps
from .signal import Signal

_UNEXPECTED = "See the Python console for details and report them, please"


class StepsRunner:
    """Runs one generator at a time.

    Signals:
        progressed(Progress): after every step.
        finished(value): with what the generator returned.
        failed(WDualMineError): with what it raised; anything else is logged and wrapped.
        cancelled(): after :meth:`cancel`.

    A generator here must not block for more than a fifth of a second in a step; work that does
    belongs into :func:`~..background.run_in_background`.
    """

    def __init__(self) -> None:
        self.progressed = Signal()
        self.finished = Signal()
        self.failed = Signal()
        self.cancelled = Signal()
        self._steps: Steps | None = None
        self._closing: list[threading.Thread] = []
        self._is_stepping = False
        self._timer = qt.QTimer()
        self._timer.interval = 0
        self._timer.timeout.connect(self._step)

    @property
    def running(self) -> bool:
        return self._steps is not None

    @property
    def is_stepping(self) -> bool:
        """Whether a step is being taken; seen only where that one deals with events itself."""
        return self._is_stepping

    def start(self, steps: Steps) -> None:
        """Run ``steps``; raises RuntimeError if something is running already."""
        if self.running:
            raise RuntimeError("the runner is busy")
        self._steps = steps
        self._timer.start()

    def cancel(self) -> None:
        """Stop what is running, if anything is; answers at once.

        Closing a generator waits for its thread, which may be in the middle of a long step. It
        happens in a thread of its own, so that the user does not wait.
        """
        if self._steps is None:
            return
        steps, self._steps = self._steps, None
        closing = threading.Thread(
            target=_close, args=(steps,), name="WDualMine cancel", daemon=True
        )
        closing.start()
        self._closing.append(closing)
        self.cancelled.emit()

    def _step(self) -> None:
        if self._is_stepping:
            return  # within a step that deals with events itself, as an installation does
        if self._steps is None:
            self._drain()
            return
        steps = self._steps
        outcome = self._outcome_of(steps)
        if self._steps is not steps:
            steps.close()  # cancelled within the step
        else:
            outcome()

    def _outcome_of(self, steps: Steps) -> Callable[[], None]:
        """Take one step; what is to be told of it."""
        self._is_stepping = True
        try:
            progress = next(steps)
        except StopIteration as stop:
            return partial(self._end, self.finished, stop.value)
        except WDualMineError as error:
            return partial(self._end, self.failed, error)
        except MemoryError:
            return partial(self._end, self.failed, _too_little_memory())
        except Exception as error:
            logging.exception("WDualMine failed")
            return partial(self._end, self.failed, unexpected(error))
        else:
            return partial(self.progressed.emit, progress)
        finally:
            self._is_stepping = False

    def _end(self, signal: Signal, value: Any) -> None:
        self._steps = None
        signal.emit(value)

    def _drain(self) -> None:
        # Slicer holds Python's lock while it waits for events: without these moments the threads
        # that are being stopped would not get to run.
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        if not self._closing:
            self._timer.stop()
            return
        self._closing[0].join(0.02)


def _too_little_memory() -> WDualMineError:
    return WDualMineError(
        "The computer has too little memory for these volumes",
        "Close other programs, or crop or resample the volumes",
    )


def _close(steps: Steps) -> None:
    # ValueError: it is within a step that deals with events itself; it is closed after that.
    with suppress(ValueError):
        steps.close()


def unexpected(error: Exception) -> WDualMineError:
    """A defect in words for the panel."""
    return WDualMineError(
        f"Something unexpected failed ({type(error).__name__}: {error})", _UNEXPECTED
    )
