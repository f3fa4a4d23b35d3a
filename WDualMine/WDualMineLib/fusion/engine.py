"""The slice engine: the network over all slices of two volumes, batch by batch.

Volumes stay on the device in one piece where its memory allows, so that a GPU is fed without a
transfer for each slice. The work is a generator: it yields after every batch, and closing it there
cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import DeviceError
from ..network.sensitivity import sensitive
from ..network.statistics import JointStatistics, joint_statistics
from ..progress import Progress, Steps
from .devices import (
    HALF_PRECISION_TOLERANCE,
    choose_device,
    describe,
    free_memory,
    half_precisions,
    is_out_of_memory,
    keep_freed_memory,
    release_memory,
)
from .evidence import reliability_steps
from .slice_tensors import (
    add,
    axis_name,
    count_slices,
    cut,
    fullest_slice,
    ranges_shown,
    slice_size,
)
from .slices import Slicing
from .workers import Workers

# Pixels in a batch. A CPU is fastest with as little as its cache holds, and answers a cancel at
# once. Fixed numbers, and not the time taken, because the size of the batch shows in the last bit
# of the result.
_CPU_PIXELS = 256 * 256
_GPU_PIXELS = 64 * 256 * 256
# Among the maps of a batch.
_RELIABILITY = 1
# Of the progress: what looking for faults takes of the whole.
_EVIDENCE = 0.2
_SMALLER_BATCHES = "Memory ran short, so the slices were taken in smaller batches."


@dataclass
class NetworkMaps:
    """What the network says of two volumes; float32 arrays of their shape (K, J, I).

    Attributes:
        residual: to be added to the average of the sources.
        reliability: of the first source, [0, 1]; the other's is 1 minus this.
        arbitration: [0, 1]; 1 = spatial expert, 0 = frequency expert.
        sensitivity: derivatives of the residual by either source, where they were asked for.
        device, precision: what computed it, for the report.
        notes: what the user must be told.
    """

    residual: np.ndarray
    reliability: np.ndarray
    arbitration: np.ndarray
    device: str
    precision: str
    notes: list[str] = field(default_factory=list)
    sensitivity: tuple[np.ndarray, np.ndarray] | None = None


class SliceEngine:
    """Runs a network over slices.

    Args:
        model: maps (a, b, statistics) to :class:`~..network.model.FusionMaps`, as
            :class:`~..network.model.DualMineNetwork` does.
            It is moved to the device, and to the CPU if that runs out of memory.
        device: a name of :data:`~.settings.DEVICE_NAMES`.
        precision: a name of :data:`~.settings.PRECISION_NAMES`.

    Raises:
        DeviceError: the device asked for is absent.
    """

    def __init__(self, model: nn.Module, device: str = "auto", precision: str = "auto") -> None:
        self.device, self.notes = choose_device(device)
        self.model = model
        self.precision = precision
        self.half: torch.dtype | None = None
        self._statistics: JointStatistics | None = None
        keep_freed_memory()
        self._move_to(self.device)

    def steps(
        self,
        a: np.ndarray,
        b: np.ndarray,
        slicings: tuple[Slicing, ...],
        spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
        sensitivity: bool = False,
    ) -> Steps[NetworkMaps]:
        """The maps of two volumes: the mean over ``slicings``; reliability along the first.

        Args:
            a, b: float32 (K, J, I) in [0, 1], contiguous.
            slicings: the axes along which to cut.
            spacing: of K, J, I in mm.
            sensitivity: also measure how the residual answers to either source, by passing the
                network backwards as well.

        Raises:
            DeviceError: not even a single slice fits into memory.
        """
        # One measure for all slices: their own would make neighbouring slices differ.
        volumes = [torch.from_numpy(x)[None] for x in (a, b)]
        with Workers(torch.device("cpu")) as workers:
            # One thread: the steps are so short that more would mostly wait for each other.
            (self._statistics,) = workers.map(lambda pair: joint_statistics(*pair), [volumes])
        try:
            while True:
                try:
                    reliability = yield from self._looked_for_faults(a, b, slicings[0], spacing)
                    release_memory(self.device)
                    maps = yield from self._attempt(a, b, slicings, reliability, sensitivity)
                    break
                except _NoRoom:
                    if self.device.type == "cpu":
                        raise DeviceError(
                            "There is too little memory for one slice of "
                            f"{slice_size(a, slicings[0])} pixels",
                            "Close other programs, or crop the volumes",
                        ) from None
                # Outside of the handler: the exception keeps the tensors that filled the memory.
                self.notes.append("The GPU has too little memory, so the CPU computed instead.")
                release_memory(self.device)
                self._move_to(torch.device("cpu"))
        finally:
            release_memory(self.device)
        precision = str(self.half or torch.float32).removeprefix("torch.")
        residual, reliability, arbitration, *slopes = maps
        return NetworkMaps(
            residual,
            reliability,
            arbitration,
            describe(self.device),
            precision,
            list(self.notes),
            tuple(slopes) or None,
        )

    def batch(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics | None = None,
        reliability: Tensor | None = None,
        sensitivity: bool = False,
    ) -> tuple[Tensor, ...]:
        """(residual, reliability of a, arbitration) of one batch (N, 1, H, W), as float32.

        With ``sensitivity`` the derivatives of the residual by a and by b come behind them.

        ``statistics`` are those of the two volumes, ``reliability`` (N, 1, H, W) is what they tell
        of the slices; None: each slice's own.
        """
        layout = torch.channels_last
        with _reproducible(self.device, self.half):
            given = (
                a.to(self.device, memory_format=layout),
                b.to(self.device, memory_format=layout),
                None if statistics is None else statistics.to(self.device),
                None if reliability is None else reliability.to(self.device),
            )
            if sensitivity:
                maps, slopes = sensitive(self.model, *given)
            else:
                maps, slopes = self.model(*given), ()
        wanted = (maps.residual, maps.reliability_a, maps.arbitration)
        return (*(x.float() for x in wanted), *slopes)

    def _move_to(self, device: torch.device) -> None:
        self.device = device
        self.half = None
        self.model.to(device=device, memory_format=torch.channels_last).eval()

    def _looked_for_faults(
        self,
        a: np.ndarray,
        b: np.ndarray,
        slicing: Slicing,
        spacing: tuple[float, float, float],
    ) -> Steps[np.ndarray | None]:
        """Reliability of a, (K, J, I); None if the network judges slice by slice."""
        network = getattr(self.model, "evidence", None)
        if network is None:
            return None
        reliability = np.empty(a.shape, dtype=np.float32)
        stacks = [slicing.stack(x) for x in (a, b, reliability)]
        distances = tuple(spacing[axis] for axis in slicing.permutation)
        steps = reliability_steps(network, *stacks[:2], distances, into=stacks[2])
        try:
            while True:
                try:
                    with _reproducible(self.device, None):
                        step = next(steps)
                except StopIteration:
                    return reliability
                yield Progress(_EVIDENCE * step.fraction, step.message)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise _NoRoom from None
        finally:
            steps.close()

    def _attempt(
        self,
        a: np.ndarray,
        b: np.ndarray,
        slicings: tuple[Slicing, ...],
        reliability: np.ndarray | None,
        sensitivity: bool,
    ) -> Steps[list[np.ndarray]]:
        """All slices on the present device; raises :class:`_NoRoom` if a single one is too many."""
        known = [a, b] if reliability is None else [a, b, reliability]
        count = 5 if sensitivity else 3
        needed = (2 + count) * a.nbytes
        home = self.device if needed < free_memory(self.device) / 2 else torch.device("cpu")
        try:
            sources = [torch.from_numpy(x).to(home) for x in known]
            outputs: list[Tensor | None] = [None] * count
            for k in range(count):
                # What is known of the reliability comes back as it is, and needs no second place.
                if k != _RELIABILITY or reliability is None:
                    outputs[k] = torch.zeros(a.shape, device=home)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise _NoRoom from None
        trial = fullest_slice(a, b, slicings[0])
        bytes_per_pixel = self._try_out([cut(x, slicings[0], trial) for x in sources], sensitivity)
        total = sum(count_slices(a, slicing) for slicing in slicings)
        begun = 0.0 if reliability is None else _EVIDENCE
        done = 0
        with Workers(self.device) as workers:
            for slicing in slicings:
                height, width = (a.shape[k] for k in slicing.permutation[1:])
                size = self._batch_size(height * width, bytes_per_pixel)
                ranges, empty = ranges_shown(sources, slicing)
                put = partial(self._put_back, outputs, slicing, 1 / len(slicings))
                while ranges:
                    start, end = ranges.pop(0)
                    stop = min(start + size * workers.count, end)
                    batches = [slice(k, min(k + size, stop)) for k in range(start, stop, size)]
                    maps = self._maps_or_none(workers, sources, slicing, batches, sensitivity)
                    if maps is None:
                        if size == 1 and workers.count == 1:
                            raise _NoRoom
                        size, workers.count = max(1, size // 2), 1
                        release_memory(self.device)
                        self._note_once(_SMALLER_BATCHES)
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
                    message = f"Fused {done} of {total} {axis_name(slicings)} slices"
                    yield Progress(begun + (1 - begun) * done / total, message)
        found = [sources[-1] if output is None else output for output in outputs]
        if self.half is not None and not all(bool(x.isfinite().all()) for x in found):
            self._note_once("Half precision overflowed, so float32 was used.")
            self.precision, self.half = "float32", None
            return (yield from self._attempt(a, b, slicings, reliability, sensitivity))
        return [x.cpu().numpy() for x in found]

    def _of(self, slices: list[Tensor], sensitivity: bool) -> tuple[Tensor, ...]:
        """Maps of slices of both sources and, where there is one, of the reliability."""
        a, b, *reliability = slices
        known = reliability[0] if reliability else None
        return self.batch(a, b, self._statistics, known, sensitivity)

    def _maps_or_none(
        self,
        workers: Workers,
        sources: list[Tensor],
        slicing: Slicing,
        batches: list[slice],
        sensitivity: bool,
    ) -> list[tuple[Tensor, ...]] | None:
        """Maps of some batches; None if memory ran out."""
        try:
            return workers.map(
                lambda batch: self._of([cut(x, slicing, batch) for x in sources], sensitivity),
                batches,
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return None

    @staticmethod
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

    def _try_out(self, slices: list[Tensor], sensitivity: bool) -> float:
        """Settle the precision on the fullest slice; returns bytes of memory for each pixel."""
        candidates = half_precisions(self.precision, self.device)
        if self.device.type == "cpu" and not candidates:
            if self.precision not in ("auto", "float32"):
                self._note_once(f"{self.precision} acts on a GPU only, so float32 was used.")
            return 0.0
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
        needed = 0
        try:
            exact = self._of(slices, sensitivity)
            if self.device.type == "cuda":
                needed = torch.cuda.max_memory_allocated(self.device) - before
            for candidate in candidates:
                self.half = candidate
                worst = max(
                    float((x - y).abs().nan_to_num(nan=1.0).max())
                    for x, y in zip(exact, self._of(slices, sensitivity), strict=True)
                )
                if worst <= HALF_PRECISION_TOLERANCE:
                    break
                self.half = None
                if self.precision != "auto":
                    self._note_once(
                        f"{self.precision} differs from float32 by up to {worst:.3f}, so float32 "
                        "was used."
                    )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise _NoRoom from None
        return needed / slices[0].numel()

    def _batch_size(self, pixels: int, bytes_per_pixel: float) -> int:
        if self.device.type == "cpu":
            return max(1, _CPU_PIXELS // pixels)
        size = _GPU_PIXELS // pixels
        if bytes_per_pixel:
            size = min(size, int(0.7 * free_memory(self.device) / (bytes_per_pixel * pixels)))
        return max(1, size)

    def _note_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class _NoRoom(Exception):
    """Not even one slice fits into the memory of the present device."""


@contextmanager
def _reproducible(device: torch.device, half: torch.dtype | None) -> Iterator[None]:
    # Entered for each batch and left before the generator yields: none of it may leak to callers.
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode())
        if device.type == "cuda":
            # TF32 is a kind of half precision: float32 has to mean float32.
            flags = {"enabled": True, "benchmark": False, "deterministic": True}
            stack.enter_context(torch.backends.cudnn.flags(**flags, allow_tf32=False))
        if half is not None:
            stack.enter_context(torch.autocast(device.type, dtype=half))
        yield
