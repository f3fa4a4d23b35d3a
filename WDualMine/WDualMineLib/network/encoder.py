"""Siamese multi-scale encoder with a wavelet stem (section "encoder" of the paper)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .activity import Activity
from .layers import ResidualBlock, activation, conv3x3
from .wavelet import WaveletTransform


class Encoder(nn.Module):
    """Features of both slices at scales 1/2, 1/4, ..., each seen beside the other.

    Both modalities pass through the same weights, with the other one beside them: many faults (a
    slab that is missing, a shift of a few voxels) show only in comparison, and comparing what two
    blind encoders made of the slices finds far fewer of them. What the network knows of an image
    does not depend on which of the two inputs it was given as.

    Args:
        channels: features at each scale, finest first.
        wavelet: filter bank of the stem; its four sub-bands at half resolution replace a
            convolution at full resolution, which would cost four times as much.
    """

    def __init__(self, channels: tuple[int, ...], wavelet: str) -> None:
        super().__init__()
        self.stem = WaveletTransform(wavelet)
        self.activity = Activity()
        inputs = (8, *channels[:-1])
        strides = (1, *(2 for _ in channels[1:]))
        self.entries = nn.ModuleList(map(conv3x3, inputs, channels, strides))
        self.liveliness = nn.Conv2d(2 * Activity.CHANNELS, channels[0], 1, bias=False)
        self.blocks = nn.ModuleList(map(ResidualBlock, channels))

    def forward(self, a: Tensor, b: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Encode pairs of slices.

        Args:
            a, b: (N, 1, H, W) in [0, 1]; H and W multiples of 2 to the number of scales.

        Returns:
            Of a and of b, one (N, C_s, H / 2^s, W / 2^s) a scale, s = 1, 2, ...
        """
        bands = torch.flatten(self.stem(torch.cat([a, b])), 1, 2)
        # An orthonormal 2-D low band carries twice the mean; halved, it is back in [0, 1].
        bands = bands / 2
        lively = self.liveliness(_beside_the_other(self.activity(bands)))
        x, features = _beside_the_other(bands), []
        for entry, block in zip(self.entries, self.blocks, strict=True):
            x = entry(x) if features else entry(x) + lively
            x = block(activation(x))
            features.append(x)
        of_a, of_b = zip(*(x.chunk(2) for x in features), strict=True)
        return list(of_a), list(of_b)


def _beside_the_other(x: Tensor) -> Tensor:
    """(2N, C, H, W), first the a then the b, to (2N, 2C, H, W): own channels, then the other's."""
    return torch.cat([x, x.roll(len(x) // 2, 0)], 1)
