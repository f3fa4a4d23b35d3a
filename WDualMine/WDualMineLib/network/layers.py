"""The small building blocks that several parts share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.1
"""Of the leaky rectifier below 0."""


def conv3x3(
    inputs: int, outputs: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> nn.Conv2d:
    """3x3 convolution; the side is divided by ``stride``. Zero padding would look like an edge."""
    conv = nn.Conv2d(
        inputs, outputs, 3, stride, 1, groups=groups, bias=bias, padding_mode="replicate"
    )
    return _started(conv)


def conv1x1(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """The same linear map at every place."""
    return _started(nn.Conv2d(inputs, outputs, 1, bias=bias))


def _started(conv: nn.Conv2d) -> nn.Conv2d:
    """Without normalisation signals must keep their strength from layer to layer (He et al.)."""
    nn.init.kaiming_normal_(conv.weight, _SLOPE)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def activation(x: Tensor) -> Tensor:
    """Leaky rectifier, of slope 0.1 below 0.

    With so few channels a plain one can leave a whole expert at 0, from where it never returns.
    """
    return F.leaky_relu(x, _SLOPE)


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


def shrink(x: Tensor, threshold: Tensor | float) -> Tensor:
    """Soft threshold: ``x`` moved towards 0 by ``threshold``, 0 where it is nearer than that."""
    return x - x.clamp(-threshold, threshold)


def garrote(x: Tensor, threshold: Tensor) -> Tensor:
    """``x (1 - threshold^2 / x^2)``, and 0 where ``x`` is below the threshold.

    Unlike soft thresholding it leaves what is far above the threshold as it is (Breiman, "Better
    subset regression using the nonnegative garrote", Technometrics 1995).
    """
    return x * (1 - threshold**2 / (x**2 + 1e-12)).clamp_min(0)
