"""Mutual information through a smooth histogram."""

from __future__ import annotations

import torch
from torch import Tensor


def _entropy(histogram: Tensor, pixel: float) -> Tensor:
    """Entropy in bits along the last axis of shares that sum to 1, one ``pixel`` at a time.

    The slope of -p log p has no bound at 0; what a whole pixel costs in an empty bin has.
    """
    return -(histogram * torch.log2(histogram.clamp_min(pixel / 4))).sum(-1)


def _cubic_spline(offset: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shares of the four nearest bins, for an ``offset`` in [0, 1] beyond the second of them."""
    rest = 1 - offset
    first, last = rest**3 / 6, offset**3 / 6
    second = 2 / 3 - offset**2 + offset**3 / 2
    return first, second, 1 - first - second - last, last


def mutual_information(fused: Tensor, source: Tensor, bins: int = 128) -> Tensor:
    """Mutual information of each slice with its source, by Parzen windows along ``fused``.

    Every pixel of ``fused`` is shared among four bins by a cubic B-spline; ``source`` is assigned
    to one bin. The window has to be wide: 8-bit sources make a histogram with teeth, and without
    smoothing the gradient only says how the teeth should fall between the bins.

    Source: Mattes et al., "PET-CT image registration in the chest using free-form deformations",
    IEEE TMI 2003.

    Args:
        fused: (N, 1, H, W) in [0, 1]; carries the gradient.
        source: (N, 1, H, W) in [0, 1].
        bins: of both axes.

    Returns:
        (N,) in bits; less than the measure's, which has narrow bins.
    """
    n = len(fused)
    # One bin of margin below and two above for the window.
    width = bins + 3
    position = fused.flatten(1).clamp(0, 1) * (bins - 1)
    lower = position.detach().floor()
    row = (source.flatten(1).clamp(0, 1) * (bins - 1)).round()
    row = row + torch.arange(n, device=fused.device)[:, None] * bins
    index = (row * width + lower).long().flatten()
    joint = fused.new_zeros(n * bins * width)
    for place, share in enumerate(_cubic_spline(position - lower)):
        joint = joint.index_add(0, index + place, share.flatten())
    pixel = 1 / position.shape[1]
    joint = joint.view(n, bins, width) * pixel
    parts = joint.sum(1), joint.sum(2), joint.flatten(1)
    of_fused, of_source, of_both = (_entropy(part, pixel) for part in parts)
    return of_fused + of_source - of_both


def fused_information(fused: Tensor, a: Tensor, b: Tensor, bins: int) -> Tensor:
    """``MI(F, A) + MI(F, B)``, (N,) in bits."""
    return mutual_information(fused, a, bins) + mutual_information(fused, b, bins)
