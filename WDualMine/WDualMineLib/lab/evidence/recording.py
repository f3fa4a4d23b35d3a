"""Plays a step on a GPU again: to start its operations one by one takes most of the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from .batches import Stacks

_FIRST = 3
"""Steps of a shape before its operations are recorded, for libraries to settle."""


class Recorded:
    """A step that is recorded as a CUDA graph, once for each shape of what it is given.

    Args:
        step: the same operations whatever the values; what it needs besides keeps its place in
            memory, and what it gives back is overwritten by the next one.
    """

    def __init__(self, step: Callable[[Stacks], Tensor]) -> None:
        self._step = step
        self._seen: dict[tuple[int, ...], int] = {}
        self._graphs: dict[tuple[int, ...], tuple[torch.cuda.CUDAGraph, Stacks, Tensor]] = {}

    def __call__(self, stacks: Stacks) -> Tensor:
        """What ``step`` gives."""
        shape = tuple(stacks.a.shape)
        self._seen[shape] = self._seen.get(shape, 0) + 1
        if self._seen[shape] <= _FIRST:
            return self._beside(stacks)
        if shape not in self._graphs:
            self._graphs[shape] = self._record(stacks)
        graph, inputs, given = self._graphs[shape]
        new = stacks.tensors()
        for name, x in inputs.tensors().items():
            x.copy_(new[name])
        graph.replay()
        return given

    def _beside(self, stacks: Stacks) -> Tensor:
        """On a stream of its own, as recording asks for."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            given = self._step(stacks)
        torch.cuda.current_stream().wait_stream(side)
        return given

    def _record(self, stacks: Stacks) -> tuple[torch.cuda.CUDAGraph, Stacks, Tensor]:
        graph = torch.cuda.CUDAGraph()
        inputs = replace(stacks, **{name: x.clone() for name, x in stacks.tensors().items()})
        with torch.cuda.graph(graph):
            given = self._step(inputs)
        return graph, inputs, given
