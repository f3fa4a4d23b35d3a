"""The spatial expert: a large receptive field and the context of the whole slice."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .layers import EdgeConv2d, Pointwise, activation, conv1x1, conv3x3, pointwise, upsample


class GlobalContext(nn.Module):
    """Adds to every place a vector pooled from all places by attention.

    Source: Cao et al., "GCNet", ICCVW 2019 (context modelling and transform, no normalisation).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv2d(channels, 1, 1)
        self.transform = nn.Sequential(
            nn.Linear(channels, channels), nn.LeakyReLU(0.1), nn.Linear(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        weights = torch.softmax(self.attention(x).flatten(2), dim=-1)
        pooled = (x.flatten(2) * weights).sum(-1)
        return x + self.transform(pooled)[:, :, None, None]


class LargeKernelBlock(nn.Module):
    """Depthwise 7x7 and a pointwise perceptron, after Liu et al., "ConvNeXt", CVPR 2022."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = EdgeConv2d(channels, channels, 7, groups=channels)
        self.expand = Pointwise(channels, 2 * channels)
        self.reduce = Pointwise(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x + self.reduce(activation(self.expand(self.spread(x))))


class Merge(nn.Module):
    """One map from two, the same in either order: their sum and their maximum, mixed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = Pointwise(2 * channels, channels)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, C, H, W) twice -> (N, C, H, W)."""
        of_sum, of_maximum = self.mix.weight[..., 0, 0].chunk(2, 1)
        x = pointwise(a + b, of_sum, self.mix.bias)
        return activation(x.add_(pointwise(torch.maximum(a, b), of_maximum)))


class SpatialExpert(nn.Module):
    """Fuses the weighted features of all scales, from the coarsest to the finest.

    The coarsest scale (1/8) sees the whole slice: two large-kernel blocks reach 112 pixels, and
    global context the rest.

    Args:
        channels: features at each scale, finest first.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.merges = nn.ModuleList(map(Merge, channels))
        deepest = channels[-1]
        self.context = nn.Sequential(
            LargeKernelBlock(deepest), GlobalContext(deepest), LargeKernelBlock(deepest)
        )
        self.hints = nn.ModuleList(conv1x1(coarse, fine) for fine, coarse in pairwise(channels))
        self.ascents = nn.ModuleList(conv3x3(fine, fine) for fine in channels[:-1])

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Fuse.

        Args:
            features: weighted, one (2N, C_s, H_s, W_s) a scale, finest first: of the a, then of
                the b.

        Returns:
            The expert's map at the finest scale (N, C_1, H_1, W_1), and its context at the
            coarsest (N, C_S, H_S, W_S).
        """
        merged = [merge(*x.chunk(2)) for merge, x in zip(self.merges, features, strict=True)]
        context = x = self.context(merged.pop())
        for hint, ascent in reversed(list(zip(self.hints, self.ascents, strict=True))):
            fine = merged.pop()
            # Mixed before it is enlarged, which is the same and costs a quarter.
            x = ascent(fine + upsample(hint(activation(x)), fine.shape[2:]), rectified=True)
        return x, context
