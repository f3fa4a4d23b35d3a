"""Networks of the shape of published ones, with weights that mean nothing, to be timed beside ours.

Times depend on the machine by a factor of two and more; that of a known shape in the same run makes
them comparable. Shapes only: what the published weights compute is measured elsewhere.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3), nn.ReLU())


class DenseFuseShape(nn.Module):
    """Two dense encoders of three layers, four decoder layers, all at full resolution.

    Source: Li and Wu, "DenseFuse: a fusion approach to infrared and visible images", IEEE TIP 2019.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = _layer(1, 16)
        self.dense = nn.ModuleList(_layer(16 * k, 16) for k in (1, 2, 3))
        self.decoder = nn.Sequential(*(_layer(*n) for n in ((64, 64), (64, 32), (32, 16), (16, 1))))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, 1, H, W) twice -> (N, 1, H, W)."""
        return self.decoder((self._encoded(a) + self._encoded(b)) / 2)

    def _encoded(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer in self.dense:
            x = torch.cat([x, layer(x)], 1)
        return x


class RecurrentShape(nn.Module):
    """1.2 thousand parameters, used over and over, after PRRGAN (progressive recurrent residual
    fusion): one layer of ten channels, four times."""

    def __init__(self) -> None:
        super().__init__()
        self.entry, self.again, self.exit = _layer(2, 10), _layer(10, 10), _layer(10, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, 1, H, W) twice -> (N, 1, H, W)."""
        x = self.entry(torch.cat([a, b], 1))
        for _ in range(4):
            x = x + self.again(x)
        return self.exit(x)


class LookUpShape(nn.Module):
    """A table over both intensities and a context that a small network computes, after LUT-Fuse."""

    def __init__(self) -> None:
        super().__init__()
        self.context = nn.Sequential(_layer(2, 16), _layer(16, 32), nn.Conv2d(32, 1, 1))
        self.register_buffer("table", torch.rand(1, 1, 17, 17, 17))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, 1, H, W) twice -> (N, 1, H, W)."""
        both = torch.cat([a, b], 1)
        told = torch.cat([both, torch.sigmoid(self.context(both))], 1).movedim(1, -1)[:, None]
        table = self.table.expand(len(a), -1, -1, -1, -1)
        return F.grid_sample(table, 2 * told - 1, align_corners=True)[:, :, 0]


class UNetShape(nn.Module):
    """Four scales of 16 to 128 channels.

    Source: Ronneberger et al., "U-Net", MICCAI 2015, at a quarter of its width.
    """

    def __init__(self, channels: tuple[int, ...] = (16, 32, 64, 128)) -> None:
        super().__init__()
        inputs = (2, *channels[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(_layer(i, o), _layer(o, o)) for i, o in zip(inputs, channels, strict=True)
        )
        pairs = list(pairwise(channels))[::-1]
        self.up = nn.ModuleList(
            nn.Sequential(_layer(fine + coarse, fine), _layer(fine, fine)) for fine, coarse in pairs
        )
        self.last = nn.Conv2d(channels[0], 1, 1)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(N, 1, H, W) twice, sides multiples of 8 -> (N, 1, H, W)."""
        x, skips = torch.cat([a, b], 1), []
        for number, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if number else x)
            skips.append(x)
        skips.pop()
        for block in self.up:
            x = block(torch.cat([skips.pop(), F.interpolate(x, scale_factor=2)], 1))
        return self.last(x)


PEERS: dict[str, type[nn.Module]] = {
    "DenseFuse's shape": DenseFuseShape,
    "U-Net's shape": UNetShape,
    "look-up table": LookUpShape,
    "1.2 k recurrent": RecurrentShape,
}
"""Name of the row, and its network."""
