"""Batches on Dask: workers that are killed, files that are corrupt, time that is over."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="dask distributed is not installed (extra [batch])")
psutil = pytest.importorskip("psutil", reason="psutil is not installed (comes with distributed)")

from .conftest import CORRUPT

PACKAGE = Path(__file__).resolve().parents[4] / "WDualMine"
SECONDS = 240  # as long as it may take where the machine is busy; alone a tenth of it


@contextmanager
def started(*words: object) -> Iterator[subprocess.Popen]:
    """A program in a process of its own, with the package at hand; ended with its children."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        family = [process]
        with suppress(psutil.NoSuchProcess):
            family += psutil.Process(process.pid).children(recursive=True)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.communicate()


@contextmanager
def a_cluster() -> Iterator[tuple[str, subprocess.Popen]]:
    """Address of a scheduler with a worker, each a process of its own; and the scheduler."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ("distributed.cli.dask_scheduler", "--port", port, "--no-dashboard",
                 "--host", "127.0.0.1")  # fmt: skip
    worker = ("distributed.cli.dask_worker", address, "--nthreads", 1, "--no-dashboard")
    with started(*scheduler) as process, started(*worker):
        # The library's own connection waits for the scheduler, and the check for a worker.
        wait_for_worker(address)
        yield address, process


def ended(process: subprocess.Popen) -> tuple[int, str]:
    said, _ = process.communicate(timeout=SECONDS)
    return process.returncode, said


def worker_in_the_middle(parent: int, home: Path) -> int:
    """The process below ``parent`` that has an unfinished study of ``home`` open."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for child in psutil.Process(parent).children(recursive=True):
            with suppress(OSError, psutil.Error):
                links = [os.readlink(f"/proc/{child.pid}/fd/{fd}")
                         for fd in os.listdir(f"/proc/{child.pid}/fd")]  # fmt: skip
                if any(link.startswith(f"{home}/.partial-") for link in links):
                    return child.pid
        time.sleep(0.02)
    raise AssertionError("no worker began a study")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_killed_worker_corrupt_file_and_time_limit(studies, table, tmp_path):
    source = studies(6, {4: {"timeout": "0.000001"}})
    (source.parent / "3_moving.nii.gz").write_bytes(CORRUPT)
    out = tmp_path / "out"
    command = ("WDualMineLib", "batch", source, "-o", out, "--workers", 2)
    with started(*command) as process:
        os.kill(worker_in_the_middle(process.pid, out / "studies"), signal.SIGKILL)
        code, said = ended(process)
    assert code == 4, said
    rows = table(out)
    states = [rows[f"s{n}"]["state"] for n in range(6)]
    assert states == ["done", "done", "done", "failed", "failed", "done"], said
    assert any(row["attempts"] == "2" for row in rows.values()), rows
    assert "Traceback" not in said and "distributed" not in said, said
    assert sorted(p.name for p in (out / "studies").iterdir()) == ["s0", "s1", "s2", "s5"]

    before = {p: p.stat().st_mtime_ns for p in (out / "studies").rglob("*")}
    with started(*command) as process:
        assert ended(process)[0] == 4
    assert {p: p.stat().st_mtime_ns for p in (out / "studies").rglob("*")} == before

    shutil.copy(source.parent / "0_moving.nii.gz", source.parent / "3_moving.nii.gz")
    source.write_text(source.read_text().replace("0.000001", ""))
    with started(*command) as process:
        code, said = ended(process)
    assert code == 0 and "2 done, 4 done before" in said, said


def test_a_cluster_of_its_own_processes_interrupted_and_gone_on_with(studies, tmp_path):
    """By address; the network is loaded once a worker; Ctrl-C, then the rest."""
    source, out = studies(6), tmp_path / "out"
    with a_cluster() as (address, _):
        command = ("WDualMineLib", "batch", source, "-o", out, "--scheduler", address)
        with started(*command) as process:
            end = time.monotonic() + SECONDS
            while not list((out / "studies").glob("s*")) and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            code, said = ended(process)
        assert code == 130 and "goes on from there" in said, said
        done = len(list((out / "studies").glob("s*")))
        assert 0 < done < 6, said
        with started(*command) as process:
            code, said = ended(process)
        assert code == 0, said
        loads = loads_of(address)
    counts = json.loads((out / "summary.json").read_text())["counts"]
    assert counts["done"] + counts["kept"] == 6 and counts["kept"] >= done
    assert loads and set(loads) == {1}


def test_a_scheduler_that_goes_is_said_and_nothing_is_lost(studies, table, tmp_path):
    source, out = studies(4), tmp_path / "out"
    with a_cluster() as (address, lost):
        command = ("WDualMineLib", "batch", source, "-o", out, "--scheduler", address)
        with started(*command) as process:
            end = time.monotonic() + SECONDS
            while not list((out / "studies").glob("s*")) and time.monotonic() < end:
                time.sleep(0.05)
            lost.kill()
            code, said = ended(process)
    assert code == 4 and "does not answer any more" in said, said
    assert "Traceback" not in said and "distributed" not in said, said
    states = [row["state"] for row in table(out).values()]
    assert "done" in states and "waiting" in states and "failed" not in states


def test_no_scheduler_there(run, studies, tmp_path):
    code, _, err = run(
        "batch", studies(1), "-o", tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9"
    )
    assert code == 2 and re.search(r"no Dask scheduler at tcp://127.0.0.1:9", err)


def wait_for_worker(address: str) -> None:
    from distributed import Client

    end = time.monotonic() + SECONDS
    while True:
        with suppress(OSError), Client(address, timeout=5, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=SECONDS)
            return
        assert time.monotonic() < end, "no scheduler came up"


def loads_of(address: str) -> list[int]:
    """How often each worker has loaded a network."""
    from distributed import Client

    def loads() -> int:
        from WDualMineLib.batch import task

        return task.loads

    with Client(address, timeout=10, set_as_default=False) as client:
        return list(client.run(loads).values())


def test_workers_keep_memory_from_study_to_study(monkeypatch):
    """Dask's own MALLOC_TRIM_THRESHOLD_ makes every array new memory: twice the processor time."""
    from WDualMineLib.batch.cluster import local_cluster

    name = "MALLOC_TRIM_THRESHOLD_"
    monkeypatch.delenv(name, raising=False)
    with local_cluster(1, 1, None, False) as client:
        assert list(client.run(os.environ.get, name).values()) == [None]
