"""Dense reliability: how far each modality is to be trusted, at every place and scale."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import activation, conv3x3, upsample
from .wavelet import WaveletTransform

_FAINT = 0.01
"""Detail coefficient below which activity counts as none: about two grey levels of 255."""


class Activity(nn.Module):
    """How lively a slice is around each place, at every scale, on a logarithmic scale.

    Noise, blur and coarse voxels change the local energy of detail by a factor, be the tissue dark
    or bright; features that are linear in the intensities hardly show it in dark tissue.

    Args:
        scales: how many.
        wavelet: filter bank.
    """

    CHANNELS = 3

    def __init__(self, scales: int, wavelet: str) -> None:
        super().__init__()
        self.scales = scales
        self.transform = WaveletTransform(wavelet)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Measure.

        Args:
            x: (N, 1, H, W) in [0, 1]; H and W multiples of 2 to the number of scales.

        Returns:
            One (N, 3, H / 2^s, W / 2^s) a scale, s = 1, 2, ...: vertical, horizontal and diagonal
            detail; 0 where there is none, about 1 at the strongest edges.
        """
        activities = []
        for _ in range(self.scales):
            bands = self.transform(x)[:, 0] / 2
            x, detail = bands[:, :1], bands[:, 1:]
            strength = F.avg_pool2d(detail.abs(), 5, 1, 2, count_include_pad=False)
            activities.append(torch.log1p(strength / _FAINT) / 4)
        return activities


class ReliabilityHead(nn.Module):
    """Scores both modalities at one scale.

    ``rho_X`` is computed from the features of X beside those of the other modality, because many
    faults (a slab that is missing, a shift of a few voxels) show only in comparison, and from what
    the next coarser scale made of them. The same weights score both, so exchanging the inputs
    exchanges the scores.

    Args:
        channels: features of one modality at this scale.
        coarser: those of the next coarser scale; 0 at the coarsest.
    """

    def __init__(self, channels: int, coarser: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(2 * (channels + Activity.CHANNELS) + coarser, channels, 1)
        self.context = conv3x3(channels, channels)
        # No bias: it would cancel in the difference.
        self.score = conv3x3(channels, 1, bias=False)

    def forward(self, own: Tensor, other: Tensor, coarser: Tensor | None) -> tuple[Tensor, Tensor]:
        """``rho`` of one modality.

        Args:
            own, other: (N, C + 3, H, W), features and activity of either modality.
            coarser: (N, C', h, w), evidence of the next coarser scale, if there is one.

        Returns:
            ``rho`` (N, 1, H, W), and the evidence (N, C, H, W) for the next finer scale.
        """
        parts = [own, other]
        if coarser is not None:
            parts.append(upsample(coarser, own.shape[2:]))
        x = activation(self.mix(torch.cat(parts, 1)))
        evidence = activation(x + self.context(x))
        return self.score(evidence), evidence


class Reliability(nn.Module):
    """Reliability weights at every scale: ``w_A = softmax(rho_A, rho_B)``, ``w_B = 1 - w_A``.

    Scores and evidence are handed down from coarse to fine: a fault that fills half the slice is
    seen at the coarsest scale, its outline at the finest.

    Args:
        channels: features at each scale, finest first.
        wavelet: filter bank in which activity is measured.
    """

    def __init__(self, channels: tuple[int, ...], wavelet: str) -> None:
        super().__init__()
        self.activity = Activity(len(channels), wavelet)
        self.heads = nn.ModuleList(map(ReliabilityHead, channels, (*channels[1:], 0)))

    def forward(
        self, a: list[Tensor], b: list[Tensor], slice_a: Tensor, slice_b: Tensor
    ) -> list[Tensor]:
        """Weights of modality A.

        Args:
            a, b: features, one (N, C_s, H_s, W_s) a scale, finest first.
            slice_a, slice_b: (N, 1, H, W), what they are of.

        Returns:
            ``w_A``, one (N, 1, H_s, W_s) a scale, in [0, 1], finest first. The softmax over two is
            the sigmoid of their difference.
        """
        a, b = (
            [torch.cat(parts, 1) for parts in zip(features, self.activity(x), strict=True)]
            for features, x in ((a, slice_a), (b, slice_b))
        )
        margins: list[Tensor] = []
        evidence = None
        for head, x, y in reversed(list(zip(self.heads, a, b, strict=True))):
            # Both modalities as one batch: own features first, then the other's.
            rho, evidence = head(torch.cat([x, y]), torch.cat([y, x]), evidence)
            rho_a, rho_b = rho.chunk(2)
            margin = rho_a - rho_b
            if margins:
                margin = margin + upsample(margins[-1], margin.shape[2:])
            margins.append(margin)
        return [torch.sigmoid(margin) for margin in reversed(margins)]


def weigh(features: Tensor, weight: Tensor) -> Tensor:
    """Features times their reliability, doubled so that indifference (1/2 each) changes nothing."""
    return 2 * weight * features
