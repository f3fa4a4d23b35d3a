"""Dense reliability: how far each modality is to be trusted, at every place and scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import activation, conv1x1, conv3x3, shrink, upsample

_DOUBT = 0.998
"""``|w_A - w_B|`` up to which neither source is convicted of a fault."""


class ReliabilityHead(nn.Module):
    """Scores both modalities at one scale.

    ``rho_X`` is computed from the features of X, which the encoder made with the other modality in
    view, and from what the next coarser scale made of its own. The same weights score both, so
    exchanging the inputs exchanges the scores.

    Args:
        channels: features of one modality at this scale.
        coarser: those of the next coarser scale; 0 at the coarsest.
    """

    def __init__(self, channels: int, coarser: int) -> None:
        super().__init__()
        self.mix = conv1x1(channels, channels)
        self.hint = conv1x1(coarser, channels, bias=False) if coarser else None
        self.context = conv3x3(channels, channels)
        # No bias: it would cancel in the difference.
        self.score = conv1x1(channels, 1, bias=False)

    def forward(self, features: Tensor, coarser: Tensor | None) -> tuple[Tensor, Tensor]:
        """``rho`` of one modality.

        Args:
            features: (N, C, H, W).
            coarser: (N, C', h, w), evidence of the next coarser scale, if there is one.

        Returns:
            ``rho`` (N, 1, H, W), and the evidence (N, C, H, W) for the next finer scale.
        """
        x = self.mix(features)
        if self.hint is not None:
            # Mixed before it is enlarged, which is the same and costs a quarter.
            x = x + upsample(self.hint(coarser), x.shape[2:])
        x = activation(x)
        evidence = x + activation(self.context(x))
        return self.score(evidence), evidence


class Reliability(nn.Module):
    """Reliability weights at every scale: ``w_A = softmax(rho_A, rho_B)``, ``w_B = 1 - w_A``.

    Scores and evidence are handed down from coarse to fine: a fault that fills half the slice is
    seen at the coarsest scale, its outline at the finest.

    Args:
        channels: features at each scale, finest first.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(map(ReliabilityHead, channels, (*channels[1:], 0)))

    def forward(self, a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        """Weights of modality A.

        Args:
            a, b: features, one (N, C_s, H_s, W_s) a scale, finest first.

        Returns:
            ``w_A``, one (N, 1, H_s, W_s) a scale, in [0, 1], finest first. The softmax over two is
            the sigmoid of their difference.
        """
        margins: list[Tensor] = []
        evidence = None
        for head, x, y in reversed(list(zip(self.heads, a, b, strict=True))):
            rho, evidence = head(torch.cat([x, y]), evidence)
            rho_a, rho_b = rho.chunk(2)
            margin = rho_a - rho_b
            if margins:
                margin = margin + upsample(margins[-1], margin.shape[2:])
            margins.append(margin)
        return [torch.sigmoid(margin) for margin in reversed(margins)]


def convict(weight: Tensor) -> Tensor:
    """Where one of two sources is all but certainly faulty: -1 if a is, 1 if b is, else 0.

    On sound slices the maps waver around 1/2, and edges and intensities must not follow them.
    Training shows as much faulty tissue as sound; in practice faults are rare, and a bright lesion
    can look like one, which must not be painted over. So it takes a reliability below 0.001, which
    is also what keeps neighbouring slices alike: where the limit was lower, they flickered.

    Args:
        weight: reliability of a, in [0, 1].

    Returns:
        The same shape; in between as far as the reliability is beyond the limit.
    """
    return shrink(2 * weight - 1, _DOUBT) / (1 - _DOUBT)


def weigh(features: Tensor, weight: Tensor) -> Tensor:
    """Features times their reliability, doubled so that indifference (1/2 each) changes nothing."""
    return 2 * weight * features
