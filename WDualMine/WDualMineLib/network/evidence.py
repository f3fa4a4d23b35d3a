"""Evidence of faults in three dimensions: how far each of two volumes is to be suspected, where."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .clues import ACROSS, CLUES, clues
from .impressions import Impression, Impressions
from .layers import activation, conv1x1, conv3x3, in_parts, pointwise, upsample
from .surroundings import Surroundings, surroundings_of_crops

PIXEL_MM = 1.0
"""Pixels of the slices that evidence is taken from."""

CELL = 4
"""Pixels to a side of a cell, for which features are computed."""

_WEIGHED = 32
"""Features that the clues of a place are weighed with at first."""


_LEAST_MM2 = 1600.0
"""Tissue of a slice, a tenth of a crop of the training: among fewer places there is nothing that
one could be compared with."""

SILENT = -20.0
"""Score of what cannot be judged: nothing of it is shown."""


_FEW_SLICES = 8
"""That are scored at once whatever stacks they belong to."""


class AcrossSlices(nn.Module):
    """Mixes every slice with both neighbours; the outermost stand in for what is missing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = conv1x1(3 * channels, channels)

    def forward(self, x: Tensor, depth: int) -> Tensor:
        """(N * depth, C, h, w), slices of a stack in a row -> the same shape."""
        parts = self.mix.weight[..., 0, 0].unflatten(1, (3, -1))
        if depth == 1:
            # Its own neighbour on both sides: the same by a third of the products.
            return pointwise(x, parts.sum(1), self.mix.bias)
        of_before, own, of_after = parts.unbind(1)
        mixed = pointwise(x, own, self.mix.bias).unflatten(0, (-1, depth))
        first, last = slice(0, 1), slice(-1, None)
        later, earlier = slice(1, None), slice(None, -1)
        for weight, here, there, end in (
            (of_before, later, earlier, first),
            (of_after, earlier, later, last),
        ):
            # A product first, and not the neighbours beside each other: nothing is copied.
            others = pointwise(x, weight).unflatten(0, (-1, depth))
            mixed[:, here].add_(others[:, there])
            mixed[:, end].add_(others[:, end])
        return mixed.flatten(0, 1)


class Evened(nn.Module):
    """Features divided by their root mean square over the channels, place by place, with a gain.

    Unlike the usual normalisations it looks at nothing but the place itself, so that a result does
    not depend on what else is computed at the same time (Zhang and Sennrich, "Root mean square
    layer normalization", NeurIPS 2019). Without it training at a useful rate diverges.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) -> the same shape."""
        if x.stride(1) != 1:
            return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-4) * self.gain
        # A product over the channels: their mean takes twice as long where they lie innermost.
        share = x.new_full((x.shape[1],), 1 / x.shape[1])
        squared = ((x * x).movedim(1, -1) @ share)[:, None]
        return x * torch.rsqrt(squared + 1e-4) * self.gain


class VolumeBlock(nn.Module):
    """``x + across(activation(conv(evened(x))))``: 3 x 3 in plane, then three slices."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.evened = Evened(channels)
        self.within = conv3x3(channels, channels)
        self.across = AcrossSlices(channels)

    def forward(self, x: Tensor, depth: int) -> Tensor:
        """(N * depth, C, h, w) -> the same shape."""
        return self.across(activation(self.within(self.evened(x))), depth).add_(x)


class Evidence(nn.Module):
    """Scores of suspicion for both volumes at every place: log-odds that it is faulty there.

    Clues at a physical scale, in cells of 4 mm, are weighed place by place, and a small siamese
    pyramid, with cells of 4, 8, 16, ... mm, adds what neighbouring cells and slices say. The same
    weights see either volume with the other beside it, so that exchanging the inputs exchanges the
    scores.

    Args:
        channels: features at each scale, finest first.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.impression = Impression()
        self.multiple = CELL * 2 ** (len(channels) - 1)
        # Slices to either side that a score depends on: one for each block on its way, those of
        # the clues, and one to whose neighbour a slice is compared.
        self.reach = 2 * len(channels) + ACROSS + 1
        finest = channels[0]
        self.weighing = nn.Sequential(
            conv1x1(CLUES, _WEIGHED), nn.LeakyReLU(0.1), conv1x1(_WEIGHED, finest)
        )
        self.descents = nn.ModuleList(
            conv3x3(fine, coarse, stride=2) for fine, coarse in pairwise(channels)
        )
        self.blocks = nn.ModuleList(map(VolumeBlock, channels))
        self.deepest = VolumeBlock(channels[-1])
        self.hints = nn.ModuleList(conv1x1(coarse, fine) for fine, coarse in pairwise(channels))
        self.ascents = nn.ModuleList(map(VolumeBlock, channels[:-1]))
        self.scores = nn.ModuleList(nn.Sequential(Evened(c), conv1x1(c, 1)) for c in channels)
        # Of the clues of the place alone.
        self.direct = conv1x1(finest, 1)
        for _, score in self.scores:
            nn.init.zeros_(score.weight)
        # Faults are rare: begin there.
        nn.init.constant_(self.direct.bias, -2.0)

    def forward(self, a: Tensor, b: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Score stacks that stand alone, such as crops of 128 mm.

        Args:
            a, b: (N, D, H, W) in [0, 1], pixels of 1 mm; sides multiples of
                :attr:`multiple`.
            distance: (N,), of the slices in mm.

        Returns:
            Scores of a and of b, (N, D, H / 4, W / 4).
        """
        both = self.impression(torch.cat([a, b]))
        of_a, of_b = (Impressions(*x) for x in zip(*(y.chunk(2) for y in both), strict=True))
        return self.score(of_a, of_b, surroundings_of_crops(of_a, of_b, distance))

    def score(
        self, of_a: Impressions, of_b: Impressions, known: Surroundings
    ) -> tuple[Tensor, Tensor]:
        """:meth:`forward`, of impressions and what is known of the surroundings."""
        n, d = of_a.intensity.shape[:2]
        features = in_parts(
            lambda *parts: self.weighing(torch.cat(parts, 1)), *clues(of_a, of_b, known)
        )
        # Convolutions of few channels are fastest so; beyond the first of them it stays.
        features = features.contiguous(memory_format=torch.channels_last)
        # Stack by stack where there is much of it.
        most = d * max(1, _FEW_SLICES // d)
        score = in_parts(lambda x: self._seen_around(x, d), features, most=most)
        score = score[:, 0].unflatten(0, (2 * n, d))
        little = _little_around(of_a.tissue + of_b.tissue > 0, self.reach)
        score = score.masked_fill(little.repeat(2, 1)[..., None, None], SILENT)
        score_a, score_b = score.chunk(2)
        return score_a, score_b

    def _seen_around(self, features: Tensor, d: int) -> Tensor:
        """Features of places (N * D, C, h, w) -> scores (N * D, 1, h, w)."""
        direct = self.direct(activation(features))
        x, skips = features, []
        for number, block in enumerate(self.blocks):
            if number:
                x = self.descents[number - 1](activation(x))
            x = block(x, d)
            skips.append(x)
        x = self.deepest(skips.pop(), d)
        score = self.scores[-1](x)
        for number in reversed(range(len(skips))):
            fine = skips[number]
            x = fine + upsample(self.hints[number](x), fine.shape[2:])
            x = self.ascents[number](x, d)
            score = upsample(score, fine.shape[2:]) + self.scores[number](x)
        return score + direct


def _little_around(tissue: Tensor, reach: int) -> Tensor:
    """(N, D, 1, h, w) -> (N, D), slices that show little, and whose neighbours do."""
    area = tissue.flatten(2).sum(2, dtype=torch.float32) * (CELL * PIXEL_MM) ** 2
    return F.max_pool1d(area, 2 * reach + 1, 1, reach) < _LEAST_MM2
