"""Networks that lack one part each, so that what the part earns can be measured."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...network.model import DualMineNetwork, FusionMaps, NetworkConfig
from ...network.statistics import JointStatistics, joint_statistics


class _FixedArbitration(nn.Module):
    """The spatial expert has the same share everywhere."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, spatial: Tensor, frequency: Tensor) -> tuple[Tensor, Tensor]:
        mixed = self.share * spatial + (1 - self.share) * frequency
        return mixed, torch.full_like(spatial[:, :1], self.share)


class _NoRefinement(nn.Module):
    """Edges are left as the decoder made them."""

    def forward(self, fused: Tensor, *others: Tensor) -> Tensor:
        return fused


class _WithoutAverage(DualMineNetwork):
    """The fused slice itself is predicted, not what is to be added to the average."""

    @staticmethod
    def base(a: Tensor, b: Tensor) -> Tensor:
        return torch.zeros_like(a)


class _WithoutStatistics(DualMineNetwork):
    """One transfer function for all pairs of volumes."""

    def forward(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics | None = None,
        reliability: Tensor | None = None,
    ) -> FusionMaps:
        even = torch.full((1, 2), 0.2, device=a.device)
        histogram, moments = (
            torch.zeros((1, n), device=a.device) for n in self.decoder.transfer.told
        )
        own = statistics or joint_statistics(a, b)
        known = JointStatistics(even, own.expected, histogram, moments)
        return super().forward(a, b, known, reliability)


def _replacing(name: str, part: Callable[[], nn.Module]) -> Callable[..., DualMineNetwork]:
    def build(config: NetworkConfig) -> DualMineNetwork:
        network = DualMineNetwork(config)
        setattr(network, name, part())
        return network

    return build


WHOLE = "whole network"

WITHOUT: dict[str, Callable[[NetworkConfig], DualMineNetwork]] = {
    WHOLE: DualMineNetwork,
    "without spatial expert": _replacing("arbitration", lambda: _FixedArbitration(0.0)),
    "without frequency expert": _replacing("arbitration", lambda: _FixedArbitration(1.0)),
    "without arbitration": _replacing("arbitration", lambda: _FixedArbitration(0.5)),
    "without residual-to-average": _WithoutAverage,
    "without edge refinement": _replacing("refinement", _NoRefinement),
    "without joint statistics": _WithoutStatistics,
}
"""Name of the row and what builds its network."""


def trusting_evenly(model: DualMineNetwork) -> DualMineNetwork:
    """A copy of a network whose maps are 1/2 everywhere."""
    even = copy.deepcopy(model)
    even.evidence = None
    return even
