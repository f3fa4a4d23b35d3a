"""How many processor cores this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores by affinity and by the quota of the control group; at least 1."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        count = os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, round(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no control group of version 2 here: the affinity alone bounds us
    return max(1, count)
