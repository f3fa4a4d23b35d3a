"""What a user can choose of a fusion, refused at once where it makes no sense."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np

from ..errors import InputError
from .intensity import parse_window
from .slices import AXES, THREE_PLANE

AXIS_NAMES = (*AXES, THREE_PLANE)
DEVICE_NAMES = ("auto", "cpu", "cuda", "mps")
PRECISION_NAMES = ("auto", "float32", "float16", "bfloat16")
LARGEST_STRENGTH = 2.0
DEFAULT_STRENGTH = 1.0
DEFAULT_FLOOR = 0.985
"""CC over its bound that a fused volume keeps, unless the user asks for another."""


@dataclass(frozen=True)
class FusionSettings:
    """How two volumes are fused.

    Attributes:
        fixed_window, moving_window: a name of :data:`~.intensity.WINDOW_NAMES`, or ``(lo, hi)`` in
            the volume's units (``"LO,HI"`` is read as that).
        axis: "axial", "coronal", "sagittal" in patient space, or "three-plane": the mean of all.
        strength: gain of the residual, 0 (the average of the sources) to 2.
        correlation_floor: the least CC over its bound, 0 (off) to below 1.
        colour: colour table for the functional volume: "PET-Heat", a name that matplotlib knows, or
            an (N, 3) array in [0, 1], kept as tuples; None for no colour volume.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", "float32", "float16" or "bfloat16"; half precision acts on a GPU only.
        weights: file of network weights; None for the shipped ones.
        share: whether the share of the fixed source in every fused value is mapped too; the network
            takes about three times as long then.

    Raises:
        InputError: a value outside these.
    """

    fixed_window: str | tuple[float, float] = "auto"
    moving_window: str | tuple[float, float] = "auto"
    axis: str = "axial"
    strength: float = DEFAULT_STRENGTH
    correlation_floor: float = DEFAULT_FLOOR
    colour: str | tuple[tuple[float, float, float], ...] | None = None
    device: str = "auto"
    precision: str = "auto"
    weights: str | PathLike[str] | None = None
    share: bool = False

    def __post_init__(self) -> None:
        for name in ("fixed_window", "moving_window"):
            object.__setattr__(self, name, parse_window(getattr(self, name)))
        if self.colour is not None and not isinstance(self.colour, str):
            # Tuples compare and hash, as the rest of a settings object does.
            rows = tuple(tuple(float(x) for x in row) for row in np.asarray(self.colour))
            object.__setattr__(self, "colour", rows)
        _one_of("slice axis", self.axis, AXIS_NAMES)
        _one_of("device", self.device, DEVICE_NAMES)
        _one_of("precision", self.precision, PRECISION_NAMES)
        if not 0 <= self.strength <= LARGEST_STRENGTH:
            raise InputError(
                f"The detail strength {self.strength:g} is out of range",
                f"Give a number from 0 to {LARGEST_STRENGTH:g}",
            )
        if not 0 <= self.correlation_floor < 1:
            raise InputError(
                f"The correlation floor {self.correlation_floor:g} is out of range",
                f"Give a number from 0 (off) to below 1, such as {DEFAULT_FLOOR:g}",
            )


def _one_of(kind: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"There is no {kind} {value!r}", f"Use one of {', '.join(known)}")
