"""How lively a slice is around each place: the evidence by which noise and blur are known."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .statistics import AIR

_FAINT = 0.01
"""Detail coefficient below which activity counts as none: about two grey levels of 255."""


class Activity(nn.Module):
    """Local energy of wavelet detail, on a logarithmic scale.

    Noise, blur and coarse voxels change the local energy of detail by a factor, be the tissue dark
    or bright; features that are linear in the intensities hardly show it in dark tissue. What is
    usual differs between modalities (the texture of MR would be noise in PET), so that liveliness
    is given both as it is and relative to the tissue of the same slice.
    """

    CHANNELS = 6

    def forward(self, bands: Tensor) -> Tensor:
        """Measure.

        Args:
            bands: (N, 4, H, W), low band in [0, 1] and three of detail, on the same scale.

        Returns:
            (N, 6, H, W): vertical, horizontal and diagonal detail, 0 where there is none, about 1
            at the strongest edges; and the same less their mean over the tissue.
        """
        low, detail = bands[:, :1], bands[:, 1:]
        strength = F.avg_pool2d(detail.abs(), 5, 1, 2, count_include_pad=False)
        activity = torch.log1p(strength / _FAINT) / 4
        tissue = (low > AIR / 2).to(low)
        usual = (activity * tissue).sum((2, 3), keepdim=True)
        usual = usual / tissue.sum((2, 3), keepdim=True).clamp_min(1)
        return torch.cat([activity, activity - usual], 1)
