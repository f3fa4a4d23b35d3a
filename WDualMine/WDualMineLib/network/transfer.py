"""A function of the two intensities at a pixel, chosen by the joint distribution of the volumes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import Pointwise, activation
from .standardisation import standardised_average
from .statistics import BINS, MOMENTS, JointStatistics

NODES = 65
"""Of the table along either intensity: one each four grey levels of 255."""


class TransferFunction(nn.Module):
    """A table of what every pair of intensities adds to the fused slice.

    A perceptron, whose hidden units are modulated by statistics of the volumes, fills the table;
    every pixel is looked up in it. That costs a sixteenth of the perceptron at every pixel, and
    leaves nothing but the two intensities to decide, which is what keeps mutual information.

    Source of the modulation: Perez et al., "FiLM: visual reasoning with a general conditioning
    layer", AAAI 2018.

    Args:
        hidden: units in each of the two hidden layers.
        gains: further numbers that the statistics choose, for use by the caller.
    """

    def __init__(self, hidden: int, gains: int) -> None:
        super().__init__()
        self.first = Pointwise(3, hidden)
        self.second = Pointwise(hidden, hidden)
        self.last = Pointwise(hidden, 1)
        self.told = (BINS * BINS, MOMENTS)
        self.sizes = (hidden, hidden, hidden, hidden, gains)
        self.modulation = nn.Sequential(
            nn.Linear(sum(self.told), 32),
            nn.LeakyReLU(0.1),
            nn.Linear(32, 32),
            nn.LeakyReLU(0.1),
            nn.Linear(32, sum(self.sizes)),
        )
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, a: Tensor, b: Tensor, statistics: JointStatistics) -> tuple[Tensor, Tensor]:
        """Look up.

        Args:
            a, b: (N, 1, H, W) in [0, 1].
            statistics: of N pairs, or of one pair for all.

        Returns:
            (N, 1, H, W), and the gains (N or 1, gains, 1, 1), which start near 0.
        """
        table, gains = self.chosen(statistics)
        # grid_sample wants (column, row) in [-1, 1]: b runs along the columns.
        places = torch.cat([b, a], 1).permute(0, 2, 3, 1) * 2 - 1
        table = table.expand(len(a), -1, -1, -1)
        values = F.grid_sample(table, places, padding_mode="border", align_corners=True)
        return values, gains

    def chosen(self, statistics: JointStatistics) -> tuple[Tensor, Tensor]:
        """The table (N or 1, 1, NODES, NODES), a down the rows, and the gains."""
        told = torch.cat([statistics.histogram, statistics.moments], 1)
        chosen = self.modulation(told)[:, :, None, None].split(self.sizes, 1)
        scale_first, shift_first, scale_second, shift_second, gains = chosen
        x = activation(self.first(_nodes(statistics)) * (1 + scale_first) + shift_first)
        x = activation(self.second(x) * (1 + scale_second) + shift_second)
        return self.last(x), gains


def _nodes(statistics: JointStatistics) -> Tensor:
    """What the perceptron sees of each node: (N, 3, NODES, NODES), a down the rows.

    Sum and absolute difference, and how far the standardised average is from the plain one: each
    is the same when the inputs are exchanged along with their deviations.
    """
    deviations = statistics.deviations
    levels = torch.linspace(0, 1, NODES, device=deviations.device)
    a, b = (x.expand(len(deviations), 1, NODES, NODES) for x in (levels[:, None], levels))
    shift = standardised_average(a, b, deviations) - (a + b) / 2
    nodes = torch.cat([a + b, (a - b).abs(), shift], 1)
    return nodes.contiguous(memory_format=torch.channels_last)
