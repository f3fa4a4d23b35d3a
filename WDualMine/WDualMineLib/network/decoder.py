"""From arbitrated features to the residual: a function of the pixel, and sparse changes to it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .content import Content
from .layers import conv3x3, enlarged, garrote, tanh
from .standardisation import standardised_average
from .statistics import AIR, JointStatistics, expect
from .transfer import TransferFunction
from .wavelet import WaveletTransform, interleave

_GROSS, _MISSING, _FINE = 3.0, 0.5, 0.06
"""What of a faulty source is kept: deviations from expectation, where it shows anything and where
it shows nothing; and intensity finer than three pixels."""


class Decoded(NamedTuple):
    """What the decoder proposes, each of the slices' own size.

    Attributes:
        drive: (N, 1, H, W), ``D``; exactly 0 where A and B both are 0, so that air stays air.
        pursuit: (N, pursuits, H, W) in [0, 2], how keenly edges are to be pursued; 0 in air.
    """

    drive: Tensor
    pursuit: Tensor


class Decoder(nn.Module):
    """``D`` of ``F = (A + B)/2 + alpha tanh(D)``.

    Mutual information between F and a source is lost by every change of a pixel that is not a
    function of the two sources at that pixel. D therefore is such a function, chosen by the joint
    statistics of the volumes, and what Z (detail at full resolution through an inverse wavelet
    transform) and the slowly varying context add, which is exactly 0 wherever it would be faint. It
    starts half-way between the pixel maximum and the standardised average, whose correlation with
    both sources no image exceeds. Where one source clearly is not to be trusted, its place is taken
    by what the other leads one to expect of it.

    Args:
        features: channels of Z, at half resolution.
        context: channels of the coarsest map.
        detail: channels that Z brings to full resolution.
        surroundings: channels that the context brings to full resolution.
        hidden: width of the perceptron behind the transfer function.
        pursuits: maps of the keenness with which edges are pursued.
        wavelet: filter bank that brings Z to full resolution.
    """

    def __init__(
        self,
        features: int,
        context: int,
        detail: int,
        surroundings: int,
        hidden: int,
        pursuits: int,
        wavelet: str,
    ) -> None:
        super().__init__()
        self.detail = detail
        self.to_bands = conv3x3(features, 4 * detail)
        self.transform = WaveletTransform(wavelet)
        self.to_surroundings = nn.Conv2d(context, surroundings, 1)
        self.transfer = TransferFunction(hidden, gains=2)
        self.guide = nn.Conv2d(detail + surroundings, 1 + pursuits, 1)
        nn.init.zeros_(self.guide.weight)
        nn.init.zeros_(self.guide.bias)
        # Some additions have to pass the threshold at first: what is 0 everywhere learns nothing.
        nn.init.normal_(self.guide.weight[:1], std=0.005)
        self.log_threshold = nn.Parameter(torch.tensor(math.log(1 / 255)))
        # Of |A - B|, half of which takes the average to the maximum; and of what takes the average
        # to the standardised one.
        self.gains = nn.Parameter(torch.tensor([0.25, 0.5]).view(1, 2, 1, 1))

    def forward(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics,
        conviction: Tensor | None,
        z: Tensor,
        context: Tensor,
        content: Content,
    ) -> Decoded:
        """Decode.

        Args:
            a, b: (N, 1, H, W) slices in [0, 1].
            statistics: of the volumes that a and b are slices of.
            conviction: (N, 1, H, W) in [-1, 1], see :func:`~.reliability.convict`; None: 0.
            z: (N, C, H/2, W/2) arbitrated features.
            context: (N, C', h, w) coarsest map of the spatial expert, of the whole slices.
            content: the part of the slices that the other maps are of.

        Returns:
            See :class:`Decoded`.
        """
        guided = self._guided(z, context, content)
        addition = garrote(guided[:, :1], self.log_threshold.exp())
        # Each is unchanged when the inputs are exchanged.
        average = (a + b) / 2
        if conviction is not None:
            a, b = replace_untrusted(a, b, conviction, statistics)
        mean = average if conviction is None else (a + b) / 2
        shift = standardised_average(a, b, statistics.deviations) - mean
        transferred, gains = self.transfer(a, b, statistics)
        of_contrast, of_shift = (self.gains + gains).split(1, 1)
        drive = transferred + of_contrast * (a - b).abs() + of_shift * shift + addition
        if conviction is not None:
            drive = drive + mean - average
        opening = tanh(average * (2 / AIR))
        return Decoded(opening * drive, 2 * opening * torch.sigmoid(guided[:, 1:]))

    def mixed(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weight and bias of a convolution that gives the bands of the guidance from Z, band by
        band, and the weight of what the context adds to it: channels are mixed before they are
        enlarged, which is the same and costs a quarter."""
        of_detail, of_surroundings = self.guide.weight.split(
            (self.detail, self.guide.in_channels - self.detail), 1
        )
        bands = self.to_bands
        weight = bands.weight.unflatten(0, (self.detail, 4))
        weight = torch.einsum("gd,dkizs->kgizs", of_detail[..., 0, 0], weight).flatten(0, 1)
        bias = (of_detail[..., 0, 0] @ bands.bias.unflatten(0, (self.detail, 4))).T.flatten()
        return weight, bias, of_surroundings

    def _guided(self, z: Tensor, context: Tensor, content: Content) -> Tensor:
        """The addition, then the pursuits, (N, 1 + pursuits, H, W), without their bounds."""
        weight, bias, of_surroundings = self.mixed()
        reach, told = self.to_bands.reach, self.to_surroundings
        z = F.pad(z.contiguous(), (reach,) * 4, mode="replicate")
        if self.transform.short:
            weight, bias = self.transform.to_places(weight), self.transform.to_places(bias)
            near = interleave(F.conv2d(z, weight, bias))
        else:
            mixed = F.conv2d(z, weight, bias).unflatten(1, (4, -1))
            near = self.transform.inverse(mixed.transpose(1, 2))
        far = F.conv2d(told(context), of_surroundings, self.guide.bias)
        return near + enlarged(far.contiguous(), content.size, content.rows, content.columns)


def replace_untrusted(
    a: Tensor, b: Tensor, conviction: Tensor, statistics: JointStatistics
) -> tuple[Tensor, Tensor]:
    """Both sources, where one is faulty as the other leads one to expect it.

    Weighting alone would put the other source in its place; yet it differs from the fused slice by
    more than most faults do, for half of the picture is missing from it. What the faulty source
    shows over three pixels is kept up to three deviations of its whole volume from expectation,
    and half a one where it shows nothing; of what is finer only a little. So noise and stripes
    average out, lost slices are filled, and a slight fault takes away less than there is
    (``bench truth``, *harm excess*).

    Args:
        a, b, conviction, statistics: as for :class:`Decoder`.

    Returns:
        a and b, (N, 1, H, W), the same wherever the conviction is 0.
    """
    if conviction.device.type == "cpu" and not conviction.any():
        return a, b
    of_a, of_b = statistics.expected.unbind(1)
    spread_a, spread_b = statistics.deviations.to(a)[:, :, None, None, None].unbind(1)
    return (
        torch.lerp(a, _mended(a, expect(b, of_a), spread_a), (-conviction).clamp_min(0)),
        torch.lerp(b, _mended(b, expect(a, of_b), spread_b), conviction.clamp_min(0)),
    )


def _mended(x: Tensor, expected: Tensor, spread: Tensor) -> Tensor:
    around, shown = (
        F.avg_pool2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), 3, 1) for y in (x, x - expected)
    )
    fine = (x - expected - shown).clamp(-_FINE, _FINE)
    most = spread * torch.where(around < AIR, _MISSING, _GROSS)
    return expected + torch.minimum(torch.maximum(shown, -most), most) + fine
