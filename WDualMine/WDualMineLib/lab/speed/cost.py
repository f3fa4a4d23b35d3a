"""Parameters and arithmetic of networks that fuse pairs of slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

PAIR_SIDE = 256
"""Pixels a side of the pair that the literature times."""


def network_cost(model: nn.Module) -> dict[str, int]:
    """Parameters, bytes of the weights as they are kept, floating-point operations for one pair.

    Operations are those that PyTorch counts, convolutions and matrix products, at 2 for a
    multiply-add; element-wise work is not among them.
    """
    state = model.state_dict().values()
    device = next(model.parameters()).device
    # Of tissue all over: air is left out.
    image = torch.full((1, 1, PAIR_SIDE, PAIR_SIDE), 0.5, device=device)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "weight_bytes": sum(2 * tensor.numel() for tensor in state),
        "flop": flop_of(lambda: model(image, image)),
    }


def flop_of(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call, as :func:`network_cost` counts them."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
