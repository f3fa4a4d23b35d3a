"""Evidence of faults in three dimensions: how far each of two volumes is to be suspected, where."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .impressions import ACTIVITIES, Impression, Impressions
from .layers import activation, conv1x1, conv3x3, upsample
from .surroundings import Surroundings, surroundings_of_crops

PIXEL_MM = 1.0
"""Pixels of the slices that evidence is taken from."""

CELL = 4
"""Pixels to a side of a cell, for which features are computed."""

_OWN = 4 + 2 * ACTIVITIES + 1


class AcrossSlices(nn.Module):
    """Mixes every slice with both neighbours; the outermost stand in for what is missing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = conv1x1(3 * channels, channels)

    def forward(self, x: Tensor, depth: int) -> Tensor:
        """(N * depth, C, h, w), slices of a stack in a row -> the same shape."""
        if depth == 1:
            # Its own neighbour on both sides: the same by a third of the products.
            mix = self.mix.weight.unflatten(1, (3, -1)).sum(1)
            return F.conv2d(x, mix, self.mix.bias)
        stacks = x.unflatten(0, (-1, depth))
        before = torch.cat([stacks[:, :1], stacks[:, :-1]], 1)
        after = torch.cat([stacks[:, 1:], stacks[:, -1:]], 1)
        return self.mix(torch.cat([before, stacks, after], 2).flatten(0, 1))


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
        return x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-4) * self.gain


class VolumeBlock(nn.Module):
    """``x + across(activation(conv(evened(x))))``: 3 x 3 in plane, then three slices."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.evened = Evened(channels)
        self.within = conv3x3(channels, channels)
        self.across = AcrossSlices(channels)

    def forward(self, x: Tensor, depth: int) -> Tensor:
        """(N * depth, C, h, w) -> the same shape."""
        return x + self.across(activation(self.within(self.evened(x))), depth)


class Evidence(nn.Module):
    """Scores of suspicion for both volumes at every place: log-odds that it is faulty there.

    A siamese pyramid, at a physical scale: cells of 4, 8, 16, ... mm in plane, and neighbouring
    slices take part at all of them. The same weights see either volume with the other beside it, so
    that exchanging the inputs exchanges the scores.

    Args:
        channels: features at each scale, finest first.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.impression = Impression()
        self.multiple = CELL * 2 ** (len(channels) - 1)
        # Slices to either side that a score depends on: one for each block on its way.
        self.reach = 2 * len(channels)
        finest = channels[0]
        self.entry = conv1x1(2 * _OWN + 1, finest)
        self.look = conv3x3(finest, finest)
        self.descents = nn.ModuleList(
            conv3x3(fine, coarse, stride=2) for fine, coarse in pairwise(channels)
        )
        self.blocks = nn.ModuleList(map(VolumeBlock, channels))
        self.deepest = VolumeBlock(channels[-1])
        self.hints = nn.ModuleList(conv1x1(coarse, fine) for fine, coarse in pairwise(channels))
        self.ascents = nn.ModuleList(map(VolumeBlock, channels[:-1]))
        self.scores = nn.ModuleList(nn.Sequential(Evened(c), conv1x1(c, 1)) for c in channels[1:])
        self.last = nn.Sequential(Evened(finest), conv3x3(finest, 4))
        for _, score in (*self.scores, self.last):
            nn.init.normal_(score.weight, std=0.2)
        # Faults are rare: begin there.
        nn.init.constant_(self.last[1].bias, -2.0)

    def forward(self, a: Tensor, b: Tensor, distance: Tensor) -> tuple[Tensor, Tensor]:
        """Score stacks that stand alone, such as crops of 128 mm.

        Args:
            a, b: (N, D, H, W) in [0, 1], pixels of 1 mm; sides multiples of
                :attr:`multiple`.
            distance: (N,), of the slices in mm.

        Returns:
            Scores of a and of b, (N, D, H / 2, W / 2).
        """
        of_a, of_b = self.impression(a), self.impression(b)
        return self.score(of_a, of_b, surroundings_of_crops(of_a, of_b, distance))

    def score(
        self, of_a: Impressions, of_b: Impressions, known: Surroundings
    ) -> tuple[Tensor, Tensor]:
        """:meth:`forward`, of impressions and what is known of the surroundings."""
        n, d = of_a.form.shape[:2]
        x = self._entered(of_a, of_b, known)
        skips = []
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
            score = upsample(score, fine.shape[2:])
            if number:
                score = score + self.scores[number - 1](x)
        fine = F.pixel_shuffle(self.last(x), 2)
        score = upsample(score, fine.shape[2:]) + fine
        score_a, score_b = score[:, 0].unflatten(0, (2 * n, d)).chunk(2)
        return score_a, score_b

    def _entered(self, a: Impressions, b: Impressions, known: Surroundings) -> Tensor:
        """Features (2 N D, C, h, w) of the stacks of a, then of those of b."""
        n, d, _, h, w = a.form.shape
        own_a = _own(a, known.usual_a, known.unlike_a)
        own_b = _own(b, known.usual_b, known.unlike_b)
        distance = (known.distance / 8).view(-1, 1, 1, 1, 1).expand(n, d, 1, h, w)
        told = torch.cat(
            [torch.cat([own_a, own_b, distance], 2), torch.cat([own_b, own_a, distance], 2)]
        ).flatten(0, 1)
        return self.look(activation(self.entry(told)))


def _own(x: Impressions, usual: Tensor, unlike: Tensor) -> Tensor:
    return torch.cat([x.form, x.activity, (x.activity - usual) * x.tissue, unlike], 2)
