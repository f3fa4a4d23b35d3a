"""``wdualmine batch``: a list, a BIDS dataset or a DICOM tree of studies, fused on Dask workers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..batch.bids_derivatives import require_own_dataset
from ..batch.cluster import cluster_at, default_workers, local_cluster, require_usable
from ..batch.places import Places
from ..batch.plan import Plan, plan_studies, proposed
from ..batch.run import Run, one_after_the_other
from ..batch.scheduler_loss import SchedulerLost
from ..batch.study import Study
from ..batch.task import Job
from ..batch.whole_results import put_back
from ..cores import usable_cores
from ..progress import Progress
from ..volumes.whole_files import writing_errors
from . import fuse
from .batch_options import add_arguments, require_sense
from .batch_rows import rows_of, rules_of, write_rows
from .batch_words import refuse, say, show_plan
from .console import ConsoleProgress

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["add_arguments", "perform", "run", "stopped"]


def run(options: argparse.Namespace) -> int:
    """Plan, fuse what is to be fused, and say how it went: 0, 4 or 1."""
    require_sense(options)
    options.output = options.output.absolute()
    places = Places(options.output)
    with ConsoleProgress() as progress:
        rows, wrong, is_proposal = rows_of(options, progress)
        plan, more = plan_studies(
            rows, places, rules_of(options, is_proposal), lambda f, m: progress(Progress(f, m))
        )
        wrong += more
    if options.list is not None:
        write_rows(options, rows)
    if options.dry_run:
        show_plan(options, plan, rows, wrong)
    refuse(wrong, len(rows))
    if options.dry_run:
        return 0
    refuse(proposed(rows), len(rows))
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
        return say(run_)
    if options.workers == 0:
        threads = options.threads or usable_cores()
        with ConsoleProgress() as run_.progress:
            run_.take(one_after_the_other(run_.waiting, job_of, threads))
        return say(run_)
    gpu = str(options.device) in ("cuda", "mps")
    try:
        _run_on_cluster(options, run_, job_of, gpu)
    finally:
        # Workers that were ended in the middle leave folders behind.
        put_back(places.studies)
    return say(run_)


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
