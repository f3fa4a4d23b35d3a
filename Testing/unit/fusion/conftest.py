"""Volumes made by hand, and a network that is small, exact and sensitive to orientation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume


class FusionMaps(NamedTuple):
    residual: Tensor
    reliability_a: Tensor
    reliability_b: Tensor
    arbitration: Tensor


class TinyModel(nn.Module):
    """Obeys the network's contract; its kernel tells up from down and left from right."""

    def __init__(self) -> None:
        super().__init__()
        kernel = torch.tensor([[0.0, 0.3, 0.1], [-0.2, 0.5, 0.0], [0.0, -0.6, -0.1]])
        self.weight = nn.Parameter(kernel[None, None], requires_grad=False)
        self.batches: list[int] = []

    def forward(self, a: Tensor, b: Tensor, statistics=None, reliability=None) -> FusionMaps:
        self.batches.append(len(a))
        edges_a, edges_b = (nn.functional.conv2d(x, self.weight, padding=1) for x in (a, b))
        residual = (torch.maximum(a, b) - (a + b) / 2) + 0.1 * torch.tanh(edges_a + edges_b)
        reliability = torch.sigmoid(2 * (edges_a - edges_b))
        return FusionMaps(residual, reliability, 1 - reliability, torch.sigmoid(edges_a + edges_b))


@pytest.fixture
def model() -> TinyModel:
    return TinyModel()


@pytest.fixture
def make_geometry() -> Callable[..., Geometry]:
    def make(shape=(12, 18, 16), direction=None, spacing=(1.25, 1.5, 3.0)) -> Geometry:
        direction = np.eye(3) if direction is None else np.asarray(direction)
        return Geometry(
            shape[::-1], spacing, (-20.1, 11.7, 5.03), tuple(direction.ravel().tolist())
        )

    return make


@pytest.fixture
def make_pair(make_geometry) -> Callable[..., tuple[Volume, Volume]]:
    """A head in air: a CT in HU, and an MR of other contrast on the same grid."""

    def make(shape=(12, 18, 16), seed=0, **geometry) -> tuple[Volume, Volume]:
        rng = np.random.default_rng(seed)
        axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
        radius = np.sqrt(sum(x**2 for x in axes))
        brain, skull = radius < 0.7, (radius >= 0.7) & (radius < 0.9)
        ct = np.full(shape, -1000.0)
        ct[brain] = 35 + 15 * np.sin(4 * axes[2][brain]) + rng.normal(0, 3, brain.sum())
        ct[skull] = 900
        mr = np.abs(rng.normal(0, 4, shape))
        mr[brain] = 300 + 200 * np.cos(5 * axes[1][brain]) + rng.normal(0, 10, brain.sum())
        mr[skull] = 40
        grid = make_geometry(shape, **geometry)
        return (
            Volume(ct.astype(np.float32), grid, "CT of a phantom", "CT"),
            Volume(mr.astype(np.float32), grid, "MR of a phantom", "MR"),
        )

    return make
