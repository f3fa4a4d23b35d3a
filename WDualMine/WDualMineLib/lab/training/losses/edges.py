"""Edge preservation: a smooth Qabf."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
# One grey level of 255: gradients below it have no meaningful orientation.
_FLAT = 1 / 255


def _gradient(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    bank = torch.stack([_SOBEL, _SOBEL.T])[:, None].to(x)
    along, across = F.conv2d(x, bank, padding=1).split(1, 1)
    return along, across, torch.sqrt(along**2 + across**2 + 1e-3 * _FLAT**2)


def _kept(source: tuple[Tensor, Tensor, Tensor], fused: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    sx, sy, strength = source
    fx, fy, fused_strength = fused
    ratio = torch.minimum(strength, fused_strength) / torch.maximum(strength, fused_strength)
    # The angle between two undirected lines; by cross and dot products it has a gradient
    # everywhere, where a difference of two arctangents jumps.
    turn = torch.atan2((sx * fy - sy * fx).abs(), (sx * fx + sy * fy).abs() + 1e-3 * _FLAT**2)
    alignment = 1 - turn / (math.pi / 2)
    q_strength = 0.9994 * torch.sigmoid(15 * (ratio - 0.5))
    return q_strength * 0.9879 * torch.sigmoid(22 * (alignment - 0.8))


def qabf(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Qabf of each slice, with gradients everywhere; see ``quality.edges.qabf``.

    It differs from the measure where an edge runs across the columns: the measure takes lines at
    89 and -89 degrees for 178 degrees apart, here they are 2 apart.

    Args:
        fused, a, b: (N, 1, H, W) in [0, 1].

    Returns:
        (N,) in [0, 0.976].
    """
    gradient_f, gradient_a, gradient_b = (_gradient(x) for x in (fused, a, b))
    kept = (
        _kept(gradient_a, gradient_f) * gradient_a[2]
        + _kept(gradient_b, gradient_f) * gradient_b[2]
    )
    weight = gradient_a[2] + gradient_b[2]
    return kept.flatten(1).sum(1) / weight.flatten(1).sum(1)
