"""A batch with a killed worker, a corrupt file and a study out of time, as docs/scale.md tells it.

    python Testing/robustness/batches.py [--studies 200] [--workers 2] [--where local address]

Small studies are cut out of the packaged MR template and a simulated PET. In a first run one worker
is killed while it writes a study; one file is cut in half, one larger study has a limit of a
second. The second run changes nothing; the third, after both were mended, does these two. Once
with workers of its own, once on `dask scheduler` and `dask worker` by address. Needs /proc and the
extra [batch]. Prints a line a run and exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGE = Path(__file__).resolve().parents[2] / "WDualMine"
sys.path.insert(0, str(PACKAGE))
SIDE, LARGE_SIDE, LIMIT_S = 48, 128, 1
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}
# As long as a step may take on a machine that does much else; alone it takes a tenth of it.
PATIENCE_S = 600


@dataclass
class Studies:
    """The list, and what is wrong with two of its studies.

    Attributes:
        path: of the list.
        names: of the studies.
        corrupt, late: name of the study whose file is cut, and of that with the time limit.
    """

    path: Path
    names: list[str]
    corrupt: str
    late: str

    def spoil(self) -> None:
        """Cut a file in half, and set a limit."""
        damaged = self._moving_of(self.corrupt)
        self._whole = damaged.read_bytes()
        damaged.write_bytes(self._whole[: len(self._whole) // 2])
        self._set_limit(str(LIMIT_S))

    def mend(self) -> None:
        """Put the file back, and take the limit away."""
        self._moving_of(self.corrupt).write_bytes(self._whole)
        self._set_limit("")

    def _moving_of(self, name: str) -> Path:
        return next(self.path.parent / row["moving"] for row in self._rows() if row["name"] == name)

    def _set_limit(self, seconds: str) -> None:
        rows = [row | {"timeout": seconds * (row["name"] == self.late)} for row in self._rows()]
        with self.path.open("w", newline="", encoding="utf-8") as stream:
            table = csv.DictWriter(stream, rows[0])
            table.writeheader()
            table.writerows(rows)

    def _rows(self) -> list[dict[str, str]]:
        with self.path.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))


def make_studies(folder: Path, count: int) -> Studies:
    """``count`` studies, one of which is larger."""
    from WDualMineLib.lab.batch_cost.studies import cut_out, packaged_pair, write_studies
    from WDualMineLib.volumes.writing import write_volume

    pair = packaged_pair()
    path = write_studies(folder, pair, count, SIDE)
    late, corrupt = count // 2, count // 3
    for role, volume in zip(("fixed", "moving"), cut_out(pair, LARGE_SIDE, late), strict=True):
        write_volume(volume, folder / f"{late:04d}_{role}.nii.gz", force=True)
    names = [f"study-{number:04d}" for number in range(count)]
    return Studies(path, names, names[corrupt], names[late])


@contextmanager
def started(*words: object, log: Path) -> Iterator[subprocess.Popen]:
    """A Python module as a program of its own, ended with all that it started."""
    with log.open("a") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, words)],
            env=ENVIRONMENT,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    family = psutil.Process(process.pid)
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):
            for each in [*family.children(recursive=True), family]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        process.wait()


@contextmanager
def cluster(workers: int, log: Path) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """The address of a scheduler with workers, all processes of their own, and these workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = ("--no-dashboard", "--host", "127.0.0.1")
    with ExitStack() as stack:
        scheduler = ("distributed.cli.dask_scheduler", "--port", port, *quiet)
        stack.enter_context(started(*scheduler, log=log))
        worker = ("distributed.cli.dask_worker", address, "--nthreads", 1, *quiet)
        yield address, [stack.enter_context(started(*worker, log=log)) for _ in range(workers)]


def wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, timeout=PATIENCE_S) as client:
        client.wait_for_workers(count, timeout=PATIENCE_S)


def kill_one_that_writes(parents: list[subprocess.Popen], studies: Path, after: int) -> None:
    """SIGKILL to a worker that has an unfinished study open, once ``after`` studies are done."""
    end = time.monotonic() + PATIENCE_S * (1 + after / 10)
    while time.monotonic() < end:
        if len(list(studies.glob("study-*"))) >= after:
            for parent in parents:
                if pid := _writing(parent, studies):
                    os.kill(pid, signal.SIGKILL)
                    return
        time.sleep(0.01)
    raise TimeoutError("no worker was seen to write a study")


def _writing(parent: subprocess.Popen, studies: Path) -> int | None:
    with suppress(psutil.Error):
        for child in psutil.Process(parent.pid).children(recursive=True):
            with suppress(OSError):
                folder = f"/proc/{child.pid}/fd"
                links = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
                if any(link.startswith(f"{studies}/.partial-") for link in links):
                    return child.pid
    return None


def summary_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as stream:
        return {row["study"]: row for row in csv.DictReader(stream)}


def as_it_lies(studies: Path) -> dict[Path, int]:
    """Every file and folder, hidden ones too, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in studies.rglob("*")}


class Trial:
    """The three runs at one place."""

    def __init__(self, where: str, out: Path, log: Path, words: list[str]) -> None:
        self.where, self.out, self.log, self.words = where, out, log, words
        self.wrong = 0

    def run(self, number: str, expected: int, kill: dict | None = None) -> dict[str, Counter]:
        begun = time.monotonic()
        with started("WDualMineLib", *self.words, log=self.log) as batch:
            if kill is not None:
                kill_one_that_writes(kill["of"] or [batch], self.out / "studies", kill["after"])
            code = batch.wait()
        rows = summary_of(self.out)
        seconds = time.monotonic() - begun
        told = ", ".join(f"{n} {s}" for s, n in Counter(r["state"] for r in rows.values()).items())
        load = os.getloadavg()[0]
        self.must(code == expected, f"exit code {code}, not {expected}")
        print(f"{self.where} | {number} | {code} | {told} | {seconds:.0f} s, load {load:.1f}")
        sys.stdout.flush()
        return rows

    def must(self, holds: bool, words: str) -> None:
        if not holds:
            self.wrong += 1
            print(f"  WRONG: {words}", flush=True)


def try_out(trial: Trial, studies: Studies, workers: list[subprocess.Popen] | None) -> None:
    """All three runs, and what must be true after each."""
    bad, folder = {studies.corrupt, studies.late}, trial.out / "studies"
    good = set(studies.names) - bad

    rows = trial.run("first", 4, {"of": workers, "after": max(1, len(good) // 3)})
    trial.must({n for n, r in rows.items() if r["state"] == "done"} == good, "not all are done")
    trial.must({n for n, r in rows.items() if r["state"] == "failed"} == bad, "not two failed")
    again = [name for name, row in rows.items() if row["attempts"] not in ("0", "1")]
    trial.must(len(again) == 1 and again[0] in good, f"begun more than once: {again}")
    trial.must("time limit" in rows[studies.late]["words"], rows[studies.late]["words"])
    trial.must("moving" in rows[studies.corrupt]["words"], rows[studies.corrupt]["words"])
    there = {path.name for path in folder.iterdir()}
    trial.must(there == good, f"left behind or missing: {sorted(there ^ good)}")

    before = as_it_lies(folder)
    rows = trial.run("second", 4)
    states = Counter(row["state"] for row in rows.values())
    trial.must(states == {"kept": len(good), "failed before": 2}, f"it did something: {states}")
    trial.must(as_it_lies(folder) == before, "files were touched")

    studies.mend()
    rows = trial.run("third, mended", 0)
    trial.must({n for n, r in rows.items() if r["state"] == "done"} == bad, "not these two done")
    after = as_it_lies(folder)
    trial.must({path: after.get(path) for path in before} == before, "what was done was touched")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--where", nargs="+", choices=("local", "address"),
                        default=["local", "address"])  # fmt: skip
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        studies = make_studies(home / "in", options.studies)
        for where in options.where:
            studies.spoil()
            out, log = home / where, home / f"{where}.log"
            words = ["batch", str(studies.path), "-o", str(out), "--device", "cpu"]
            with ExitStack() as stack:
                workers = None
                if where == "address":
                    address, workers = stack.enter_context(cluster(options.workers, log))
                    wait_for_workers(address, options.workers)
                    words += ["--scheduler", address]
                else:
                    words += ["--workers", str(options.workers)]
                trial = Trial(where, out, log, words)
                try_out(trial, studies, workers)
            if trial.wrong:
                print(log.read_text()[-5000:])
            wrong += trial.wrong
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
