"""How long the application stands still: the gaps of a timer, on the wall."""

from __future__ import annotations

import time

import qt

INTERVAL_MS = 20


class Pulse:
    """A timer of 20 ms that remembers the longest time between two of its beats."""

    def __init__(self) -> None:
        self._timer = qt.QTimer()
        self._timer.interval = INTERVAL_MS
        self._timer.timeout.connect(self._beat)
        self._last = 0.0
        self._longest = 0.0

    def start(self) -> None:
        self._longest, self._last = 0.0, time.perf_counter()
        self._timer.start()

    def stop(self) -> float:
        """The longest gap since the start, in ms."""
        self._beat()
        self._timer.stop()
        return 1000 * self._longest

    def _beat(self) -> None:
        now = time.perf_counter()
        self._longest, self._last = max(self._longest, now - self._last), now
