"""What slices look like, cell by cell, before anything learned looks at them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .statistics import AIR
from .wavelet import WaveletTransform

_FAINT = 0.01
"""Wavelet detail below which there is none: about two grey levels of 255."""

ACTIVITIES = 6


class Impressions(NamedTuple):
    """What stacks of slices of one volume look like, cell by cell.

    Attributes:
        form: (N, D, 4, h, w), the four means of 2 x 2 mm in a cell.
        activity: (N, D, 6, h, w), the strength of detail at 1 and 2 mm in three directions.
        tissue: (N, D, 1, h, w), 1 where something is shown.
    """

    form: Tensor
    activity: Tensor
    tissue: Tensor


class Impression(nn.Module):
    """From slices to :class:`Impressions`, with two levels of the Haar transform; no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = WaveletTransform("haar")

    def forward(self, x: Tensor) -> Impressions:
        """Look.

        Args:
            x: (N, D, H, W) in [0, 1], pixels of 1 mm, sides multiples of four.
        """
        n, d, h, w = x.shape
        # Halved, the low band of an orthonormal transform is a mean again.
        fine = self.transform(x.reshape(n * d, 1, h, w))[:, 0] / 2
        mean = fine[:, :1]
        broad = self.transform(mean)[:, 0] / 2
        strengths = [F.avg_pool2d(fine[:, 1:].abs(), 2), broad[:, 1:].abs()]
        # Over 12 mm: what is one edge at 4 mm is texture there.
        detail = torch.cat(strengths, 1)
        detail = F.avg_pool2d(detail, 3, 1, 1, count_include_pad=False)
        activity = torch.log1p(detail / _FAINT) / 4
        form = F.pixel_unshuffle(mean, 2)
        tissue = (broad[:, :1] > AIR / 2).to(x)
        return Impressions(*(y.unflatten(0, (n, d)) for y in (form, activity, tissue)))
