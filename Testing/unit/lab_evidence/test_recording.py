"""Steps that are recorded, with a graph that stands in for CUDA's: it runs when it is replayed.

That operations are recorded at all can only be seen on a GPU.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import pytest
import torch

pytest.importorskip("scipy", reason="drawing volumes needs scipy, of the extra [train]")

from WDualMineLib.lab.evidence.batches import Stacks
from WDualMineLib.lab.evidence.recording import Recorded


def stacks(value: float, depth: int = 2) -> Stacks:
    image = torch.full((1, depth, 8, 8), float(value))
    mask = torch.zeros(1, depth, 2, 2, dtype=torch.bool)
    kind = mask.byte()
    return Stacks(image, image, mask, mask, mask, mask, kind, kind, torch.ones(1), ("",))


class Step:
    """Gives the mean of what it is given; while it is recorded, the graph learns to do it again."""

    def __init__(self) -> None:
        self.calls, self.graph = 0, None

    def __call__(self, given: Stacks) -> torch.Tensor:
        self.calls += 1
        result = given.a.mean().reshape(1)
        if self.graph is not None:
            self.graph.replay = lambda: result.copy_(given.a.mean().reshape(1))
        return result


class Stream:
    def wait_stream(self, _other) -> None:
        pass


@pytest.fixture
def step(monkeypatch):
    step = Step()

    @contextmanager
    def graph(one):
        step.graph = one
        yield
        step.graph = None

    monkeypatch.setattr(torch.cuda, "CUDAGraph", type("Graph", (), {}))
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _one: nullcontext())
    return step


def test_what_is_played_is_what_was_given_last(step):
    recorded = Recorded(step)

    assert [recorded(stacks(value)).item() for value in range(8)] == list(range(8))
    assert step.calls == 4, "three as they are, one to record; the others are played"


def test_each_shape_is_recorded_by_itself(step):
    recorded = Recorded(step)
    for value in range(6):
        recorded(stacks(value))

    assert [recorded(stacks(value, depth=5)).item() for value in range(6)] == list(range(6))
    assert recorded(stacks(9.0)).item() == 9 and step.calls == 8
