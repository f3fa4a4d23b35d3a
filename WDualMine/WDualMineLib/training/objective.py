"""What training maximises: the measures of the field, after the correlation floor, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .losses.correlation import correlation_floor, scd
from .losses.edges import qabf
from .losses.information import fused_information
from .losses.structure import ssim, vif


@dataclass(frozen=True)
class ObjectiveWeights:
    """Worth of one unit of each measure, and the floor under which they are taken.

    The default weights are the slopes of the trade-off near the target: there 0.01 of Qabf costs
    about 0.03 bits of MI.

    Attributes:
        information: per bit of MI(F, A) + MI(F, B).
        edges: Qabf.
        similarity: mean SSIM.
        fidelity: summed VIF.
        differences: SCD.
        floor: CC over its bound that every slice is raised to first.
        bins: histograms whose MI is averaged.
    """

    information: float = 0.3
    edges: float = 1.0
    similarity: float = 1.0
    fidelity: float = 0.0
    differences: float = 0.1
    floor: float = 0.986
    bins: tuple[int, ...] = (256, 64)


def objective(
    fused: Tensor, a: Tensor, b: Tensor, weights: ObjectiveWeights
) -> tuple[Tensor, dict[str, float]]:
    """Negative weighted sum of the measures, to be minimised.

    Args:
        fused: (N, 1, H, W), the network's output before the floor; may leave [0, 1].
        a, b: (N, 1, H, W) in [0, 1].
        weights: see :class:`ObjectiveWeights`.

    Returns:
        Scalar loss, and the mean of every measure for the log.
    """
    out_of_range = (fused - fused.clamp(0, 1)).abs().mean()
    shown = correlation_floor(fused.clamp(0, 1), a, b, weights.floor)
    parts = {
        "MI": (weights.information, fused_information(shown, a, b, weights.bins)),
        "Qabf": (weights.edges, qabf(shown, a, b)),
        "SSIM": (weights.similarity, (ssim(shown, a) + ssim(shown, b)) / 2),
        "SCD": (weights.differences, scd(shown, a, b)[:, 0]),
    }
    if weights.fidelity:
        # As dear as the network itself; left out where it is not asked for.
        parts["VIF"] = (weights.fidelity, vif(shown, a) + vif(shown, b))
    gain = sum(weight * value.mean() for weight, value in parts.values())
    log = {name: value.mean().item() for name, (_, value) in parts.items()}
    return 10 * out_of_range - gain, log


def fuse_slices(residual: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``(a + b) / 2 + residual``, (N, 1, H, W); not clipped, so that it keeps its gradient."""
    return torch.add(a + b, residual, alpha=2) / 2
