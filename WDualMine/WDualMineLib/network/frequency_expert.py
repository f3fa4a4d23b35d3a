"""The frequency expert: low band and detail bands are fused apart, in the wavelet domain."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import activation, conv3x3
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

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Fuse.

        Args:
            a, b: (N, C, H, W) weighted features, H and W even.

        Returns:
            (N, C, H, W).
        """
        n, c, h, w = a.shape
        bands_a, bands_b = self.transform(a), self.transform(b)
        low = (bands_a[:, :, 0] + bands_b[:, :, 0]) / 2
        # (N, C, 3, ...) -> band-major channels, so that the grouped convolution stays in a band.
        detail_a, detail_b = (
            x[:, :, 1:].transpose(1, 2).reshape(n, 3 * c, h // 2, w // 2)
            for x in (bands_a, bands_b)
        )
        choice = torch.sigmoid(self.activity(detail_a.abs()) - self.activity(detail_b.abs()))
        detail = choice * detail_a + (1 - choice) * detail_b
        low = low + self.low(activation(low))
        detail = detail + self.detail(detail)
        bands = torch.cat([low[:, None], detail.reshape(n, 3, c, h // 2, w // 2)], 1)
        return self.transform.inverse(bands.transpose(1, 2))
