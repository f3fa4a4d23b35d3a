"""Dense reliability: how far each modality is to be trusted, at every place and scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import activation, conv3x3, upsample


class ReliabilityHead(nn.Module):
    """Scores both modalities at one scale.

    ``rho_X`` is computed from the features of X beside those of the other modality, because many
    faults (a slab that is missing, a shift of a few voxels) show only in comparison. The same
    weights score both, so exchanging the inputs exchanges the scores.

    Args:
        channels: features of one modality at this scale.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * channels, channels, 1)
        self.context = conv3x3(channels, channels, groups=channels)
        # No bias: it would cancel in the difference.
        self.score = conv3x3(channels, 1, bias=False)

    def _rho(self, own: Tensor, other: Tensor) -> Tensor:
        x = activation(self.mix(torch.cat([own, other], 1)))
        return self.score(activation(x + self.context(x)))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """``rho_A - rho_B`` (N, 1, H, W) of features a, b (N, C, H, W)."""
        return self._rho(a, b) - self._rho(b, a)


class Reliability(nn.Module):
    """Reliability weights at every scale: ``w_A = softmax(rho_A, rho_B)``, ``w_B = 1 - w_A``.

    Scores are handed down from coarse to fine and added up: a fault that fills half the slice is
    seen at the coarsest scale, its outline at the finest.

    Args:
        channels: features at each scale, finest first.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(map(ReliabilityHead, channels))

    def forward(self, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        """Weights of modality A.

        Args:
            a, b: one (N, C_s, H_s, W_s) a scale, finest first.

        Returns:
            ``w_A``, one (N, 1, H_s, W_s) a scale, in [0, 1], finest first. The softmax over two is
            the sigmoid of their difference.
        """
        margins: list[Tensor] = []
        for head, x, y in reversed(list(zip(self.heads, a, b, strict=True))):
            margin = head(x, y)
            if margins:
                margin = margin + upsample(margins[-1], margin.shape[2:])
            margins.append(margin)
        return [torch.sigmoid(margin) for margin in reversed(margins)]


def weigh(features: Tensor, weight: Tensor) -> Tensor:
    """Features times their reliability, doubled so that indifference (1/2 each) changes nothing."""
    return 2 * weight * features
