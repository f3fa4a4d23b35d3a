"""A scheduler that goes is said in one sentence, whatever the client raises and wherever."""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="dask distributed is not installed (extra [batch])")

from distributed.client import ClosedClientError, FutureCancelledError
from distributed.comm import CommClosedError
from WDualMineLib.batch import cluster as clusters
from WDualMineLib.batch import dispatch
from WDualMineLib.batch.dispatch import Dispatcher
from WDualMineLib.batch.scheduler_loss import SchedulerLost
from WDualMineLib.batch.study import Study

from .scripted_cluster import Cluster

# Each with the status that the client then has: it does not always know yet.
FORMS = [
    (ConnectionResetError(104, "Connection reset by peer"), "running"),
    (BrokenPipeError(32, "Broken pipe"), "running"),
    (CommClosedError("in <TCP (closed)>: Stream is closed"), "running"),
    (concurrent.futures.CancelledError(), "running"),
    (asyncio.CancelledError(), "running"),
    (FutureCancelledError("key", "scheduler-connection-lost"), "running"),
    (TimeoutError("timed out"), "running"),
    (OSError("Timed out trying to connect"), "running"),
    (ClosedClientError("Client is closed"), "closed"),
    (RuntimeError("IOLoop is closed"), "closed"),
    (AttributeError("'NoneType' object has no attribute 'identity'"), "closed"),
    (UnboundLocalError("result"), "connecting"),
]
forms = pytest.mark.parametrize(
    ("error", "status"), FORMS, ids=[type(error).__name__ for error, _ in FORMS]
)
# A call, and what happens to the study until it comes to that.
CALLS = {
    "subscribe_topic": "done",
    "sync": "done",
    "submit": "done",
    "result": "done",
    "exception": "unpicklable",
    "future.cancel": "memory",
    "cancel": "hang",
}


class Leaving(Cluster):
    """Its scheduler goes at a call: that one and all that come later raise ``error``."""

    def __init__(self, call: str, error: BaseException, status: str) -> None:
        super().__init__({"a": [CALLS.get(call, "done")]})
        self._call, self._error, self._status = call, error, status
        self.gone = False

    def __getattribute__(self, name: str):
        usual = super().__getattribute__(name)
        return self._until_gone(name, usual) if name in CALLS | {"run": "", "close": ""} else usual

    def _until_gone(self, name, usual):
        def call(*arguments, **options):
            if self.gone or name == self._call:
                self.gone, self.status = True, self._status
                raise self._error
            return usual(*arguments, **options)

        return call

    def submit(self, *arguments, **options):
        future = super().submit(*arguments, **options)
        future.result = self._until_gone("result", future.result)
        future.exception = self._until_gone("exception", lambda: None)
        future.cancel = self._until_gone("future.cancel", future.cancel)
        return future

    def get_versions(self, check):
        return {}

    def run(self, *_arguments, **_options):
        return {}

    def close(self, timeout):
        pass


@forms
@pytest.mark.parametrize("call", CALLS.keys() - {"cancel"})
def test_at_any_call(call, error, status, monkeypatch):
    monkeypatch.setattr(dispatch, "_TICK_S", 0.001)
    cluster = Leaving(call, error, status)
    study = Study("row", "a", argparse.Namespace(output=Path("x")), "recipe")
    with pytest.raises(SchedulerLost, match="does not answer any more"):
        list(Dispatcher(cluster, lambda study, _threads: study).run([study]))
    assert cluster.gone


@forms
def test_while_it_is_stopped_it_is_no_matter(error, status, monkeypatch):
    """Whoever presses Ctrl-C is not told of a scheduler instead."""
    monkeypatch.setattr(dispatch, "_TICK_S", 0.001)
    cluster = Leaving("cancel", error, status)
    study = Study("row", "a", argparse.Namespace(output=Path("x")), "recipe")
    outcomes = Dispatcher(cluster, lambda study, _threads: study).run([study])
    assert next(outcomes) is None
    outcomes.close()
    assert cluster.gone


@forms
@pytest.mark.parametrize("call", ["sync", "run"])
def test_before_anything_is_given_out(call, error, status, monkeypatch):
    monkeypatch.setattr(clusters, "_require_versions", lambda _: None)
    with pytest.raises(SchedulerLost, match="does not answer any more"):
        clusters.require_usable(Leaving(call, error, status), [], gpu=False)


@forms
def test_at_the_end(error, status, monkeypatch):
    cluster = Leaving("close", error, status)
    monkeypatch.setattr("distributed.Client", lambda *_, **__: cluster)
    with clusters.cluster_at("tcp://host:8786"):
        pass
    assert cluster.gone


def test_a_defect_is_told_as_one(monkeypatch):
    """Not everything that a call raises is the scheduler's doing."""
    cluster = Leaving("submit", TypeError("cannot pickle"), "running")
    study = Study("row", "a", argparse.Namespace(output=Path("x")), "recipe")
    with pytest.raises(TypeError, match="pickle"):
        list(Dispatcher(cluster, lambda study, _threads: study).run([study]))


def test_a_result_that_went_with_its_worker_is_made_again(monkeypatch):
    monkeypatch.setattr(dispatch, "_TICK_S", 0.001)
    cluster = Cluster({"a": ["done", "done"]})
    submit, refusals = cluster.submit, [FutureCancelledError("key", "lost dependencies")]

    def submit_with_refusal(*arguments, **options):
        future = submit(*arguments, **options)
        if refusals:
            error = refusals.pop()

            def result():
                raise error

            future.result = result
        return future

    cluster.submit = submit_with_refusal
    study = Study("row", "a", argparse.Namespace(output=Path("x")), "recipe")
    ended = [item for item in Dispatcher(cluster, lambda s, _: s).run([study]) if item]
    assert [outcome.attempts for _, outcome in ended] == [2] and ended[0][1].is_done
