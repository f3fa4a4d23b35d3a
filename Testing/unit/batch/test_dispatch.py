"""What a lost worker means, on a cluster that is told when to lose one."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="dask distributed is not installed (extra [batch])")

from WDualMineLib.batch import dispatch
from WDualMineLib.batch.dispatch import MOST_DEATHS, MOST_MEMORY_DEATHS, Dispatcher, SchedulerLost
from WDualMineLib.batch.study import (
    DONE,
    LOST,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    Study,
)

from .scripted_cluster import Cluster


@pytest.fixture
def dispatch_all(monkeypatch):
    """Run studies by a script; outcomes by name, and the cluster."""
    monkeypatch.setattr(dispatch, "_TICK_S", 0.001)
    monkeypatch.setattr(dispatch, "_NANNY_BACK_S", 0.05)
    monkeypatch.setattr(dispatch, "_GRACE_S", 0.02)

    def dispatch_all(script, workers: int = 1, timeout: float | None = None):
        cluster = Cluster(script, workers)
        options = argparse.Namespace(output=Path("x"))
        studies = [Study("row", name, options, "recipe", timeout) for name in script]
        runner = Dispatcher(cluster, lambda study, _threads: study)
        ended = {item[0].name: item[1] for item in runner.run(studies) if item is not None}
        return ended, cluster

    return dispatch_all


def test_a_preempted_study_is_given_out_however_often(dispatch_all):
    ended, _ = dispatch_all({"a": ["leaves"] * 12 + ["node"] * 6})
    assert ended["a"].state == DONE and ended["a"].attempts == 19


def test_a_study_that_takes_too_much_memory_is_not_tried_for_ever(dispatch_all):
    ended, _ = dispatch_all({"a": ["memory"] * 50, "b": ["done"]})
    assert ended["a"].kind == OUT_OF_MEMORY and ended["a"].attempts == MOST_MEMORY_DEATHS
    assert "--memory" in ended["a"].words
    assert ended["b"].state == DONE


def test_one_death_of_memory_may_be_the_doing_of_others(dispatch_all):
    ended, _ = dispatch_all({"a": ["memory", "done"]})
    assert ended["a"].state == DONE


def test_a_study_that_ends_its_workers_is_not_tried_for_ever(dispatch_all):
    ended, _ = dispatch_all({"a": ["dies"] * 50})
    assert ended["a"].kind == LOST and ended["a"].attempts == MOST_DEATHS


def test_a_study_that_hangs_is_ended_with_its_worker(dispatch_all):
    ended, cluster = dispatch_all({"a": ["hang"], "b": ["done"]}, timeout=0.05)
    assert ended["a"].kind == OUT_OF_TIME and cluster.restarted == ["w0"]
    assert ended["b"].state == DONE


def test_a_worker_that_can_do_nothing_gets_no_more(dispatch_all):
    """Else it would end all studies in a moment, while the others are at work."""
    ended, _ = dispatch_all({"a": ["unfit"], "b": ["done"], "c": ["done"]}, workers=2)
    assert [ended[name].state for name in "abc"] == [DONE] * 3 and ended["a"].attempts == 2


def test_only_workers_with_a_gpu_where_one_is_asked_for(monkeypatch):
    monkeypatch.setattr(dispatch, "_TICK_S", 0.001)
    cluster = Cluster({name: [] for name in "abc"}, workers=2)
    cluster.workers["w1"]["resources"] = {"GPU": 1}
    asked = []
    submit = cluster.submit
    monkeypatch.setattr(
        cluster,
        "submit",
        lambda *a, **k: (asked.append((k["workers"], k["resources"])), submit(*a, **k))[1],
    )
    studies = [Study("row", name, argparse.Namespace(), "r") for name in "abc"]
    runner = Dispatcher(cluster, lambda study, _threads: study, gpu=True)
    assert len([item for item in runner.run(studies) if item]) == 3
    assert asked == [(["w1"], {"GPU": 1})] * 3


def test_a_busy_machine_loses_nobody(dispatch_all, monkeypatch):
    monkeypatch.setattr(dispatch, "_LOOK_S", 0.01)
    ended, _ = dispatch_all({"a": ["slow"], "b": ["slow"]}, workers=2)
    assert [ended[name].attempts for name in "ab"] == [1, 1]


def test_a_cluster_without_workers_is_waited_for_and_not_for_ever(dispatch_all, monkeypatch):
    monkeypatch.setattr(dispatch, "_NO_WORKERS_S", 0.05)
    monkeypatch.setattr(dispatch, "_LOOK_S", 0.01)
    with pytest.raises(SchedulerLost, match="no workers"):
        dispatch_all({"a": ["done"]}, workers=0)
