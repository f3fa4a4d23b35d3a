"""Soft gradient-based arbitration between the two experts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import between, bordered

FLAT = 4e-8
"""Added to squared slopes: their root has no derivative at 0, where flat regions are."""


def gradient_magnitude(x: Tensor) -> Tensor:
    """Mean over channels of the magnitude of central differences.

    Args:
        x: (N, C, H, W).

    Returns:
        (N, 1, H, W), not negative.
    """
    padded = bordered(x, 1)
    horizontal = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    vertical = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    squared = torch.addcmul(x.new_full((), FLAT), horizontal, horizontal)
    magnitude = torch.addcmul(squared, vertical, vertical).sqrt()
    # A product over the channels: their mean takes twice as long where they lie innermost.
    halves = magnitude.new_full((x.shape[1],), 0.5 / x.shape[1])
    return (magnitude.movedim(1, -1) @ halves)[:, None]


class Arbitration(nn.Module):
    """``m = sigmoid(k (|grad S| - |grad W|) + b)``, ``Z = m S + (1 - m) W``.

    The gain k > 0 and the bias b are learned.
    """

    def __init__(self) -> None:
        super().__init__()
        # Gradients of features are a few hundredths: a gain of 20 lets them decide.
        self.log_gain = nn.Parameter(torch.tensor(3.0))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def forward(self, spatial: Tensor, frequency: Tensor) -> tuple[Tensor, Tensor]:
        """Arbitrate.

        Args:
            spatial, frequency: (N, C, H, W), what each expert proposes.

        Returns:
            Z (N, C, H, W) and the arbitration map m (N, 1, H, W) in [0, 1]: 1 where the spatial
            expert decides, 0 where the frequency expert does.
        """
        margin = gradient_magnitude(spatial) - gradient_magnitude(frequency)
        m = torch.sigmoid(self.log_gain.exp() * margin + self.bias)
        return between(frequency, spatial, m), m
