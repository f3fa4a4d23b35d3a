"""What a user can choose about a registration."""

from __future__ import annotations

from dataclasses import dataclass

import SimpleITK as sitk

from ..cores import usable_cores
from ..errors import InputError

KINDS = ("rigid", "affine", "none")


@dataclass(frozen=True)
class RegistrationSettings:
    """How the moving volume is to be aligned.

    Attributes:
        kind: "rigid" (6 parameters), "affine" (12), or "none": ``initial_transform`` (identity when
            absent, for volumes that share a frame of reference) is taken as it is and only judged.
        initial_transform: SimpleITK transform from fixed to moving points (LPS, mm) to start from.
        seed: of every random choice; equal seeds give equal transforms on a machine.
        threads: at most so many threads; None takes what the process may use.

    Raises:
        InputError: an unknown kind, or a number out of range.
    """

    kind: str = "rigid"
    initial_transform: sitk.Transform | None = None
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"Registration kind {self.kind!r} is not known", f"Choose one of {', '.join(KINDS)}"
            )
        if self.seed < 0:
            raise InputError(f"Seed {self.seed} is negative", "Give a seed of 0 or more")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"{self.threads} threads were asked for", "Give 1 thread or more")

    def usable_threads(self) -> int:
        """Threads to use: the wish, bounded by the processors this process may run on."""
        return max(1, min(self.threads or available_threads(), available_threads()))


def available_threads() -> int:
    """Processors that this process may use, bounded by ITK's own cap."""
    return max(1, min(usable_cores(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()))
