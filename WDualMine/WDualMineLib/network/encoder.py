"""Siamese multi-scale encoder with a wavelet stem (section "encoder" of the paper)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import ResidualBlock, activation, conv3x3
from .wavelet import WaveletTransform


class Encoder(nn.Module):
    """Features of one slice at scales 1/2, 1/4 and 1/8.

    Both modalities pass through the same weights: what the network knows of an image must not
    depend on which of the two inputs it was given as.

    Args:
        channels: features at each scale, finest first.
        wavelet: filter bank of the stem; its four sub-bands at half resolution replace a
            convolution at full resolution, which would cost four times as much.
    """

    def __init__(self, channels: tuple[int, ...], wavelet: str) -> None:
        super().__init__()
        self.stem = WaveletTransform(wavelet)
        inputs = (4, *channels[:-1])
        strides = (1, *(2 for _ in channels[1:]))
        self.entries = nn.ModuleList(map(conv3x3, inputs, channels, strides))
        self.blocks = nn.ModuleList(map(ResidualBlock, channels))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Encode slices.

        Args:
            x: (N, 1, H, W) in [0, 1]; H and W multiples of 2 to the number of scales.

        Returns:
            One (N, C_s, H / 2^s, W / 2^s) a scale, s = 1, 2, ...
        """
        features = []
        # An orthonormal 2-D low band carries twice the mean; halved, it is back in [0, 1].
        x = torch.flatten(self.stem(x), 1, 2) / 2
        for entry, block in zip(self.entries, self.blocks, strict=True):
            x = block(activation(entry(x)))
            features.append(x)
        return features
