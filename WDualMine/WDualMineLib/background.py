"""Runs blocking work in a thread, so that its caller sees progress and can cancel at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from .errors import Cancelled
from .progress import Progress, Steps, finish

T = TypeVar("T")
POLL_SECONDS = 0.03
"""As long as a caller waits at a stretch: a window that calls repaints thirty times a second."""


class Job:
    """What the work uses to report progress and to learn that it should stop."""

    def __init__(self) -> None:
        self.reports: queue.SimpleQueue[Progress] = queue.SimpleQueue()
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def report(self, fraction: float, message: str) -> None:
        """Tell the user; raises :class:`Cancelled` in the work when it was told to stop."""
        self.check()
        self.reports.put(Progress(fraction, message))

    def check(self) -> None:
        if self.stopped:
            raise Cancelled()


def run_in_background(work: Callable[[Job], T]) -> Steps[T]:
    """Yield the progress of ``work(job)``, the latest again at each poll; return what it returns.

    Closing the generator tells the work to stop and waits for it: the work must call
    ``job.check()`` or look at ``job.stopped`` often enough.
    """
    job = Job()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def target() -> None:
        try:
            outcome.append(work(job))
        except BaseException as error:  # raised again in the caller's thread
            failure.append(error)

    thread = threading.Thread(target=target, name="WDualMine work", daemon=True)
    thread.start()
    latest = Progress(0.0, "Preparing")
    try:
        while thread.is_alive():
            yield latest
            try:
                latest = job.reports.get(timeout=POLL_SECONDS)
            except queue.Empty:
                thread.join(0)
    finally:
        job.stop()
        thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def in_background(make: Callable[[], Steps[T]]) -> Steps[T]:
    """The steps that ``make`` makes, taken in a thread; see :func:`run_in_background`."""

    def work(job: Job) -> T:
        return finish(make(), lambda step: job.report(step.fraction, step.message))

    return run_in_background(work)
