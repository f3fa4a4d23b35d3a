"""Work in a thread: progress, cancelling within a second, errors where they belong."""

from __future__ import annotations

import os
import time

import pytest
from WDualMineLib.background import run_in_background
from WDualMineLib.errors import Cancelled, InputError
from WDualMineLib.progress import Progress, finish
from WDualMineLib.registration.api import register_steps
from WDualMineLib.registration.registration_settings import RegistrationSettings, available_threads


def test_progress_and_result_come_through() -> None:
    def work(job):
        for step in range(3):
            job.report(step / 3, f"step {step}")
            time.sleep(0.05)
        return "done"

    seen: list[Progress] = []
    assert finish(run_in_background(work), seen.append) == "done"
    assert [p.message for p in dict.fromkeys(seen)][-1].startswith("step")
    assert all(0 <= p.fraction <= 1 for p in seen)


def test_errors_are_raised_where_the_result_was_wanted() -> None:
    def work(job):
        raise InputError("No head in sight", "Choose another volume")

    with pytest.raises(InputError, match="No head in sight"):
        finish(run_in_background(work))


def test_closing_tells_the_work_to_stop() -> None:
    ended = []

    def work(job):
        try:
            while True:
                job.check()
                time.sleep(0.01)
        except Cancelled:
            ended.append(True)
            raise

    steps = run_in_background(work)
    next(steps)
    steps.close()
    assert ended == [True]


@pytest.mark.parametrize("wait", [0.0, 0.1, 0.3])
def test_a_registration_is_cancelled_within_a_second(mr, ct, wait) -> None:
    steps = register_steps(mr, ct)
    until = time.monotonic() + wait
    next(steps)
    while time.monotonic() < until:
        next(steps)
    # Processor time, since other work may hold up the machine; and a wall clock against waiting.
    started, worked = time.monotonic(), time.process_time()
    steps.close()
    assert time.process_time() - worked < 1.0
    assert time.monotonic() - started < 20.0


def test_threads_are_bounded_by_the_machine() -> None:
    assert RegistrationSettings(threads=10_000).usable_threads() == available_threads()
    assert RegistrationSettings(threads=1).usable_threads() == 1
    if hasattr(os, "sched_getaffinity"):
        assert available_threads() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize("wrong", [{"kind": "elastic"}, {"seed": -1}, {"threads": 0}])
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(InputError):
        RegistrationSettings(**wrong)
