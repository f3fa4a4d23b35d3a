"""From arbitrated features to the residual: a function of the pixel, steered by what is around."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .layers import conv3x3, upsample
from .standardisation import standardised_average
from .statistics import AIR, JointStatistics
from .transfer import TransferFunction
from .wavelet import WaveletTransform


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
    function of the two sources at that pixel. D is therefore a perceptron at every pixel: of A and
    B themselves, which alone keep all information, of Z (detail at full resolution through an
    inverse wavelet transform) and of the slowly varying context; the joint statistics of the two
    volumes choose the function. It starts half-way between the pixel maximum and the standardised
    average, whose correlation with both sources no image exceeds.

    Args:
        features: channels of Z, at half resolution.
        context: channels of the coarsest map.
        detail: channels that Z brings to full resolution.
        surroundings: channels that the context brings to full resolution.
        hidden: width of the perceptron.
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
        self.transfer = TransferFunction(
            4 + detail + surroundings, detail + surroundings, hidden, gains=3
        )
        self.to_pursuit = nn.Conv2d(detail + surroundings, pursuits, 1)
        nn.init.zeros_(self.to_pursuit.weight)
        nn.init.zeros_(self.to_pursuit.bias)
        # Of |A - B|, half of which takes the average to the maximum; of the preference; and of
        # what takes the average to the standardised one.
        self.gains = nn.Parameter(torch.tensor([0.25, 0.0, 0.5]).view(1, 3, 1, 1))

    def forward(
        self,
        a: Tensor,
        b: Tensor,
        statistics: JointStatistics,
        w_a: Tensor,
        z: Tensor,
        context: Tensor,
    ) -> Decoded:
        """Decode.

        Args:
            a, b: (N, 1, H, W) slices in [0, 1].
            statistics: of the volumes that a and b are slices of.
            w_a: (N, 1, H, W) reliability of A.
            z: (N, C, H/2, W/2) arbitrated features.
            context: (N, C', h, w) coarsest map of the spatial expert.

        Returns:
            See :class:`Decoded`.
        """
        n, _, h, w = z.shape
        detail = self.transform.inverse(self.to_bands(z).reshape(n, self.detail, 4, h, w))
        surroundings = upsample(self.to_surroundings(context), a.shape[2:])
        # Each is unchanged when the inputs are exchanged.
        total, contrast = a + b, (a - b).abs()
        preference = (2 * w_a - 1) * (a - b)
        shift = standardised_average(a, b, statistics.deviations) - total / 2
        pixels = torch.cat([total, contrast, preference, shift, detail, surroundings], 1)
        transferred, gains = self.transfer(pixels, statistics)
        steps = torch.cat([contrast, preference, shift], 1) * (self.gains + gains)
        opening = torch.tanh(total / AIR)
        drive = opening * (transferred + steps.sum(1, keepdim=True))
        pursuit = self.to_pursuit(torch.cat([detail, surroundings], 1))
        return Decoded(drive, 2 * opening * torch.sigmoid(pursuit))
