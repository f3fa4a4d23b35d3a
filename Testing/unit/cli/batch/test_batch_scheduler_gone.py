"""A real client whose scheduler goes at a chosen moment: exit code, words, and what is kept."""

from __future__ import annotations

import asyncio
import concurrent.futures

import pytest

distributed = pytest.importorskip(
    "distributed", reason="dask distributed is not installed (extra [batch])"
)

from distributed.comm import CommClosedError

from .test_batch_cluster import a_cluster

FORMS = [
    ConnectionResetError(104, "Connection reset by peer"),
    BrokenPipeError(32, "Broken pipe"),
    CommClosedError("Stream is closed"),
    concurrent.futures.CancelledError(),
    asyncio.CancelledError(),
    TimeoutError("timed out"),
]


@pytest.fixture(scope="module")
def address():
    """A scheduler and a worker, each in a process of its own."""
    with a_cluster() as (address, *_):
        yield address


@pytest.fixture
def goes_after(monkeypatch):
    """From the nth call of ``name`` on, that call and asking for workers raise ``error``."""

    def goes_after(owner: type, name: str, count: int, error: BaseException) -> None:
        usual, sync = getattr(owner, name), distributed.Client.sync
        calls: list[int] = []

        def call(*arguments, **options):
            calls.append(1)
            if len(calls) >= count:
                raise error
            return usual(*arguments, **options)

        def asked(client, function, *arguments, **options):
            if len(calls) >= count and "n_workers" in options:
                raise error
            return sync(client, function, *arguments, **options)

        monkeypatch.setattr(distributed.Client, "sync", asked)
        monkeypatch.setattr(owner, name, call)

    return goes_after


@pytest.fixture
def batch(run, studies, tmp_path, address):
    def batch():
        return run("batch", studies(3), "-o", tmp_path / "out", "--scheduler", address)

    return batch


@pytest.mark.parametrize("error", FORMS, ids=lambda error: type(error).__name__)
def test_in_the_middle(batch, goes_after, table, tmp_path, error):
    goes_after(distributed.Future, "result", 2, error)
    code, out, err = batch()
    assert code == 4 and "does not answer any more" in err, err
    assert "cannot be written" not in err and "lock" not in err
    states = [row["state"] for row in table(tmp_path / "out").values()]
    assert states.count("done") == 2 and states.count("waiting") == 1, out


def test_what_was_done_when_nobody_could_be_told_any_more(batch, goes_after, table, tmp_path):
    """The result stands on the disk, and its worker had nobody to say so to."""
    goes_after(distributed.Future, "result", 1, FORMS[0])
    code, out, err = batch()
    assert code == 4 and "1 done, 2 not come to" in out, err
    rows = table(tmp_path / "out")
    done = [row for row in rows.values() if row["state"] == "done"]
    assert len(done) == 1 and float(done[0]["cc_over_bound"]) > 0.9, rows


def test_before_the_first_study(batch, goes_after, table, tmp_path):
    """None is done, which is 1; it is no bad input."""
    goes_after(distributed.Client, "get_versions", 1, FORMS[0])
    code, _, err = batch()
    assert code == 1 and "does not answer any more" in err, err
    assert {row["state"] for row in table(tmp_path / "out").values()} == {"waiting"}


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), asyncio.CancelledError()])
def test_once_all_is_done(batch, goes_after, error):
    goes_after(distributed.Client, "close", 1, error)
    code, _, err = batch()
    assert code == 0 and "answer" not in err, err


def test_workers_that_cannot_be_started(run, studies, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    code, _, err = run("batch", studies(1), "-o", tmp_path / "out", "--workers", 1)
    assert code == 2 and "workers could not be started" in err and "--workers 0" in err, err
