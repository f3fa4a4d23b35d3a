"""Siamese multi-scale encoder with a wavelet stem (section "encoder" of the paper)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .activity import Activity
from .layers import ResidualBlock, activation, conv3x3, pointwise
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
        # Of the activity of the slice as it is and less what is usual in it, then of the other's.
        self.liveliness = nn.Conv2d(4 * Activity.CHANNELS, channels[0], 1, bias=False)
        self.blocks = nn.ModuleList(map(ResidualBlock, channels))

    def forward(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """Encode pairs of slices.

        Args:
            a, b: (N, 1, H, W) in [0, 1]; H and W multiples of 2 to the number of scales.

        Returns:
            One (2N, C_s, H / 2^s, W / 2^s) a scale, s = 1, 2, ...: of the a, then of the b.
        """
        bands = self.stem(torch.cat([a, b]))[:, 0]
        # An orthonormal 2-D low band carries twice the mean; halved, it is back in [0, 1].
        x, features = self._entered(bands / 2), []
        for number, block in enumerate(self.blocks):
            x = block(activation(self.entries[number](x) if number else x))
            features.append(x)
        return features

    def _entered(self, bands: Tensor) -> Tensor:
        """What the first scale sees of both slices (2N, C_1, H / 2, W / 2): their bands, and how
        lively they are."""
        activity, usual = self.activity(bands)
        # Of x and x - usual two linear maps are one of x, and a bias.
        lively = self.liveliness.weight[..., 0, 0].unflatten(1, (2, 2, -1))
        of_activity, of_usual = lively.sum(2).flatten(1), lively[:, :, 1].flatten(1)
        shift = F.linear(_beside_the_other(usual), of_usual)[:, :, None, None]
        activity = _beside_the_other(activity).contiguous(memory_format=torch.channels_last)
        x = pointwise(activity, of_activity) - shift
        return self.entries[0](_beside_the_other(bands)).add_(x)


def _beside_the_other(x: Tensor) -> Tensor:
    """(2N, C, ...), first the a then the b, to (2N, 2C, ...): own channels, then the other's."""
    return torch.cat([x, x.roll(len(x) // 2, 0)], 1)
