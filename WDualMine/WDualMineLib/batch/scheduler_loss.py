"""Every form in which a lost scheduler shows, made one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import WDualMineError

if TYPE_CHECKING:
    from distributed import Client

# Which of them comes is a matter of milliseconds. Dask's CommClosedError is an OSError; the
# CancelledError of asyncio is no Exception. What else a client raises once it gave up (closed
# clients and loops, attributes that are gone) is told by its status.
_FORMS = (OSError, TimeoutError, CancelledError, asyncio.CancelledError)


class SchedulerLost(WDualMineError):
    """The scheduler went away in the middle."""


@contextmanager
def asking(client: Client) -> Iterator[None]:
    """Around calls of ``client``, and of its futures, and nothing else.

    Raises:
        SchedulerLost: in place of whatever a scheduler that went made the call raise.
    """
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, _FORMS) or client.status != "running":
            raise lost(client) from error
        raise


def lost(client: Client) -> SchedulerLost:
    """The words for it."""
    address = getattr(client.scheduler, "address", "") if client.scheduler else ""
    return SchedulerLost(
        f"The scheduler {address} does not answer any more".replace("  ", " "),
        "Start it and its workers, and run the same command again: what is done stays done",
    )


def close_quietly(client: Client, seconds: float) -> None:
    """Close ``client``; one whose scheduler went has nobody left to say goodbye to."""
    with suppress(Exception, asyncio.CancelledError):
        client.close(timeout=seconds)
