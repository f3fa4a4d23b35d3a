"""The frequency expert: low band and detail bands are fused apart, in the wavelet domain."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import between, conv3x3
from .wavelet import WaveletTransform


class FrequencyExpert(nn.Module):
    """Wavelet fusion of weighted features with a learned choose-the-stronger rule.

    The classical rule averages the low band and takes the larger detail coefficient (Li, Manjunath
    and Mitra, "Multisensor image fusion using the wavelet transform", GMIP 1995). Here the choice
    is soft, by an activity measured over a neighbourhood, and each band is refined by its own
    filters before the inverse transform.

    Args:
        channels: features of one modality at the finest scale.
        wavelet: filter bank of the transform.
    """

    def __init__(self, channels: int, wavelet: str) -> None:
        super().__init__()
        self.transform = WaveletTransform(wavelet)
        # No bias: it would cancel in the difference of the two activities.
        self.activity = conv3x3(3 * channels, 3 * channels, groups=3 * channels, bias=False)
        self.low = conv3x3(channels, channels)
        self.detail = conv3x3(3 * channels, 3 * channels, groups=3)

    def forward(self, features: Tensor) -> Tensor:
        """Fuse.

        Args:
            features: (2N, C, H, W) weighted, of the a, then of the b; H and W even.

        Returns:
            (N, C, H, W).
        """
        # Band-major channels, so that the grouped convolutions stay in a band.
        bands = self.transform(features).transpose(1, 2)
        low_a, low_b = bands[:, 0].chunk(2)
        detail = bands[:, 1:].flatten(1, 2)
        detail_a, detail_b = detail.chunk(2)
        lively_a, lively_b = self.activity(detail.abs()).chunk(2)
        low = (low_a + low_b) / 2
        low = self.low(low, rectified=True).add_(low)
        detail = between(detail_b, detail_a, torch.sigmoid(lively_a - lively_b))
        detail = self.detail(detail).add_(detail)
        bands = torch.cat([low, detail], 1).unflatten(1, (4, -1))
        return self.transform.inverse(bands.transpose(1, 2))
