"""The Dask cluster that a batch runs on: one of its own, or one by address, looked at first."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cores import usable_cores
from ..errors import InputError, WDualMineError
from ..version import __version__
from ..volumes.memory import free_bytes
from .scheduler_loss import asking, close_quietly

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_CONNECT_S, _CLOSE_S = 8, 5
GPU = "GPU"
"""Name of the Dask resource by which a worker says that it has one."""

# Memory that stays for the system and for this process.
_SHARE_FOR_WORKERS = 0.85


@contextmanager
def local_cluster(workers: int, threads: int, memory: int | None, gpu: bool) -> Iterator[Client]:
    """Workers on this machine, each a process with a nanny, ended with the body.

    Args:
        workers: how many.
        threads: that each may use.
        memory: bytes that each may take; None for an equal part of what is free.
        gpu: whether they offer the GPU.

    Raises:
        WDualMineError: they could not be started.
    """
    import dask
    from distributed import Client, LocalCluster

    each = memory or int(free_bytes() * _SHARE_FOR_WORKERS / workers)
    settings = {
        # Read when a worker starts, before any library is loaded. In place of Dask's own, which
        # sets MALLOC_TRIM_THRESHOLD_: with that every array is new memory that the system clears
        # first, and a study takes more than twice the processor time.
        "distributed.nanny.pre-spawn-environ": {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads,
        },
        # A killed worker, the full disk: said by the batch in its own words.
        "logging.distributed": "critical",
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.pause": False,
    }
    with (
        tempfile.TemporaryDirectory(prefix="wdualmine-", ignore_cleanup_errors=True) as scratch,
        _environment(DASK_LOGGING__DISTRIBUTED="critical"),
        dask.config.set(settings),
        ExitStack() as ending,
    ):
        try:
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=each,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=60,
                resources={GPU: 1} if gpu else None,
                local_directory=scratch,
            )
            ending.callback(_close_cluster, cluster)
            client = Client(cluster, timeout=_CONNECT_S, set_as_default=False)
            ending.callback(close_quietly, client, _CLOSE_S)
        except (OSError, RuntimeError, TimeoutError, asyncio.CancelledError) as error:
            raise WDualMineError(
                f"The workers could not be started: {_reason(error)}",
                "Ask for fewer --workers, or for --workers 0, which needs none",
            ) from error
        yield client


@contextmanager
def cluster_at(address: str) -> Iterator[Client]:
    """A cluster that runs already.

    Raises:
        InputError: nobody answers there, or what answers is no scheduler of this kind.
    """
    from distributed.utils import silence_logging_cmgr

    # A scheduler that goes is said by the batch, and not by a trace of each attempt to reconnect.
    with silence_logging_cmgr("critical"):
        client = _client_at(address)
        try:
            yield client
        finally:
            close_quietly(client, _CLOSE_S)


def _client_at(address: str) -> Client:
    from distributed import Client

    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError, asyncio.CancelledError) as error:
        raise InputError(
            f"There is no Dask scheduler at {address}: {_reason(error)}",
            "Start one by `dask scheduler` and give the address that it prints, such as "
            "tcp://host:8786",
        ) from error
    except Exception as error:
        # Another version's messages are not understood, and every version says so otherwise.
        raise InputError(
            f"What answers at {address} is no Dask scheduler that this one understands: {error!r}",
            "Install the same version of dask and distributed everywhere",
        ) from error


def require_usable(client: Client, paths: Sequence[Path], gpu: bool) -> None:
    """Refuse a cluster on which studies would fail: versions, files, GPU.

    Args:
        paths: that each worker must see: the output folder and some inputs.
        gpu: whether a GPU was asked for.

    Raises:
        InputError, WDualMineError: says which worker, and what it lacks.
        SchedulerLost: it does not answer any more.
    """
    workers = workers_of(client)
    if not workers:
        raise InputError(
            "The scheduler has no workers", "Start some by `dask worker ADDRESS --nthreads 1`"
        )
    _require_versions(client)
    with asking(client):
        answers: dict[str, Any] = client.run(
            _look, [str(path) for path in paths], on_error="return"
        )
    _, ours, _ = _look([])
    for address, answer in answers.items():
        if isinstance(answer, BaseException):
            raise InputError(
                f"The worker {address} cannot run WDualMine: {type(answer).__name__}: {answer}",
                "Install the same wdualmine[batch] there",
            )
        version, weights, missing = answer
        if version != __version__:
            raise InputError(
                f"The worker {address} has WDualMine {version}, and here it is {__version__}",
                "Install the same version everywhere",
            )
        if weights != ours:
            raise InputError(
                f"The worker {address} has other network weights than those that ship here",
                "Install the same wdualmine everywhere, or give --weights on a shared disk",
            )
        if missing:
            raise InputError(
                f"The worker {address} does not see {missing[0]}",
                "Give paths that are the same on all machines, on a disk that all share",
            )
    if gpu and not any(info.get("resources", {}).get(GPU) for info in workers.values()):
        raise WDualMineError(
            "No worker says that it has a GPU, and --device asks for one",
            f"Start them by `dask worker ADDRESS --resources {GPU}=1`, one a GPU, or leave "
            "--device out",
        )


def workers_of(client: Client) -> dict[str, dict[str, Any]]:
    """Address of each worker to what the scheduler knows of it.

    Not by ``client.scheduler_info``: what that returns may be that of the client's own periodic
    update in between, which has no workers.

    Raises:
        SchedulerLost: the scheduler does not answer.
    """
    with asking(client):
        # Any: a closed client has none, which is an AttributeError and means its loss.
        scheduler: Any = client.scheduler
        return client.sync(scheduler.identity, n_workers=-1)["workers"]


def default_workers(memory: int | None) -> int:
    """As many as there are cores, as far as the memory allows."""
    most = usable_cores()
    return max(1, min(most, int(free_bytes() / memory))) if memory else most


def _require_versions(client: Client) -> None:
    with asking(client):
        # Any: a coroutine only for asynchronous clients.
        told: Any = client.get_versions(check=False)
    ours = told["client"]["packages"]
    others = {"The scheduler": told["scheduler"]["packages"]} | {
        f"The worker {address}": worker["packages"] for address, worker in told["workers"].items()
    }
    for who, packages in others.items():
        for package in ("distributed", "dask", "msgpack"):
            if packages.get(package) != ours.get(package):
                raise InputError(
                    f"{who} has {package} {packages.get(package)}, and here it is "
                    f"{ours.get(package)}",
                    "Install the same version everywhere",
                )
        if packages.get("python", "").split(".")[:2] != ours["python"].split(".")[:2]:
            raise InputError(
                f"{who} runs on Python {packages.get('python')}, and this on {ours['python']}",
                "Use the same Python everywhere",
            )


def _look(paths: list[str]) -> tuple[str, str, list[str]]:
    """Asked of every worker: its version and weights, and which of ``paths`` it does not see."""
    from ..network.weights import weights_hash

    return __version__, weights_hash(), [path for path in paths if not os.path.exists(path)]


def _reason(error: BaseException) -> str:
    """The first line of what it says."""
    return next(iter(str(error).strip().splitlines()), "no answer")[:200]


def _close_cluster(cluster: LocalCluster) -> None:
    with suppress(Exception, asyncio.CancelledError):
        cluster.close(timeout=_CLOSE_S)


@contextmanager
def _environment(**words: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in words}
    os.environ.update(words)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
