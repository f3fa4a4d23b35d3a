"""How long work reports itself: generators yield :class:`Progress` and can be closed to cancel."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """One step of long work: ``fraction`` done in [0, 1] and a ``message`` for the user."""

    fraction: float
    message: str


Steps = Generator[Progress, None, T]
"""Work that yields :class:`Progress`, returns a ``T``, and may be closed at any yield to cancel."""


def part_of(
    report: Callable[[Progress], None], start: float, stop: float
) -> Callable[[Progress], None]:
    """A reporter for one stage, whose 0 to 1 is ``start`` to ``stop`` of the whole."""

    def report_part(step: Progress) -> None:
        report(Progress(start + (stop - start) * step.fraction, step.message))

    return report_part


def scaled(steps: Steps[T], start: float, stop: float) -> Steps[T]:
    """``steps`` with fractions from ``start`` to ``stop`` instead of 0 to 1."""
    try:
        while True:
            step = next(steps)
            yield Progress(start + (stop - start) * step.fraction, step.message)
    except StopIteration as end:
        return end.value
    finally:
        steps.close()


def finish(steps: Steps[T], report: Callable[[Progress], None] | None = None) -> T:
    """Run ``steps`` to the end and return its result, passing each progress to ``report``.

    Whatever ``report`` raises (``KeyboardInterrupt``, :class:`~.errors.Cancelled`) closes the
    generator, so that the work cleans up after itself.
    """
    try:
        while True:
            progress = next(steps)
            if report is not None:
                report(progress)
    except StopIteration as stop:
        return stop.value
    finally:
        steps.close()
