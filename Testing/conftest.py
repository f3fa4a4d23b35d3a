"""What all tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


def pytest_configure() -> None:
    """Let SIGINT interrupt, as some tests mean it to: background jobs of a shell ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def little_room() -> Callable[[int], AbstractContextManager[None]]:
    """``with little_room(n):`` no file grows beyond n bytes; the system refuses as on a full disk.

    As short as it may be: pytest's own report, where it goes to a file, is subject to it too.
    """
    resource = pytest.importorskip("resource", reason="needs POSIX limits")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
