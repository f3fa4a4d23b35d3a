"""Mutual information through a soft histogram as fine as the measure's."""

from __future__ import annotations

import torch
from torch import Tensor


def _entropy(histogram: Tensor) -> Tensor:
    """Entropy in bits along the last axis of counts that sum to 1."""
    return -(histogram * torch.log2(histogram.clamp_min(1e-12))).sum(-1)


def mutual_information(fused: Tensor, source: Tensor, bins: int = 256) -> Tensor:
    """Mutual information of each slice with its source.

    Every pixel of ``fused`` is shared between its two neighbouring bins (linear kernel), which is
    what makes the histogram differentiable; ``source`` is assigned to one bin. With 256 bins and
    8-bit slices this is the measure itself, up to the rounding of ``fused``.

    Source: Maes et al., "Multimodality image registration by maximization of mutual information",
    IEEE TMI 1997 (partial-volume histogram).

    Args:
        fused: (N, 1, H, W) in [0, 1]; carries the gradient.
        source: (N, 1, H, W) in [0, 1].
        bins: of both axes.

    Returns:
        (N,) in bits.
    """
    n = len(fused)
    position = fused.flatten(1).clamp(0, 1) * (bins - 1)
    lower = position.detach().floor().clamp_max(bins - 2)
    share = position - lower
    column = (source.flatten(1).clamp(0, 1) * (bins - 1)).round()
    slices = torch.arange(n, device=fused.device)[:, None] * bins
    index = ((slices + column) * bins + lower).long()
    joint = fused.new_zeros(n * bins * bins)
    joint = joint.index_add(0, index.flatten(), (1 - share).flatten())
    joint = joint.index_add(0, index.flatten() + 1, share.flatten())
    joint = joint.view(n, bins, bins) / position.shape[1]
    return _entropy(joint.sum(1)) + _entropy(joint.sum(2)) - _entropy(joint.flatten(1))


def fused_information(fused: Tensor, a: Tensor, b: Tensor, bins: tuple[int, ...]) -> Tensor:
    """``MI(F, A) + MI(F, B)``, (N,) in bits, averaged over histograms of several ``bins``.

    A fine histogram is the measure; a coarse one has the smoother gradient.
    """
    return sum(mutual_information(fused, source, k) for k in bins for source in (a, b)) / len(bins)
