"""What all tests share."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let SIGINT interrupt, as some tests mean it to: background jobs of a shell ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
