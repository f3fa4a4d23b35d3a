"""Peak memory of a piece of work, as the system counts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ...fusion.devices import release_memory

_SELF = Path("/proc/self")


@contextmanager
def peak() -> Iterator[dict[str, int | None]]:
    """Bytes that the process held at the most, less what it held at entry: under "bytes" once it is
    over; None where the system does not tell (it does on Linux)."""
    found: dict[str, int | None] = {"bytes": None}
    # What earlier work has freed and the process still keeps would hide what this one takes.
    release_memory(torch.device("cpu"))
    try:
        (_SELF / "clear_refs").write_text("5")  # "5" resets the peak (proc(5))
        before = _held("VmRSS")
    except OSError:
        yield found
        return
    yield found
    found["bytes"] = max(0, _held("VmHWM") - before)


def _held(name: str) -> int:
    for line in (_SELF / "status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise OSError(f"the system does not tell {name}")
