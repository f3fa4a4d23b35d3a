"""Standard error: progress, one line that renews itself on a terminal, notes and warnings.

Standard output is for results alone, so that it can be piped on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from ..progress import Progress, part_of
from .verbosity import is_quiet

# Seconds between two lines in a log file, and between two updates of a terminal.
_LOG_PAUSE = 10.0
_TERMINAL_PAUSE = 0.1


def note(text: str) -> None:
    """Something to be known, on standard error; left out where the user wants quiet."""
    if not is_quiet():
        print(f"Note: {text}", file=sys.stderr)


def warn(text: str) -> None:
    """Something to be looked at before the result is used, on standard error."""
    print(f"WARNING: {text}", file=sys.stderr)


def report(line: str) -> None:
    """A line on work that goes on, on standard error."""
    if not is_quiet():
        print(line, file=sys.stderr, flush=True)


class ConsoleProgress:
    """Shows progress; used as a context, it leaves a terminal's line empty at the end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        # A log gets no line from work that is done before the first pause is over.
        self._shown_at = float("-inf") if self._live else time.monotonic()

    def __enter__(self) -> ConsoleProgress:
        """Say at once that something is going on: libraries take long to load."""
        self(Progress(0, "Starting"))
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._live:
            self._write("\r\033[K")

    def __call__(self, progress: Progress) -> None:
        if is_quiet():
            return
        now = time.monotonic()
        pause = _TERMINAL_PAUSE if self._live else _LOG_PAUSE
        if now - self._shown_at < pause:
            return
        self._shown_at = now
        line = f"{100 * progress.fraction:3.0f} %  {progress.message}"
        self._write(f"\r\033[K{line}" if self._live else f"{line}\n")

    def part(self, start: float, stop: float) -> Callable[[Progress], None]:
        """A reporter for one stage, whose 0 to 1 is ``start`` to ``stop`` of the whole."""
        return part_of(self, start, stop)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
