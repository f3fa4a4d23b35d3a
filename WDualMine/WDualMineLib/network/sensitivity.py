"""How the residual answers to either source: the exact derivative, by automatic differentiation."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .model import FusionMaps
from .statistics import JointStatistics


class Sensitivity(NamedTuple):
    """Derivatives of the residual by a and by b, (N, 1, H, W) each.

    That of a voxel of a source is the sum over all voxels of the residual that it acts on.
    """

    to_a: Tensor
    to_b: Tensor


def sensitive(
    model: nn.Module,
    a: Tensor,
    b: Tensor,
    statistics: JointStatistics | None = None,
    reliability: Tensor | None = None,
) -> tuple[FusionMaps, Sensitivity]:
    """What a network says of slices, and how far that depends on either of them.

    Statistics and reliability are what is known of the volumes: they are held as they are.

    Args:
        model, a, b, statistics, reliability: see :class:`~.model.DualMineNetwork`.
    """
    with torch.inference_mode(False), torch.enable_grad():
        # Tensors made in inference mode cannot be differentiated by; their copies can.
        a, b = (x.clone().requires_grad_() for x in (a, b))
        known = None if statistics is None else JointStatistics(*(x.clone() for x in statistics))
        trust = None if reliability is None else reliability.clone()
        maps = model(a, b, known, trust)
        slopes = torch.autograd.grad(maps.residual.sum(), (a, b), allow_unused=True)
        slopes = [torch.zeros_like(a) if x is None else x for x in slopes]
    return FusionMaps(*(x.detach() for x in maps)), Sensitivity(*(x.float() for x in slopes))
