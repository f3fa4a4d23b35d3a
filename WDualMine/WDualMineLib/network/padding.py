"""Padding of slices of any size to what the network needs, and back."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def pad_to_multiple(x: Tensor, multiple: int, least: int) -> Tensor:
    """Enlarge (N, C, H, W) below and to the right until the sides fit.

    Reflection, which continues texture; where a side is too short to be reflected, its last row or
    column is repeated.

    Args:
        x: slices.
        multiple: both sides become a multiple of this.
        least: and at least this long (a multiple of ``multiple``).
    """
    for axis in (2, 3):
        missing = max(least, -(-x.shape[axis] // multiple) * multiple) - x.shape[axis]
        if not missing:
            continue
        mode = "reflect" if missing < x.shape[axis] else "replicate"
        x = F.pad(x, (0, 0, 0, missing) if axis == 2 else (0, missing, 0, 0), mode=mode)
    return x


def crop(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo :func:`pad_to_multiple`: the first ``size`` (H, W) of (N, C, ., .)."""
    return x[:, :, : size[0], : size[1]]
