"""The slice engine: the network on a device that works, over slices and over whole volumes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import DeviceError
from ..network.compiled.readiness import used
from ..network.sensitivity import sensitive
from ..network.statistics import JointStatistics
from ..progress import Steps
from .devices import choose_device, describe, keep_freed_memory, release_memory
from .precision import reproducible
from .slice_tensors import slice_size
from .slices import Slicing
from .volume_pass import TooLittleMemory, VolumePass
from .volume_statistics import statistics_of
from .workers import Workers


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
        with Workers(torch.device("cpu")) as workers:
            # One thread: the steps are so short that more would mostly wait for each other.
            (statistics,) = workers.map(lambda pair: statistics_of(*pair), [(a, b)])
        try:
            while True:
                try:
                    known = statistics.to(self.device)
                    attempt = VolumePass(self, a, b, slicings, known, sensitivity)
                    maps = yield from attempt.steps(spacing)
                    break
                except TooLittleMemory:
                    if self.device.type == "cpu":
                        raise DeviceError(
                            "There is too little memory for one slice of "
                            f"{slice_size(a, slicings[0])} pixels",
                            "Close other programs, or crop the volumes",
                        ) from None
                # Outside of the handler: the exception keeps the tensors that filled the memory.
                self.note_once("The GPU has too little memory, so the CPU computed instead.")
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
        loops: bool = False,
    ) -> tuple[Tensor, ...]:
        """(residual, reliability of a, arbitration) of one batch (N, 1, H, W), as float32.

        With ``sensitivity`` the derivatives of the residual by a and by b come behind them.

        ``statistics`` are those of the two volumes, ``reliability`` (N, 1, H, W) is what they tell
        of the slices; None: each slice's own. ``loops``: compiled ones where they are ready
        (:mod:`~..network.compiled`); the result is the same but for the last digits.
        """
        layout = torch.channels_last
        with reproducible(self.device, self.half), used(loops):
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

    def note_once(self, note: str) -> None:
        """Keep a sentence that the user must be told."""
        if note not in self.notes:
            self.notes.append(note)
