"""When a volume takes compiled loops, and what is told where they do not work."""

from __future__ import annotations

import builtins
import threading

import numpy as np
import pytest
import torch
from WDualMineLib.fusion import volume_pass
from WDualMineLib.fusion.engine import SliceEngine
from WDualMineLib.fusion.preview import fuse_slice
from WDualMineLib.fusion.slices import Slicing
from WDualMineLib.network.compiled import readiness
from WDualMineLib.network.statistics import joint_statistics
from WDualMineLib.network.weights import load_model
from WDualMineLib.progress import finish

AXIAL = (Slicing("axial", (0, 1, 2), (False, False, False)),)


@pytest.fixture
def volumes() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.random.default_rng(1).random((2, 4, 40, 33), dtype=np.float32)
    a[:, 30:] = b[:, 30:] = 0
    return a, b


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not asked for loops yet."""
    for name in ("_thread", "_fused", "_problem"):
        monkeypatch.setattr(readiness, name, None)


def seen_by(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For every batch to come, whether it is to take loops."""
    seen: list[bool] = []
    batch = SliceEngine.batch

    def watched(self: SliceEngine, *given: object, loops: bool = False) -> object:
        seen.append(loops)
        return batch(self, *given, loops=loops)

    monkeypatch.setattr(SliceEngine, "batch", watched)
    return seen


def test_a_small_volume_does_not_wait_for_loops(volumes, monkeypatch, nothing_loaded):
    seen = seen_by(monkeypatch)

    finish(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL))

    assert seen and not any(seen) and readiness._thread is None


def test_a_large_volume_is_the_same_with_loops(volumes, monkeypatch, nothing_loaded):
    pytest.importorskip("numba", reason="compiled loops need numba")
    wanted = finish(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL))
    monkeypatch.setattr(volume_pass, "_LOOPS_PIXELS", volumes[0].size)
    seen = seen_by(monkeypatch)

    steps = list_of(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL))

    *progress, found = steps
    assert seen and all(seen)
    assert found.notes == wanted.notes
    for name in ("residual", "reliability", "arbitration"):
        assert np.abs(getattr(found, name) - getattr(wanted, name)).max() < 1e-4
    fractions = [x.fraction for x in progress]
    assert fractions == sorted(fractions)


def test_derivatives_are_taken_without_loops(volumes, monkeypatch, nothing_loaded):
    monkeypatch.setattr(volume_pass, "_LOOPS_PIXELS", 0)
    seen = seen_by(monkeypatch)

    finish(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL, sensitivity=True))

    assert seen and not any(seen)


def test_without_numba_nothing_is_said(volumes, monkeypatch, nothing_loaded):
    monkeypatch.setattr(volume_pass, "_LOOPS_PIXELS", 0)
    monkeypatch.setattr(readiness, "find_spec", lambda name: None)
    seen = seen_by(monkeypatch)

    maps = finish(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL))

    assert seen and not any(seen) and maps.notes == []


def test_a_numba_that_does_not_work_is_told_and_done_without(volumes, monkeypatch, nothing_loaded):
    importing = builtins.__import__

    def refusing(name: str, *rest: object, **more: object) -> object:
        if threading.current_thread().name == "WDualMine loops" and name.endswith("whole"):
            raise ImportError("Numba needs NumPy 2.0 or less")
        return importing(name, *rest, **more)

    monkeypatch.setattr(volume_pass, "_LOOPS_PIXELS", 0)
    monkeypatch.setattr(readiness, "find_spec", lambda name: object())
    monkeypatch.setattr(builtins, "__import__", refusing)
    seen = seen_by(monkeypatch)

    maps = finish(SliceEngine(load_model(), "cpu").steps(*volumes, AXIAL))

    assert seen and not any(seen)
    (note,) = maps.notes
    assert "Numba needs NumPy 2.0 or less" in note and "take longer" in note


def test_a_preview_takes_loops_that_are_there_and_waits_for_none(monkeypatch, nothing_loaded):
    seen = seen_by(monkeypatch)
    a, b = np.random.default_rng(2).random((2, 24, 24), dtype=np.float32)
    statistics = joint_statistics(*(torch.from_numpy(x).flatten()[None] for x in (a, b)))
    engine = SliceEngine(load_model(), "cpu")
    even = np.full_like(a, 0.5)

    fuse_slice(a, b, engine, statistics=statistics, reliability=even)
    monkeypatch.setattr(readiness, "_fused", lambda model, *rest: (rest[0], rest[1]))
    fuse_slice(a, b, engine, statistics=statistics, reliability=even)
    fuse_slice(a, b, engine)

    assert seen == [False, True, False], "an image that stands alone is fused as ever"
    assert readiness._thread is None


def list_of(steps) -> list:
    """What a generator yields, and then what it returns."""
    found = []
    try:
        while True:
            found.append(next(steps))
    except StopIteration as end:
        return [*found, end.value]
