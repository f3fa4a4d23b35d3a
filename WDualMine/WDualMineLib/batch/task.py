"""What a worker does with a study: bounded in time and memory, and whole or not at all.

Nothing here is sent back but words and numbers; volumes go to the disk that all share.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DeviceError, InputError, NoRoom, WDualMineError
from ..pipeline.folder import REPORT
from ..version import __version__
from ..volumes.whole_files import writing_errors
from . import study as kinds
from .bids_derivatives import write_derivatives
from .figures import figures_of
from .html_report import write_page
from .study import DONE, FAILED, Outcome, Perform, Study
from .whole_results import describe_inputs, is_same_input, result_folder, write_marker

STARTED = "wdualmine-started"
"""Topic of the events by which a worker tells that it began a study."""

# Of the worker's memory limit: above it a study stops by itself at its next step. Dask's own guard
# ends the whole worker at 0.95.
_MOST_MEMORY = 0.85
_LOOK_EVERY_S = 0.1

_one_at_a_time = threading.Lock()
_networks: dict[tuple[str, int], Any] = {}
loads = 0
"""How many networks this process has loaded."""


class _Stopped(Exception):
    """A study that may not go on: its time is over, or its memory is used up."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


@dataclass(frozen=True)
class Job:
    """A study and what a worker must know to do it.

    Attributes:
        study: what to do.
        root: the output folder of the batch.
        perform: see :data:`~.study.Perform`.
        threads: that the study may use.
        version: of who sends it.
    """

    study: Study
    root: Path
    perform: Perform
    threads: int
    version: str = __version__


def run_job(job: Job) -> Outcome:
    """Do a study on this worker. Raises nothing: whatever goes wrong is the outcome."""
    if job.version != __version__:
        words = f"The worker has WDualMine {__version__}, and it was sent by {job.version}."
        return Outcome(FAILED, kinds.UNFIT, words)
    with _one_at_a_time:
        _announce(job)
        return carry_out(job, _dask_memory_limit(), _is_unwanted())


def carry_out(job: Job, limit: int = 0, unwanted: Callable[[], bool] = lambda: False) -> Outcome:
    """:func:`run_job` without Dask.

    Args:
        limit: bytes that this process may take; 0 for any.
        unwanted: whether nobody waits for the study any more.
    """
    _warm_up(job)
    started = time.perf_counter()
    worker = f"{socket.gethostname()}:{os.getpid()}"
    folder: Path = job.study.options.output
    try:
        with _guard(job.study.timeout, limit, unwanted) as check:
            figures, notes = _fuse(job, check, started, worker)
    except _Stopped as stop:
        outcome = Outcome(FAILED, stop.kind, str(stop))
    except WDualMineError as error:
        text = f"{error.what}. {error.remedy}."
        outcome = Outcome(FAILED, _kind_of(error), _without_hidden(text, folder))
    except MemoryError:
        outcome = Outcome(FAILED, kinds.OUT_OF_MEMORY, _memory_words(limit))
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        text = f"A defect of WDualMine, in {place}: {type(error).__name__}: {error}"
        outcome = Outcome(FAILED, kinds.DEFECT, _without_hidden(text, folder))
    else:
        outcome = Outcome(DONE, figures=figures, notes=notes)
    seconds = round(time.perf_counter() - started, 3)
    return Outcome(**{**vars(outcome), "seconds": seconds, "worker": worker})


def _fuse(
    job: Job, check: Callable[[], None], started: float, worker: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    study = job.study
    check()
    inputs = describe_inputs(study.inputs)
    check()
    with result_folder(study.options.output) as folder:
        options = type(study.options)(**vars(study.options))
        options.output = folder
        network = _network(options.weights)
        report = job.perform(options, lambda _: check(), network)
        # From here on it is a matter of moments, and all that took time is done.
        figures = figures_of(report, folder)
        for role, path in study.inputs.items():
            if not is_same_input(inputs[role], path):
                raise InputError(
                    f"{path} changed while it was fused", "Wait until it is copied, and run again"
                )
        with writing_errors(folder):
            write_page(study, folder, report, figures)
        outside: dict[str, Path] = {}
        if study.bids is not None:
            outside = write_derivatives(study, folder, report, job.root)
        notes = tuple(str(note) for note in report["notes"])
        if study.is_anonymous:
            for told in inputs.values():
                told.pop("path")
        about = {
            "study": study.name,
            "recipe": study.recipe,
            "inputs": inputs,
            "figures": figures,
            "notes": notes,
            "worker": worker,
            "seconds": round(time.perf_counter() - started, 3),
            "report": REPORT,
        }
        write_marker(folder, about, outside)
        check()
    return figures, notes


def _network(weights: Path | None) -> Any:
    """The network, loaded once a process."""
    global loads
    from ..network.weights import default_path, load_model

    path = default_path() if weights is None else weights
    try:
        key = (str(path), path.stat().st_mtime_ns)
    except OSError:
        key = (str(path), 0)  # it is missing, which load_model says in words
    if key not in _networks:
        _networks.clear()
        _networks[key] = load_model(weights)
        loads += 1
    return _networks[key]


@contextmanager
def _guard(
    timeout: float | None, limit: int, unwanted: Callable[[], bool]
) -> Iterator[Callable[[], None]]:
    """Gives what is to be called at every step; it raises :class:`_Stopped` where it is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    memory = _Memory(limit)

    def check() -> None:
        if deadline is not None and time.monotonic() > deadline:
            raise _Stopped(kinds.OUT_OF_TIME, out_of_time(timeout or 0.0))
        if memory.is_over:
            raise _Stopped(kinds.OUT_OF_MEMORY, _memory_words(limit))
        if unwanted():
            raise _Stopped(kinds.LOST, "The batch was stopped.")

    with memory:
        yield check


class _Memory:
    """Looks at the memory of this process ten times a second."""

    def __init__(self, limit: int) -> None:
        self.is_over = False
        self._limit = limit * _MOST_MEMORY
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if self._limit:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._limit:
            self._thread.join()

    def _watch(self) -> None:
        import psutil

        process = psutil.Process()
        while not self._end.wait(_LOOK_EVERY_S):
            if process.memory_info().rss > self._limit:
                self.is_over = True
                return


def out_of_time(seconds: float) -> str:
    """The words for a study that took longer than it may."""
    return (
        f"It took longer than its time limit of {seconds:g} s. Give it more by --timeout or in the "
        "column timeout, or crop its volumes."
    )


def _memory_words(limit: int) -> str:
    bound = f" of {limit / 1e9:.2g} GB" if limit else ""
    return (
        f"It needs more than the memory limit{bound} of a worker. Give more by --memory or fewer "
        "--workers, or crop its volumes."
    )


def _kind_of(error: WDualMineError) -> str:
    if isinstance(error, DeviceError):
        return kinds.OUT_OF_MEMORY if "memory" in error.what else kinds.REFUSED
    return kinds.NO_ROOM if isinstance(error, NoRoom) else kinds.REFUSED


def _without_hidden(text: str, folder: Path) -> str:
    """Users know nothing of the folder that a study is written into at first."""
    parent = re.escape(str(folder.parent))
    return re.sub(rf"{parent}/\.partial-[0-9a-f]{{8}}/", f"{folder.parent}/", text)


def _warm_up(job: Job) -> None:
    """What is done once a process, and is no study's own time."""
    import SimpleITK as sitk
    import torch

    torch.set_num_threads(job.threads)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job.threads)
    # Where the weights cannot be read, the study says so.
    with suppress(WDualMineError):
        _network(job.study.options.weights)


def _announce(job: Job) -> None:
    """Tell the scheduler that the study begins now, and where."""
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(STARTED, {"study": job.study.name, "worker": worker.address, "loads": loads})


def _dask_memory_limit() -> int:
    from distributed import get_worker

    return int(get_worker().memory_manager.memory_limit or 0)


def _is_unwanted() -> Callable[[], bool]:
    """Whether the scheduler has given up the task that this thread works on."""
    from distributed import get_worker
    from distributed.worker import thread_state

    worker = get_worker()
    key: Any = getattr(thread_state, "key", None)

    def unwanted() -> bool:
        with suppress(AttributeError, RuntimeError):
            task = worker.state.tasks.get(key)
            return task is not None and task.state in ("cancelled", "resumed")
        return False

    return unwanted
