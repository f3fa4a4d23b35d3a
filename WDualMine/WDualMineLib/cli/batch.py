"""``wdualmine batch``: a list, a BIDS dataset or a DICOM tree of studies, fused on Dask workers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..batch import bids_pairs, dicom_pairs
from ..batch.bids_derivatives import require_own_dataset
from ..batch.cluster import cluster_at, default_workers, local_cluster, require_usable
from ..batch.places import Places
from ..batch.plan import Plan, Rules, plan_studies, proposed
from ..batch.run import Run, counted, one_after_the_other, reports_in
from ..batch.scheduler_loss import SchedulerLost
from ..batch.study import WAITING, WITHOUT_FILE, Row, Study
from ..batch.study_list import read_list, write_list
from ..batch.task import Job
from ..batch.whole_results import put_back
from ..cores import usable_cores
from ..errors import InputError
from ..fusion.colour import colour_table
from ..progress import Progress
from ..volumes.writing import refuse_existing, writing_errors
from . import fuse, fuse_dicom
from .console import ConsoleProgress, warn
from .options import take_negative_pairs

if TYPE_CHECKING:
    from distributed import Client

_MOST_SHOWN = 20
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine batch``, and those of ``fuse`` as defaults for every study."""
    take_negative_pairs(parser)
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="study list (CSV with the columns fixed and moving), BIDS dataset, or folder tree of "
        "DICOM files",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="worker processes on this machine (default: one a core); 0: in this process, without "
        "Dask",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster that runs already: tcp://host:8786"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, show what would run, and end"
    )
    parser.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="also write the studies as a study list, to be corrected and given as SOURCE",
    )
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of all volumes (default: that of SOURCE)"
    )
    parser.add_argument(
        "--retry",
        choices=["failed"],
        help="try studies again that failed before, though nothing was mended",
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds a study may take")
    parser.add_argument(
        "--memory", type=_bytes, metavar="SIZE", help="memory a worker may take, such as 4G"
    )
    parser.add_argument(
        "--verify", action="store_true", help="read results whole before they count as done"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace folders of studies that no batch wrote"
    )
    fuse.add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, fuse what is to be fused, and say how it went: 0, 4 or 1."""
    _require_sense(options)
    options.output = options.output.absolute()
    places = Places(options.output)
    with ConsoleProgress() as progress:
        rows, wrong, is_proposal = _rows(options, progress)
        plan, more = plan_studies(
            rows, places, _rules(options, is_proposal), lambda f, m: progress(Progress(f, m))
        )
        wrong += more
    if options.list is not None:
        _write_list(options, rows)
    if options.dry_run:
        _show(options, plan, rows, wrong)
    _refuse(wrong, len(rows))
    if options.dry_run:
        return 0
    _refuse(proposed(rows), len(rows))
    if any(row.bids is not None for row in rows):
        require_own_dataset(places.root)
    places.require_usable()
    with places.claimed():
        return _carry_out(options, plan, places)


def perform(
    options: argparse.Namespace, progress: Callable[[Progress], None], network: Any
) -> dict[str, Any]:
    """One study, as ``wdualmine fuse`` does it; what workers call."""
    from .pictures.thumbnail import thumbnail

    return fuse.fuse_study(options, progress, network, lambda result: [thumbnail(result)])[0]


def stopped(options: argparse.Namespace) -> str:
    """What is true after an interrupt."""
    return f"what is done stays in {options.output}; the same command goes on from there"


def _carry_out(options: argparse.Namespace, plan: Plan, places: Places) -> int:
    about = {
        "source": str(options.source),
        "workers": options.scheduler or options.workers,
        "time_limit": None if options.timeout is None else f"{options.timeout:g} s",
    }
    about = {key: value for key, value in about.items() if value is not None}
    run_ = Run(plan, places, about, options.memory)
    with writing_errors(places.root):
        run_.prepare()
    job_of = partial(_job, places.root)
    if not run_.waiting:
        run_.finish()
        return _say(run_)
    if options.workers == 0:
        threads = options.threads or usable_cores()
        with ConsoleProgress() as run_.progress:
            run_.take(one_after_the_other(run_.waiting, job_of, threads))
        return _say(run_)
    gpu = str(options.device) in ("cuda", "mps")
    try:
        _run_on_cluster(options, run_, job_of, gpu)
    finally:
        # Workers that were ended in the middle leave folders behind.
        put_back(places.studies)
    return _say(run_)


def _run_on_cluster(
    options: argparse.Namespace, run_: Run, job_of: Callable[[Study, int], Job], gpu: bool
) -> None:
    # Here and not above: Dask is an extra, and a plan is made without it.
    from ..batch.dispatch import Dispatcher

    with _cluster(options, len(run_.waiting), gpu) as (client, threads):
        try:
            some = [path for study in run_.waiting[:3] for path in study.inputs.values()]
            require_usable(client, [run_.places.root, *some], gpu)
            dispatcher = Dispatcher(client, job_of, threads, gpu)
            with ConsoleProgress() as run_.progress:
                run_.take(dispatcher.run(run_.waiting))
        except SchedulerLost as error:
            run_.stopped = str(error)
            run_.finish()


@contextmanager
def _cluster(
    options: argparse.Namespace, studies: int, gpu: bool
) -> Iterator[tuple[Client, int | None]]:
    if options.scheduler is not None:
        with cluster_at(options.scheduler) as client:
            yield client, options.threads
        return
    workers = min(options.workers or default_workers(options.memory), studies)
    if gpu and options.workers is None:
        workers = 1
    threads = options.threads or max(1, usable_cores() // workers)
    with local_cluster(workers, threads, options.memory, gpu) as client:
        yield client, threads


def _job(root: Path, study: Study, threads: int) -> Job:
    return Job(study, root, perform, threads)


def _rows(
    options: argparse.Namespace, progress: ConsoleProgress
) -> tuple[list[Row], list[str], bool]:
    """The studies, what is wrong with their list, and whether it is our own proposal."""
    source: Path = options.source
    if not source.exists():
        raise InputError(f"{source} does not exist", "Check the path for typing errors")
    if source.is_file():
        options.root = (options.root or source.parent).absolute()
        rows, wrong = read_list(source, _row_options())
        return rows, wrong, False
    options.root = (options.root or source).absolute()
    if bids_pairs.is_dataset(source):
        return bids_pairs.pairs_of(source.absolute()), [], True

    def tell(words: str) -> None:
        progress(Progress(0, words))

    return dicom_pairs.pairs_of(source.absolute(), options.output, tell), [], True


def _rules(options: argparse.Namespace, is_proposal: bool) -> Rules:
    reader = _RowParser(options, is_proposal)
    return Rules(
        options.root,
        reader.options_of,
        options.timeout,
        options.force,
        options.verify,
        options.memory,
        options.retry == "failed",
    )


class _RowParser(argparse.ArgumentParser):
    """Reads the words of a row as ``wdualmine fuse`` reads its options."""

    def __init__(self, options: argparse.Namespace, is_proposal: bool) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        take_negative_pairs(self)
        fuse.add_settings(self)
        self._root: Path = options.root
        kinds = {action.dest: action for action in self._actions}
        self._kinds = kinds
        self._defaults = {dest: getattr(options, dest) for dest in kinds}
        # What is proposed gives way to what the user said.
        self._said = {
            dest for dest, action in kinds.items() if self._defaults[dest] != action.default
        } if is_proposal else set()  # fmt: skip

    def options_of(self, row: Row) -> argparse.Namespace:
        """The options of a row.

        Raises:
            InputError: an option or a value that there is not.
        """
        found = argparse.Namespace(**self._defaults)
        words = []
        for name, value in row.words.items():
            dest = name.replace("-", "_")
            if dest in self._said:
                continue
            if self._kinds[dest].nargs == 0:
                setattr(found, dest, _flag(name, value))
            else:
                words.append(f"--{name}={value}")
        self.parse_args(words, found)
        fuse_dicom.require_dicom_wanted(found)
        fuse.settings_of(found)
        if found.colour is not None:
            colour_table(found.colour)
        if found.weights is not None:
            # Of a row they lie below the root, as its volumes; else where the command was given.
            at = self._root if "weights" in row.words else Path()
            found.weights = (at / found.weights).absolute()
        return found

    def error(self, message: str) -> NoReturn:
        raise InputError(
            re.sub(r"^argument --", "the option ", message), "See `wdualmine fuse --help`"
        )


def _row_options() -> list[str]:
    parser = argparse.ArgumentParser(add_help=False)
    fuse.add_settings(parser)
    return [action.option_strings[0][2:] for action in parser._actions]


def _flag(name: str, value: str) -> bool:
    if value.lower() not in (*_YES, *_NO):
        raise InputError(f"{name} is {value!r}", "Write yes or no")
    return value.lower() in _YES


def _require_sense(options: argparse.Namespace) -> None:
    if options.workers is not None and options.workers < 0:
        raise InputError(f"--workers {options.workers} is not possible", "Give 0 or more")
    if options.timeout is not None and not 0 < options.timeout < 1e9:
        raise InputError(f"--timeout {options.timeout:g} is not possible", "Give seconds above 0")
    if options.memory is not None and options.scheduler is not None:
        raise InputError(
            "--memory is for workers on this machine, and --scheduler takes those of a cluster",
            "Give the limit where they are started: `dask worker --memory-limit`",
        )
    if options.device == "cuda" and (options.workers or 1) > 1:
        raise InputError(
            "Several workers on this machine would share one GPU",
            "Start a worker for each GPU yourself and give --scheduler; see docs/scale.md",
        )
    if options.list is not None:
        refuse_existing([options.list], force=False)
    if options.registration not in WITHOUT_FILE:
        options.registration = str(Path(options.registration).absolute())


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 4G or 800M")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def _write_list(options: argparse.Namespace, rows: Sequence[Row]) -> None:
    absolute = [
        Row(r.place, str(options.root / r.fixed), str(options.root / r.moving), r.name, r.words)
        for r in rows
    ]
    with writing_errors(options.list):
        write_list(options.list, absolute)


def _show(
    options: argparse.Namespace, plan: Plan, rows: Sequence[Row], wrong: Sequence[str]
) -> None:
    """A table of what would run, on standard output."""
    doubts = {row.place: row.doubt for row in rows if row.doubt}
    words = {row.place: " ".join(f"{k}={v}" for k, v in row.words.items()) for row in rows}
    lines: list[tuple[str, ...]] = [("study", "stands", "fixed", "moving", "options and remarks")]
    for study in plan.studies:
        state = plan.outcomes[study.name].state
        inputs = [str(study.inputs[role]) for role in ("fixed", "moving")]
        remark = f"LOOK AT IT: {doubts[study.place]}" if study.place in doubts else ""
        told = " ".join(part for part in (words[study.place], remark) if part)
        lines.append((study.name, "to run" if state == WAITING else state, *inputs, told))
    widths = [max(len(line[n]) for line in lines) for n in range(4)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        print("  ".join([*cells, line[4]]).rstrip())
    waiting = len(plan.in_state(WAITING))
    print(f"{len(plan.studies)} studies, {waiting} to run, {len(wrong)} refused")
    if options.list is not None:
        print(f"To run {options.list} after corrections, give it with --root {options.root}")


def _refuse(wrong: Sequence[str], rows: int) -> None:
    """Say what is wrong with each row, as far as anybody reads, and end if anything is.

    Raises:
        InputError: something is.
    """
    if not wrong:
        return
    if len(wrong) == 1:
        raise InputError(wrong[0], "Nothing was started")
    for sentence in wrong[:_MOST_SHOWN]:
        print(f"  {sentence}", file=sys.stderr)
    if len(wrong) > _MOST_SHOWN:
        print(f"  and {len(wrong) - _MOST_SHOWN} more", file=sys.stderr)
    raise InputError(
        f"{len(wrong)} of {rows} studies cannot run, the first: {wrong[0].rstrip('.')}",
        "Nothing was started. Correct them and run again",
    )


def _say(run_: Run) -> int:
    """What came of it, on standard output; what went wrong, on standard error."""
    print(f"{len(run_.plan.studies)} studies: {counted(run_.summary)}.")
    for path in reports_in(run_.places.root):
        print(f"  {path}")
    failed = [s for s in run_.plan.studies if run_.plan.outcomes[s.name].is_failed]
    for study in failed[:_MOST_SHOWN]:
        warn(f"{study.name} ({study.place}) failed: {run_.plan.outcomes[study.name].words}")
    if len(failed) > _MOST_SHOWN:
        warn(f"and {len(failed) - _MOST_SHOWN} more failed; see summary.csv")
    if failed:
        print("Mend what they say and run the same command again, or add --retry failed.")
    if run_.stopped:
        warn(f"The batch ended early: {run_.stopped}")
    if run_.report_trouble:
        warn(f"The reports could not be written: {run_.report_trouble}")
    return run_.exit_code()
