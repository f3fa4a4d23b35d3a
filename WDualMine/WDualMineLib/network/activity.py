"""How lively a slice is around each place: the evidence by which noise and blur are known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .statistics import AIR

_FAINT = 0.01
"""Detail coefficient below which activity counts as none: about two grey levels of 255."""


class Liveliness(NamedTuple):
    """Of N slices.

    Attributes:
        activity: (N, 3, H, W), vertical, horizontal and diagonal detail: 0 where there is none,
            about 1 at the strongest edges.
        usual: (N, 3), the mean of each over the tissue.
    """

    activity: Tensor
    usual: Tensor


class Activity(nn.Module):
    """Local energy of wavelet detail, on a logarithmic scale.

    Noise, blur and coarse voxels change the local energy of detail by a factor, be the tissue dark
    or bright; features that are linear in the intensities hardly show it in dark tissue. What is
    usual differs between modalities (the texture of MR would be noise in PET), so that liveliness
    is given both as it is and relative to the tissue of the same slice.
    """

    CHANNELS = 3

    def forward(self, bands: Tensor) -> Liveliness:
        """Measure.

        Args:
            bands: (N, 4, H, W), low band in [0, 1] and three of detail, on the same scale.
        """
        low, detail = bands[:, :1], bands[:, 1:]
        activity = torch.log1p(_mean_around(detail.abs()) / _FAINT) / 4
        tissue = (low > AIR / 2).to(low)
        usual = (activity * tissue).sum((2, 3))
        return Liveliness(activity, usual / tissue.sum((2, 3)).clamp_min(1))


def _mean_around(x: Tensor) -> Tensor:
    """Mean of the 5x5 places around each, of those that there are, one axis after the other.

    By sums of shifted images: PyTorch's pooling takes ten times as long on a CPU.
    """
    for axis in (2, 3):
        length = x.shape[axis]
        padded = F.pad(x, (0, 0, 2, 2) if axis == 2 else (2, 2))
        pairs = padded.narrow(axis, 0, length + 3) + padded.narrow(axis, 1, length + 3)
        x = pairs.narrow(axis, 0, length) + pairs.narrow(axis, 2, length)
        x = x + padded.narrow(axis, 4, length)
        index = torch.arange(length, device=x.device)
        there = (index + 3).clamp_max(length) - (index - 2).clamp_min(0)
        x = x / there.to(x.dtype).view([-1 if k == axis else 1 for k in range(4)])
    return x
