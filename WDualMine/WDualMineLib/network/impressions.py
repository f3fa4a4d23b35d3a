"""What slices look like, cell by cell: measured, and as a few learned filters see them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import activation, conv3x3, in_parts
from .neighbourhoods import mean_around
from .statistics import AIR
from .wavelet import WaveletTransform

_FAINT = 0.01
"""Detail below which there is none: about two grey levels of 255."""

_ALONE = 0.3
"""Change towards the neighbours that a slice without neighbours is taken to have."""

WITHIN = 2
"""Details of a slice by itself."""

DETAILS = WITHIN + 2

_NEAR = 12
"""Learned features at 2 mm."""

FORMS = 16
"""Learned features of a cell."""


class Impressions(NamedTuple):
    """What stacks of slices of one volume look like, cell by cell.

    Attributes:
        intensity: (N, D, 1, h, w), mean of a cell of 4 x 4 mm, in [0, 1].
        detail: (N, D, 4, h, w), logarithmic strength of detail around a cell, about [0, 1]: at 1
            and at 2 mm, and of the change to the neighbouring slice that is more alike and to the
            one that is less.
        tissue: (N, D, 1, h, w), 1 where something is shown.
        form: (N, D, 16, h, w), learned features of the structure of 2 mm and coarser within 14 mm:
            strength of detail alone tells neither a ghost's edge from an organ's nor noise from
            texture.
    """

    intensity: Tensor
    detail: Tensor
    tissue: Tensor
    form: Tensor


class Impression(nn.Module):
    """From slices to :class:`Impressions`, with two levels of the Haar transform."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = WaveletTransform("haar")
        self.near = conv3x3(4, _NEAR)
        self.form = conv3x3(_NEAR, FORMS, stride=2)

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
        within = [
            F.avg_pool2d(fine[:, 1:].abs().mean(1, keepdim=True), 2),
            broad[:, 1:].abs().mean(1, keepdim=True),
        ]
        detail = torch.log1p(_around(torch.cat(within, 1)) / _FAINT) / 4
        # Signed as it is, and compressed, so that faint texture counts beside edges.
        seen = torch.cat([mean, torch.asinh(fine[:, 1:] / _FAINT) / 4], 1)
        form = in_parts(lambda part: self.form(activation(self.near(part))), seen)
        means = F.pixel_unshuffle(mean, 2)
        means, detail, intensity, form = (
            y.unflatten(0, (n, d)) for y in (means, detail, broad[:, :1], form)
        )
        detail = torch.cat([detail, _across(means)], 2)
        return Impressions(intensity, detail, (intensity > AIR / 2).to(x), form)


def _around(x: Tensor) -> Tensor:
    """Means over 12 mm: what is one edge at 4 mm is texture there."""
    return mean_around(x, 1, of_those_there=True)


def _across(means: Tensor) -> Tensor:
    """Change of means of 2 x 2 mm, (N, D, 4, h, w), to the nearer and the farther neighbour."""
    n, d, _, h, w = means.shape
    if d == 1:
        return means.new_full((n, 1, 2, h, w), _ALONE)
    change = (means[:, 1:] - means[:, :-1]).abs().mean(2, keepdim=True)
    before = torch.cat([change[:, :1], change], 1)
    after = torch.cat([change, change[:, -1:]], 1)
    both = torch.cat([torch.minimum(before, after), torch.maximum(before, after)], 2)
    return (torch.log1p(_around(both.flatten(0, 1)) / _FAINT) / 4).unflatten(0, (n, d))
