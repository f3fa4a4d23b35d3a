"""The small building blocks that several parts share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_SLOPE = 0.1
"""Of the leaky rectifier below 0."""

Convolution = TypeVar("Convolution", bound=nn.Conv2d)


class EdgeConv2d(nn.Conv2d):
    """Convolution by a square kernel of odd side, of a slice whose border goes on outside of it.

    What ``padding_mode="replicate"`` computes, in less time on a CPU: the border is written by
    index, into the layout in which the library's convolutions of few channels are fastest.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int,
        stride: int = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, side, stride, groups=groups, bias=bias)
        self.reach = side // 2

    def forward(self, x: Tensor, rectified: bool = False) -> Tensor:
        """(N, C, H, W) -> (N, C', H / stride, W / stride).

        Args:
            rectified: convolve ``activation(x)``, in one pass less.
        """
        x = bordered(x, self.reach, rectified)
        if not 1 < self.groups < self.in_channels or x.device.type != "cpu":
            return super().forward(x)
        # One after the other they take half as long as together.
        parts = [x.chunk(self.groups, 1), self.weight.chunk(self.groups)]
        parts.append([None] * self.groups if self.bias is None else self.bias.chunk(self.groups))
        convolve = partial(F.conv2d, stride=self.stride)
        return torch.cat([convolve(*part) for part in zip(*parts, strict=True)], 1)


def bordered(x: Tensor, reach: int, rectified: bool = False) -> Tensor:
    """``x`` (N, C, H, W), or its :func:`activation`, with its border repeated ``reach`` times."""
    differentiated = torch.is_grad_enabled() and x.requires_grad
    if x.device.type != "cpu" or differentiated or x.stride(1) != 1:
        x = F.pad(activation(x) if rectified else x, (reach,) * 4, mode="replicate")
        return x.contiguous(memory_format=torch.channels_last) if x.device.type == "cpu" else x
    n, c, h, w = x.shape
    shape = (n, c, h + 2 * reach, w + 2 * reach)
    out = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
    inner = out[:, :, reach : reach + h, reach : reach + w]
    if rectified:
        torch.ops.aten.leaky_relu.out(x, _SLOPE, out=inner)
    else:
        inner.copy_(x)
    for k in range(reach):
        out[:, :, reach : reach + h, k].copy_(inner[..., 0])
        out[:, :, reach : reach + h, reach + w + k].copy_(inner[..., -1])
    for k in range(reach):
        out[:, :, k].copy_(out[:, :, reach])
        out[:, :, reach + h + k].copy_(out[:, :, reach + h - 1])
    return out


def conv3x3(
    inputs: int, outputs: int, stride: int = 1, groups: int = 1, bias: bool = True
) -> EdgeConv2d:
    """3x3 convolution; the side is divided by ``stride``. Zero padding would look like an edge."""
    return _started(EdgeConv2d(inputs, outputs, 3, stride, groups, bias))


class Pointwise(nn.Conv2d):
    """The same linear map at every place."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H, W)."""
        return pointwise(x, self.weight[..., 0, 0], self.bias)


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``weight`` (C', C) times ``x`` (N, C, H, W) at every place, plus ``bias`` (C',)."""
    if x.device.type != "cpu":
        return F.conv2d(x, weight[..., None, None], bias)
    # On a CPU this is one product of two matrices, and taken as such faster: as much as nine times
    # where channels do not lie innermost. In the result they do.
    n, _, h, w = x.shape
    innermost = x.stride(1) == 1
    places = x.movedim(1, -1).flatten(0, 2) if innermost else x.flatten(2).transpose(1, 2)
    return F.linear(places, weight, bias).view(n, h, w, -1).movedim(-1, 1)


def conv1x1(inputs: int, outputs: int, bias: bool = True) -> Pointwise:
    """:class:`Pointwise`, with weights to start from."""
    return _started(Pointwise(inputs, outputs, bias))


def _started(conv: Convolution) -> Convolution:
    """Without normalisation signals must keep their strength from layer to layer (He et al.)."""
    nn.init.kaiming_normal_(conv.weight, _SLOPE)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def in_parts(function: Callable[..., Tensor], *maps: Tensor, most: int = 8) -> Tensor:
    """``function`` of ``maps`` (N, ...), of a few of the N at a time on a CPU.

    Of many at once every map inside would be larger than what the C library keeps for the next one
    (32 MiB), and the system would have to clear new memory for each: half of the time.

    Args:
        function: takes parts of the maps and gives as many rows.
        most: rows at a time.
    """
    count = len(maps[0])
    if count <= most or maps[0].device.type != "cpu" or torch.is_grad_enabled():
        return function(*maps)
    return torch.cat([function(*(x[k : k + most] for x in maps)) for k in range(0, count, most)])


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
        return self.second(self.first(x), rectified=True).add_(x)


def upsample(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear resize of (N, C, H, W) to ``size`` (H, W), pixel areas aligned."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def enlarged(x: Tensor, size: tuple[int, int], rows: slice, columns: slice) -> Tensor:
    """A part of :func:`upsample`, as a product with the shares of the places: in a fourth of the
    time, where each gives rise to many."""
    down, across = (_shares(n, m, x) for n, m in zip(x.shape[2:], size, strict=True))
    return down[rows] @ x @ across[columns].T


def _shares(count: int, size: int, like: Tensor) -> Tensor:
    """(size, count): how much each of so many places counts in each of those it is enlarged to."""
    places = torch.arange(size, dtype=like.dtype, device=like.device) + 0.5
    places = (places * (count / size) - 0.5).clamp(0, count - 1)
    distance = places[:, None] - torch.arange(count, dtype=like.dtype, device=like.device)
    return (1 - distance.abs()).clamp_min(0)


def between(x: Tensor, y: Tensor, share: Tensor) -> Tensor:
    """``x`` where ``share`` is 0, ``y`` where it is 1; of any precision, which may differ between
    them where half precision is used."""
    if x.dtype == y.dtype == share.dtype:
        return torch.lerp(x, y, share)
    return x + share * (y - x)


def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent; PyTorch's own takes ten times as long on a CPU."""
    return torch.sigmoid(2 * x).mul(2).sub(1)


def shrink(x: Tensor, threshold: Tensor | float) -> Tensor:
    """Soft threshold: ``x`` moved towards 0 by ``threshold``, 0 where it is nearer than that."""
    return x - x.clamp(-threshold, threshold)


def garrote(x: Tensor, threshold: Tensor) -> Tensor:
    """``x (1 - threshold^2 / x^2)``, and 0 where ``x`` is below the threshold.

    Unlike soft thresholding it leaves what is far above the threshold as it is (Breiman, "Better
    subset regression using the nonnegative garrote", Technometrics 1995).
    """
    return x * (1 - threshold**2 / (x**2 + 1e-12)).clamp_min(0)
