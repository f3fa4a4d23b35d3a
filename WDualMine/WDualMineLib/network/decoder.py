"""From arbitrated features to the residual: a pointwise transfer steered by its surroundings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .layers import conv3x3, upsample
from .wavelet import WaveletTransform

AIR = 0.02
"""A + B at which the residual opens. Five grey levels of 255: the noise floor of air."""


class Decoder(nn.Module):
    """``D`` of ``F = (A + B)/2 + alpha tanh(D)``.

    Mutual information between F and a source is lost by every change of a pixel that is not a
    function of the two sources at that pixel. D is therefore a perceptron at every pixel: of A and
    B themselves, which alone keep all information, of Z (detail at full resolution through an
    inverse wavelet transform) and of the slowly varying context, which chooses the function. It
    starts half-way between the pixel maximum and the standardised average, whose correlation with
    both sources no image exceeds.

    Args:
        features: channels of Z, at half resolution.
        context: channels of the coarsest map.
        detail: channels that Z brings to full resolution.
        surroundings: channels that the context brings to full resolution.
        hidden: width of the perceptron.
        wavelet: filter bank that brings Z to full resolution.
    """

    def __init__(
        self,
        features: int,
        context: int,
        detail: int,
        surroundings: int,
        hidden: int,
        wavelet: str,
    ) -> None:
        super().__init__()
        self.detail = detail
        self.to_bands = conv3x3(features, 4 * detail)
        self.transform = WaveletTransform(wavelet)
        self.to_surroundings = nn.Conv2d(context, surroundings, 1)
        self.perceptron = nn.Sequential(
            nn.Conv2d(4 + detail + surroundings, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, 1, 1),
        )
        # Of |A - B|, half of which takes the average to the maximum; of the preference; and of
        # what takes the average to the standardised one.
        self.gains = nn.Parameter(torch.tensor([0.25, 0.0, 0.5]))
        nn.init.zeros_(self.perceptron[-1].weight)
        nn.init.zeros_(self.perceptron[-1].bias)

    def forward(
        self, a: Tensor, b: Tensor, standardised: Tensor, w_a: Tensor, z: Tensor, context: Tensor
    ) -> Tensor:
        """Compute D.

        Args:
            a, b: (N, 1, H, W) slices in [0, 1].
            standardised: (N, 1, H, W), their standardised average in [0, 1].
            w_a: (N, 1, H, W) reliability of A.
            z: (N, C, H/2, W/2) arbitrated features.
            context: (N, C', h, w) coarsest map of the spatial expert.

        Returns:
            (N, 1, H, W); exactly 0 where A and B both are 0, so that air stays air.
        """
        n, _, h, w = z.shape
        detail = self.transform.inverse(self.to_bands(z).reshape(n, self.detail, 4, h, w))
        surroundings = upsample(self.to_surroundings(context), a.shape[2:])
        # Each is unchanged when the inputs are exchanged.
        total, contrast = a + b, (a - b).abs()
        preference = (2 * w_a - 1) * (a - b)
        shift = standardised - total / 2
        pixels = torch.cat([total, contrast, preference, shift, detail, surroundings], 1)
        steps = torch.cat([contrast, preference, shift], 1)
        opening = torch.tanh(total / AIR)
        gains = self.gains.view(1, -1, 1, 1)
        return opening * (self.perceptron(pixels) + (gains * steps).sum(1, keepdim=True))
