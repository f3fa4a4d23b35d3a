"""The machine, and what it can do at best: the rates that everything else is held against."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from .clock import in_turns

_SIDE = 1024
_COPIED = 1 << 26


def describe_machine(device: str) -> dict[str, Any]:
    """What a figure has to be read with."""
    import torch

    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        # Mean number of busy processors over the last minute, before any of this ran.
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "device": device,
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }


def best_rates(runs: int) -> dict[str, float]:
    """On one thread: GFLOP/s of a product of matrices, GB/s of a copy (read and written)."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        matrix = torch.rand(_SIDE, _SIDE)
        source = torch.zeros(_COPIED, dtype=torch.uint8)
        target = torch.empty_like(source)
        found = in_turns(
            {"product": lambda: matrix @ matrix, "copy": lambda: target.copy_(source)}, runs
        )
    finally:
        torch.set_num_threads(threads)
    return {
        "gflop_per_second": 2 * _SIDE**3 / found["product"].cpu_fastest / 1e9,
        "gigabytes_per_second": 2 * _COPIED / found["copy"].cpu_fastest / 1e9,
    }


def _processor() -> str:
    """The processor's own name: Linux keeps it out of ``platform``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
