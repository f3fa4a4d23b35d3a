"""The small building blocks that several parts share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(
    inputs: int, outputs: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> nn.Conv2d:
    """3x3 convolution; the side is divided by ``stride``. Zero padding would look like an edge."""
    return nn.Conv2d(
        inputs, outputs, 3, stride, 1, groups=groups, bias=bias, padding_mode="replicate"
    )


def activation(x: Tensor) -> Tensor:
    """Leaky rectifier, of slope 0.1 below 0.

    With so few channels a plain one can leave a whole expert at 0, from where it never returns.
    """
    return F.leaky_relu(x, 0.1)


class ResidualBlock(nn.Module):
    """``x + conv(activation(conv(x)))``, after He et al., CVPR 2016, without normalisation.

    Normalisation is left out on purpose: it would make a voxel's value depend on the other slices
    of its batch, hence on how much memory was free.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3x3(channels, channels)
        self.second = conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x + self.second(activation(self.first(x)))


def upsample(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resize of (N, C, H, W) to ``size`` (H, W), pixel areas aligned."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
