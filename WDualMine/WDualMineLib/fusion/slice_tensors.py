"""Slices of volumes as tensors: cut out, put back, counted and named."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ..volumes.scratch import let_go
from .slices import THREE_PLANE, Slicing


def cut(volume: Tensor, slicing: Slicing, batch: slice) -> Tensor:
    """(N, 1, H, W): some slices of a (K, J, I) tensor, the right way up."""
    slices = _ordered(volume, slicing)[batch].flip(_turned(slicing)).unsqueeze(1)
    return slices.contiguous()


def add(volume: Tensor, slicing: Slicing, batch: slice, maps: Tensor, weight: float) -> None:
    """Put (N, 1, H, W) maps back where :func:`cut` took the slices, added with ``weight``."""
    with torch.inference_mode():
        values = maps[:, 0].flip(_turned(slicing)).to(volume.device)
        _ordered(volume, slicing)[batch].add_(values, alpha=weight)


def count_slices(a: np.ndarray, slicing: Slicing) -> int:
    """Slices that a (K, J, I) array has along an axis."""
    return a.shape[slicing.permutation[0]]


def ranges_shown(
    sources: list[Tensor], slicing: Slicing
) -> tuple[list[tuple[int, int]], list[int]]:
    """Which slices have to be looked at: those that show anything, and one for all that do not.

    Args:
        sources: a, b and, where it is known, the reliability of a: (K, J, I) each.

    Returns:
        Ranges of slices (first, last + 1), and the empty ones: those with 0 in both sources, and
        even trust. The first of these is a range of its own.
    """
    a, b, *known = (_ordered(x, slicing) for x in sources)
    seen = []
    for slices in zip(a, b, *known, strict=True):
        shows = slices[0].any() | slices[1].any()
        for reliability in slices[2:]:
            shows = shows | (reliability != 0.5).any()
        seen.append(shows)
        let_go()
    shown: list[bool] = torch.stack(seen).tolist()
    empty = [k for k, is_shown in enumerate(shown) if not is_shown]
    edges = [k for k in range(1, len(shown)) if shown[k] != shown[k - 1]]
    ranges = [r for r in pairwise([0, *edges, len(shown)]) if shown[r[0]]]
    return [(k, k + 1) for k in empty[:1]] + ranges, empty


def fullest_slice(a: np.ndarray, b: np.ndarray, slicing: Slicing) -> slice:
    """The slice with the most to see, of nine spread over the volume."""
    ordered = [x.transpose(slicing.permutation) for x in (a, b)]
    candidates = np.unique(np.linspace(0, len(ordered[0]) - 1, 9).astype(int))
    best = max(candidates, key=lambda k: sum(float(x[k].sum()) for x in ordered))
    return slice(int(best), int(best) + 1)


def slice_size(a: np.ndarray, slicing: Slicing) -> str:
    """Width x height of a slice, for messages."""
    height, width = (a.shape[k] for k in slicing.permutation[1:])
    return f"{width} x {height}"


def axis_name(slicings: tuple[Slicing, ...]) -> str:
    """The name of the settings' axis that these slicings stand for."""
    return slicings[0].axis if len(slicings) == 1 else THREE_PLANE


def _ordered(volume: Tensor, slicing: Slicing) -> Tensor:
    return volume.permute(slicing.permutation)


def _turned(slicing: Slicing) -> list[int]:
    # The order of the slices does not matter to a network that sees one at a time.
    return [k for k in (1, 2) if slicing.flipped[k]]
