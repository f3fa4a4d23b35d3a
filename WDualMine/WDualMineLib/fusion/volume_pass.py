"""One attempt at all slices of two volumes on one device, batch by batch.

Volumes go to the device in one piece where its memory allows, and maps come back from it in one:
suspicion is looked for there, too, and a GPU is fed without a transfer for each slice. The work is
a generator: it yields after every batch, and closing it there cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..network.compiled import readiness
from ..network.statistics import JointStatistics
from ..progress import Progress, Steps
from ..volumes import scratch
from ..volumes.scratch import let_go
from .devices import free_memory, is_out_of_memory, release_memory
from .evidence import reliability_steps
from .precision import first_that_agrees, half_precisions, reproducible
from .slice_tensors import add, axis_name, count_slices, cut, fullest_slice, ranges_shown
from .slices import Slicing
from .stack import Stack
from .workers import Workers

if TYPE_CHECKING:
    from .engine import SliceEngine

# Pixels in a batch. A CPU is fastest with as little as its cache holds, and answers a cancel at
# once. Fixed numbers, and not the time taken, because the size of the batch shows in the last bit
# of the result.
_CPU_PIXELS = 256 * 256
_GPU_PIXELS = 64 * 256 * 256
# From how many on the seconds that compiled loops take to load are saved again.
_LOOPS_PIXELS = 128 * 256 * 256
# Among the maps of a batch.
_RELIABILITY = 1
# Of the progress: what looking for faults takes of the whole.
_EVIDENCE = 0.2
_NO_LOOPS = "numba is installed and does not work here ({}), so slices take longer."
_SMALLER_BATCHES = "Memory ran short, so the slices were taken in smaller batches."


class TooLittleMemory(Exception):
    """Not even one slice fits into the memory of the present device."""


class VolumePass:
    """The network of an engine over two volumes.

    Args:
        engine: with its device, whose precision is settled here.
        a, b: float32 (K, J, I) in [0, 1], contiguous.
        slicings: the axes along which to cut; the maps are the mean over them.
        statistics: of the two volumes, on the engine's device.
        sensitivity: whether the derivatives of the residual are wanted, too.
    """

    def __init__(
        self,
        engine: SliceEngine,
        a: np.ndarray,
        b: np.ndarray,
        slicings: tuple[Slicing, ...],
        statistics: JointStatistics,
        sensitivity: bool,
    ) -> None:
        self._engine, self._device = engine, engine.device
        self._arrays, self._slicings = (a, b), slicings
        self._statistics, self._sensitivity = statistics, sensitivity
        pixels = a.size * len(slicings)
        # By the volume, not by what is loaded already: no result depends on the ones before.
        self._loops = engine.device.type == "cpu" and not sensitivity and pixels >= _LOOPS_PIXELS

    def steps(self, spacing: tuple[float, float, float]) -> Steps[list[np.ndarray]]:
        """Residual, reliability of a, arbitration and, if wanted, both derivatives; float32
        (K, J, I) each.

        Args:
            spacing: of K, J, I in mm.

        Raises:
            TooLittleMemory: a single slice is too many for the device.
        """
        if self._loops:
            # Beside the search for faults.
            readiness.prepare()
        count = 5 if self._sensitivity else 3
        needed = (2 + count) * self._arrays[0].nbytes
        home = self._device if needed < free_memory(self._device) / 2 else torch.device("cpu")
        with _short_of_room():
            sources = [torch.from_numpy(x).to(home) for x in self._arrays]
        reliability = yield from self._looked_for_faults(sources, spacing)
        release_memory(self._device)
        if reliability is not None:
            sources.append(reliability)
        outputs: list[Tensor | None] = [None] * count
        with _short_of_room():
            for k in range(count):
                # What is known of the reliability comes back as it is, and needs no second place.
                if k != _RELIABILITY or reliability is None:
                    outputs[k] = _everywhere(0.0, sources[0])
        yield from self._filled(outputs, sources)
        found = [sources[-1] if output is None else output for output in outputs]
        if self._engine.half is not None and not all(bool(x.isfinite().all()) for x in found):
            self._engine.note_once("Half precision overflowed, so float32 was used.")
            self._engine.precision, self._engine.half = "float32", None
            for output in outputs:
                if output is not None:
                    output.zero_()
            yield from self._filled(outputs, sources)
        return [x.cpu().numpy() for x in found]

    def _looked_for_faults(
        self, sources: list[Tensor], spacing: tuple[float, float, float]
    ) -> Steps[Tensor | None]:
        """Reliability of a, (K, J, I); None if the network judges slice by slice."""
        network = getattr(self._engine.model, "evidence", None)
        if network is None:
            return None
        slicing = self._slicings[0]
        with _short_of_room():
            reliability = _everywhere(0.5, sources[0])
        a, b, into = (Stack(x, slicing) for x in (*sources, reliability))
        k, j, i = (spacing[axis] for axis in slicing.permutation)
        steps = reliability_steps(network, a, b, (k, j, i), into)
        try:
            while True:
                try:
                    with _short_of_room(), reproducible(self._device, None):
                        step = next(steps)
                except StopIteration:
                    return reliability
                yield Progress(_EVIDENCE * step.fraction, step.message)
        finally:
            steps.close()

    def _filled(self, outputs: list[Tensor | None], sources: list[Tensor]) -> Steps[None]:
        """Every slice once along each axis."""
        trial = fullest_slice(*self._arrays, self._slicings[0])
        bytes_per_pixel = self._try_out([cut(x, self._slicings[0], trial) for x in sources])
        total = sum(count_slices(self._arrays[0], slicing) for slicing in self._slicings)
        begun = 0.0 if len(sources) == 2 else _EVIDENCE
        done = 0
        if self._loops:
            self._loops = yield from readiness.waited_for(begun)
            if problem := readiness.problem():
                self._engine.note_once(_NO_LOOPS.format(problem))
        with Workers(self._device) as workers:
            for slicing in self._slicings:
                height, width = (sources[0].shape[k] for k in slicing.permutation[1:])
                size = self._batch_size(height * width, bytes_per_pixel)
                ranges, empty = ranges_shown(sources, slicing)
                put = partial(_put_back, outputs, slicing, 1 / len(self._slicings))
                while ranges:
                    start, end = ranges.pop(0)
                    stop = min(start + size * workers.count, end)
                    batches = [slice(k, min(k + size, stop)) for k in range(start, stop, size)]
                    maps = self._maps_or_none(workers, sources, slicing, batches)
                    if maps is None:
                        if size == 1 and workers.count == 1:
                            raise TooLittleMemory
                        size, workers.count = max(1, size // 2), 1
                        release_memory(self._device)
                        self._engine.note_once(_SMALLER_BATCHES)
                        ranges.insert(0, (start, end))
                        continue
                    workers.map(put, list(zip(batches, maps, strict=True)))
                    if stop < end:
                        ranges.insert(0, (stop, end))
                    done += stop - start
                    if empty and start == empty[0]:
                        for k in empty[1:]:
                            put((slice(k, k + 1), tuple(x[-1:] for x in maps[0])))
                        done += len(empty) - 1
                    message = f"Fused {done} of {total} {axis_name(self._slicings)} slices"
                    let_go()
                    yield Progress(begun + (1 - begun) * done / total, message)

    def _maps_or_none(
        self, workers: Workers, sources: list[Tensor], slicing: Slicing, batches: list[slice]
    ) -> list[tuple[Tensor, ...]] | None:
        """Maps of some batches; None if memory ran out."""
        try:
            with _short_of_room():
                return workers.map(
                    lambda batch: self._fused([cut(x, slicing, batch) for x in sources]), batches
                )
        except TooLittleMemory:
            return None

    def _fused(self, slices: list[Tensor]) -> tuple[Tensor, ...]:
        """Maps of slices of both sources and, where there is one, of the reliability."""
        a, b, *reliability = slices
        known = reliability[0] if reliability else None
        return self._engine.batch(
            a, b, self._statistics, known, self._sensitivity, loops=self._loops
        )

    def _try_out(self, slices: list[Tensor]) -> float:
        """Settle the precision on the fullest slice; returns bytes of memory for each pixel."""
        engine, device = self._engine, self._device
        candidates = half_precisions(engine.precision, device)
        if device.type == "cpu" and not candidates:
            if engine.precision not in ("auto", "float32"):
                engine.note_once(f"{engine.precision} acts on a GPU only, so float32 was used.")
            return 0.0
        needed = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            before = torch.cuda.memory_allocated(device)
        with _short_of_room():
            exact = self._fused(slices)
            if device.type == "cuda":
                needed = torch.cuda.max_memory_allocated(device) - before
            engine.half, worst = first_that_agrees(
                candidates, exact, lambda candidate: self._fused_in(candidate, slices)
            )
        if candidates and engine.half is None and engine.precision != "auto":
            differs = f"{engine.precision} differs from float32 by up to {worst:.3f}"
            engine.note_once(f"{differs}, so float32 was used.")
        return needed / slices[0].numel()

    def _fused_in(self, half: torch.dtype, slices: list[Tensor]) -> tuple[Tensor, ...]:
        self._engine.half = half
        return self._fused(slices)

    def _batch_size(self, pixels: int, bytes_per_pixel: float) -> int:
        if self._device.type == "cpu":
            return max(1, _CPU_PIXELS // pixels)
        size = _GPU_PIXELS // pixels
        if bytes_per_pixel:
            size = min(size, int(0.7 * free_memory(self._device) / (bytes_per_pixel * pixels)))
        return max(1, size)


def _everywhere(value: float, like: Tensor) -> Tensor:
    """One value at all voxels; beside the sources, and on the disk where they are large."""
    if like.device.type == "cpu":
        return torch.from_numpy(scratch.full(tuple(like.shape), value))
    return torch.full_like(like, value)


def _put_back(
    outputs: list[Tensor | None],
    slicing: Slicing,
    weight: float,
    result: tuple[slice, tuple[Tensor, ...]],
) -> None:
    batch, maps = result
    for output, values in zip(outputs, maps, strict=True):
        if output is not None:
            add(output, slicing, batch, values, weight)


@contextmanager
def _short_of_room() -> Iterator[None]:
    """Turn what devices raise when memory runs out into :class:`TooLittleMemory`."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise TooLittleMemory from None
