"""Half precision: taken where it agrees with single precision, and for nothing but the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

_HALF = {"float16": torch.float16, "bfloat16": torch.bfloat16}
HALF_PRECISION_TOLERANCE = 1 / 255
"""A difference that an 8-bit display cannot show."""


def half_precisions(precision: str, device: torch.device) -> list[torch.dtype]:
    """Half-precision types to try for a name of :data:`~.settings.PRECISION_NAMES`.

    None on a CPU, where they are slower.
    """
    if device.type == "cpu" or precision == "float32":
        return []
    return [_HALF["float16"]] if precision == "auto" else [_HALF[precision]]


def first_that_agrees(
    candidates: list[torch.dtype],
    exact: tuple[Tensor, ...],
    computed_in: Callable[[torch.dtype], tuple[Tensor, ...]],
) -> tuple[torch.dtype | None, float]:
    """The first type in which every map is what it is in float32, or None; and how far the last one
    that was tried differs from it."""
    worst = 0.0
    for candidate in candidates:
        worst = max(
            float((x - y).abs().nan_to_num(nan=1.0).max())
            for x, y in zip(exact, computed_in(candidate), strict=True)
        )
        if worst <= HALF_PRECISION_TOLERANCE:
            return candidate, worst
    return None, worst


@contextmanager
def reproducible(device: torch.device, half: torch.dtype | None) -> Iterator[None]:
    """Compute without derivatives, the same at every run, in ``half`` precision or in single."""
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
