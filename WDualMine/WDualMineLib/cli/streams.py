"""Standard streams that never bring down a finished run.

A console of another encoding, a pipe that nobody reads any more, a full disk behind a redirection
and a closed stream are all met after the work is done: what was computed stays, and is not thrown
away because of a sentence that could not be printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class SafeStream:
    """Writes to ``stream``; the first OSError ends that quietly and is kept in ``failure``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | ValueError | None = None
        with suppress(AttributeError, ValueError, OSError):
            # What the encoding lacks is written as an escape.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]

    def write(self, text: str) -> int:
        self._guarded(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._guarded(self._stream.flush)

    def isatty(self) -> bool:
        return self.failure is None and self._stream.isatty()

    def close_behind(self) -> None:
        """Flush; after a failure let what is left in the buffer go nowhere."""
        self.flush()
        if self.failure is None:
            return
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _guarded(self, action, *arguments: str) -> None:
        if self.failure is not None:
            return
        try:
            action(*arguments)
        except UnicodeEncodeError:
            # A stream that cannot be reconfigured: with escapes in place of everything not ASCII.
            escaped = [text.encode("ascii", "backslashreplace").decode() for text in arguments]
            self._guarded(action, *escaped)
        except (OSError, ValueError) as error:
            self.failure = error


@contextmanager
def safe_streams() -> Iterator[SafeStream]:
    """Standard output and error made safe for the body; yields the one of standard output."""
    _open_missing()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = output, errors = SafeStream(before[0]), SafeStream(before[1])
    try:
        yield output
    finally:
        output.close_behind()
        errors.close_behind()
        sys.stdout, sys.stderr = before


def _open_missing() -> None:
    """Put something in the place of streams that were closed before the start.

    A file opened later would get their numbers, and what libraries print would land in it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - kept open
