"""What a fusion has freed goes back to the system, though it was kept while there was work."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch
from WDualMineLib.fusion.devices import keep_freed_memory, release_memory


def held() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only there is memory kept")
def test_kept_memory_is_given_back() -> None:
    keep_freed_memory()
    maps = [torch.ones(2 << 20) for _ in range(40)]
    # What stays in use at the end keeps the rest from being given back by itself.
    last = torch.ones(1 << 18)
    del maps
    kept = held()

    release_memory(torch.device("cpu"))

    assert kept - held() > 100 << 20
    assert last.sum() == 1 << 18
