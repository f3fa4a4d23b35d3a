"""A batch watched from outside: studies a minute, and what its processes take meanwhile."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psutil

from ...errors import WDualMineError

_LOOK_EVERY_S = 0.1


def watch(
    command: Sequence[str],
    environment: Mapping[str, str],
    finished: Callable[[], int],
    studies: int,
    first: int,
) -> dict[str, Any]:
    """Run a batch in processes of its own and measure it.

    What is measured begins when the first round of studies is done, so that starting workers and
    loading the network count for none, and ends with the last study.

    Args:
        command: of the batch.
        environment: that it is run in.
        finished: how many studies are done.
        studies: how many there are.
        first: how many make the first round, one or more, and fewer than ``studies``.

    Returns:
        ``a_minute``: studies; ``cpu``: processor seconds a study, of all processes of the batch;
        ``processors``: how many it kept busy; ``others``: how many other work of the machine kept
        busy; these are None where all ended between two looks. ``wall``: seconds from start to
        end; ``peak_bytes``: memory of the largest process.

    Raises:
        WDualMineError: the batch did not do all studies.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        family = _Family(process.pid)
        moments: list[_Moment] = []
        try:
            while process.poll() is None:
                family.look()
                done = finished()
                if done >= (studies if moments else first) and len(moments) < 2:
                    moments.append(_Moment(done, family.cpu))
                time.sleep(_LOOK_EVERY_S)
        finally:
            family.end()
            process.wait()
        wall = time.perf_counter() - started
        if process.returncode or finished() < studies:
            said.seek(0)
            last = (said.read().strip().splitlines() or ["nothing"])[-1]
            raise WDualMineError(
                f"A batch of {finished()} of {studies} studies ended with {process.returncode}, "
                f"and said: {last}",
                f"See what this says: {' '.join(command)}",
            )
    window = {"a_minute": None, "cpu": None, "processors": None, "others": None}
    if len(moments) == 2 and moments[1].done > moments[0].done:
        window = _between(*moments)
    return {**window, "wall": wall, "peak_bytes": family.peak_bytes}


class _Moment:
    """What the clocks say when so many studies are done."""

    def __init__(self, done: int, cpu: float) -> None:
        self.done, self.cpu, self.time = done, cpu, time.perf_counter()
        system = psutil.cpu_times()
        self.busy = system.user + system.system + getattr(system, "nice", 0.0)


def _between(begun: _Moment, ended: _Moment) -> dict[str, Any]:
    studies, seconds = ended.done - begun.done, ended.time - begun.time
    processors = (ended.cpu - begun.cpu) / seconds
    return {
        "a_minute": 60 * studies / seconds,
        "cpu": (ended.cpu - begun.cpu) / studies,
        "processors": processors,
        "others": max(0.0, (ended.busy - begun.busy) / seconds - processors),
    }


class _Family:
    """A process and all that it starts, those that ended meanwhile among them."""

    def __init__(self, pid: int) -> None:
        self._parent = psutil.Process(pid)
        self._cpu: dict[int, float] = {}
        self.peak_bytes = 0

    @property
    def cpu(self) -> float:
        """Processor seconds so far."""
        return sum(self._cpu.values())

    def look(self) -> None:
        for each in self._members():
            with suppress(psutil.Error):
                times = each.cpu_times()
                self._cpu[each.pid] = times.user + times.system
                self.peak_bytes = max(self.peak_bytes, each.memory_info().rss)

    def end(self) -> None:
        """Kill whoever is left, after an interrupt."""
        for each in self._members():
            with suppress(psutil.Error):
                each.kill()

    def _members(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return [self._parent, *self._parent.children(recursive=True)]
        return []
