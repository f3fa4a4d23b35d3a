"""What training maximises: the measures of the field after the correlation floor, all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from .losses.correlation import correlation_floor, pearson, scd, standardised_sum
from .losses.edges import qabf
from .losses.information import fused_information
from .losses.structure import ssim, vif

MEASURES = ("MI", "Qabf", "SSIM", "SCD", "VIF")


@dataclass(frozen=True)
class Goal:
    """What is wanted of one measure.

    Attributes:
        worth: of one unit of the measure.
        margin: by how much the pixel maximum under the floor is to be exceeded, slice by slice.
            What lies beyond is worth little: it should rather be spent on another measure.
    """

    worth: float
    margin: float


@dataclass(frozen=True)
class ObjectiveConfig:
    """Goals, and the floor under which they are taken.

    A slice that is hard for every method is hard for the maximum too, so goals relative to it give
    every slice and modality the same weight. The default worths are the slopes of the trade-off
    near the goals: there 0.01 of Qabf costs about 0.1 bits of MI.

    Attributes:
        information: of MI(F, A) + MI(F, B) in bits.
        edges: of Qabf.
        similarity: of the mean SSIM.
        differences: of SCD.
        fidelity: of the summed VIF.
        correlation: worth of CC over its bound, up to the floor. Whatever the floor has to add
            blurs the edges that the network aimed at.
        beyond: worth of what exceeds a goal, relative to what falls short of it.
        floor: CC over its bound that every slice is raised to first.
        bins: of the histograms of MI.
    """

    information: Goal = field(default_factory=lambda: Goal(0.5, -0.25))
    edges: Goal = field(default_factory=lambda: Goal(2.0, 0.075))
    similarity: Goal = field(default_factory=lambda: Goal(12.0, 0.006))
    differences: Goal = field(default_factory=lambda: Goal(0.6, 0.08))
    fidelity: Goal = field(default_factory=lambda: Goal(1.2, 0.012))
    correlation: float = 10.0
    beyond: float = 0.3
    floor: float = 0.985
    bins: int = 256


def _measures(fused: Tensor, a: Tensor, b: Tensor, config: ObjectiveConfig) -> dict[str, Tensor]:
    """Each measure of each slice, (N,)."""
    return {
        "MI": fused_information(fused, a, b, config.bins),
        "Qabf": qabf(fused, a, b),
        "SSIM": (ssim(fused, a) + ssim(fused, b)) / 2,
        "SCD": scd(fused, a, b)[:, 0],
        "VIF": vif(fused, a) + vif(fused, b),
    }


def objective(
    fused: Tensor, a: Tensor, b: Tensor, config: ObjectiveConfig
) -> tuple[Tensor, dict[str, float]]:
    """Worth of what falls short of the goals, less that of what exceeds them; to be minimised.

    Args:
        fused: (N, 1, H, W), the network's output before the floor; may leave [0, 1].
        a, b: (N, 1, H, W) in [0, 1].
        config: see :class:`ObjectiveConfig`.

    Returns:
        Scalar loss, and for the log the mean of every measure and of its excess over the maximum's.
    """
    out_of_range = (fused - fused.clamp(0, 1)).abs().mean()
    goals = {
        "MI": config.information,
        "Qabf": config.edges,
        "SSIM": config.similarity,
        "SCD": config.differences,
        "VIF": config.fidelity,
    }
    reached = _measures(correlation_floor(fused, a, b, config.floor), a, b, config)
    with torch.no_grad():
        maximum = correlation_floor(torch.maximum(a, b), a, b, config.floor)
        reference = _measures(maximum, a, b, config)
    correlation = pearson(fused, standardised_sum(a, b))
    missing = F.relu(config.floor - correlation).mean()
    loss, log = 10 * out_of_range + config.correlation * missing, {"missing": missing.item()}
    for name, value in reached.items():
        excess = value - reference[name]
        short = goals[name].margin - excess
        cost = F.relu(short) - config.beyond * F.relu(-short)
        loss = loss + goals[name].worth * cost.mean()
        log |= {name: value.mean().item(), f"{name} excess": excess.mean().item()}
    return loss, log


def fuse_slices(residual: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``(a + b) / 2 + residual``, (N, 1, H, W); not clipped, so that it keeps its gradient."""
    return torch.add(a + b, residual, alpha=2) / 2
