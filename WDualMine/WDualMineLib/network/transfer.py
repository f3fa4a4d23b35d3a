"""A function of the values at a pixel, chosen by the joint distribution of the two volumes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import activation
from .statistics import BINS, MOMENTS, JointStatistics


class TransferFunction(nn.Module):
    """A perceptron at every pixel whose hidden units are modulated by statistics of the volumes.

    Source of the modulation: Perez et al., "FiLM: visual reasoning with a general conditioning
    layer", AAAI 2018.

    Args:
        inputs: channels at a pixel.
        silent: how many of the last inputs it starts without, so that it starts as a function of
            the others alone.
        hidden: units in each of the two hidden layers.
        gains: further numbers that the statistics choose, for use by the caller.
    """

    def __init__(self, inputs: int, silent: int, hidden: int, gains: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, hidden, 1)
        self.second = nn.Conv2d(hidden, hidden, 1)
        self.last = nn.Conv2d(hidden, 1, 1)
        self.told = (BINS * BINS, MOMENTS)
        self.sizes = (hidden, hidden, hidden, hidden, gains)
        self.modulation = nn.Sequential(
            nn.Linear(sum(self.told), 64),
            nn.LeakyReLU(0.1),
            nn.Linear(64, 64),
            nn.LeakyReLU(0.1),
            nn.Linear(64, sum(self.sizes)),
        )
        nn.init.zeros_(self.first.weight[:, inputs - silent :])
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, pixels: Tensor, statistics: JointStatistics) -> tuple[Tensor, Tensor]:
        """Apply.

        Args:
            pixels: (N, inputs, H, W).
            statistics: of N pairs, or of one pair for all.

        Returns:
            (N, 1, H, W), and the gains (N or 1, gains, 1, 1), which start near 0.
        """
        told = torch.cat([statistics.histogram, statistics.moments], 1)
        chosen = self.modulation(told)[:, :, None, None].split(self.sizes, 1)
        scale_first, shift_first, scale_second, shift_second, gains = chosen
        x = activation(self.first(pixels) * (1 + scale_first) + shift_first)
        x = activation(self.second(x) * (1 + scale_second) + shift_second)
        return self.last(x), gains
