"""Evidence of faults in three dimensions: how far each of two volumes is to be suspected, where."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import activation, conv1x1, conv3x3, upsample
from .statistics import AIR, expect
from .wavelet import WaveletTransform

PIXEL_MM = 1.0
"""Pixels of the slices that evidence is taken from."""

CELL = 4
"""Pixels to a side of a cell, for which features are computed."""

_FAINT = 0.01
"""Wavelet detail below which there is none: about two grey levels of 255."""

_ACTIVITIES = 6
_OWN = 4 + 2 * _ACTIVITIES + 1


class Impressions(NamedTuple):
    """What stacks of slices of one volume look like, cell by cell.

    Attributes:
        form: (N, D, 4, h, w), the four means of 2 x 2 mm in a cell.
        activity: (N, D, 6, h, w), the strength of detail at 1 and 2 mm in three directions.
        tissue: (N, D, 1, h, w), 1 where something is shown.
    """

    form: Tensor
    activity: Tensor
    tissue: Tensor

    def usual(self) -> Tensor:
        """Mean activity over the tissue of each stack: (N, 6)."""
        count = self.tissue.sum((1, 3, 4)).clamp_min(1)
        return (self.activity * self.tissue).sum((1, 3, 4)) / count


class Surroundings(NamedTuple):
    """What is known of whole volumes, beyond the slices at hand.

    Attributes:
        usual_a, usual_b: (N, 6), mean activity (:meth:`Impressions.usual`).
        expected: (N, 2, LEVELS), what either source leads one to expect of the other; see
            :class:`~.statistics.JointStatistics`.
        distance: (N,), of the slices in mm.
    """

    usual_a: Tensor
    usual_b: Tensor
    expected: Tensor
    distance: Tensor


class Impression(nn.Module):
    """From slices to :class:`Impressions`, with two levels of the Haar transform; no weights."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = WaveletTransform("haar")

    def forward(self, x: Tensor) -> Impressions:
        """Look.

        Args:
            x: (N, D, H, W) in [0, 1], pixels of 1 mm, sides multiples of four.
        """
        n, d, h, w = x.shape
        # Halved, the low band of an orthonormal transform is a mean again.
        fine = self.transform(x.reshape(n * d, 1, h, w))[:, 0] / 2
        mean = fine[:, :1]
        broad = self.transform(mean)[:, 0] / 2
        strengths = [F.avg_pool2d(fine[:, 1:].abs(), 2), broad[:, 1:].abs()]
        # Over 12 mm: what is one edge at 4 mm is texture there.
        detail = torch.cat(strengths, 1)
        detail = F.avg_pool2d(detail, 3, 1, 1, count_include_pad=False)
        activity = torch.log1p(detail / _FAINT) / 4
        form = F.pixel_unshuffle(mean, 2)
        tissue = (broad[:, :1] > AIR / 2).to(x)
        return Impressions(*(y.unflatten(0, (n, d)) for y in (form, activity, tissue)))


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

    def forward(self, a: Tensor, b: Tensor, known: Surroundings) -> tuple[Tensor, Tensor]:
        """Score.

        Args:
            a, b: (N, D, H, W) in [0, 1], pixels of 1 mm; sides multiples of
                :attr:`multiple`.
            known: of the volumes that the stacks are a part of.

        Returns:
            Scores of a and of b, (N, D, H / 2, W / 2).
        """
        of_a, of_b = self.impression(a), self.impression(b)
        n, d = a.shape[:2]
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
        of_a, of_b = score[:, 0].unflatten(0, (2 * n, d)).chunk(2)
        return of_a, of_b

    def _entered(self, a: Impressions, b: Impressions, known: Surroundings) -> Tensor:
        """Features (2 N D, C, h, w) of the stacks of a, then of those of b."""
        n, d, _, h, w = a.form.shape
        unlike_a = _unlike(a.form, b.form, known.expected[:, 0])
        unlike_b = _unlike(b.form, a.form, known.expected[:, 1])
        own_a = _own(a, known.usual_a, unlike_a)
        own_b = _own(b, known.usual_b, unlike_b)
        distance = (known.distance / 8).view(-1, 1, 1, 1, 1).expand(n, d, 1, h, w)
        told = torch.cat(
            [torch.cat([own_a, own_b, distance], 2), torch.cat([own_b, own_a, distance], 2)]
        ).flatten(0, 1)
        return self.look(activation(self.entry(told)))


def _own(x: Impressions, usual: Tensor, unlike: Tensor) -> Tensor:
    relative = x.activity - usual[:, None, :, None, None]
    return torch.cat([x.form, x.activity, relative * x.tissue, unlike], 2)


def _unlike(form: Tensor, other: Tensor, expected: Tensor) -> Tensor:
    """How far a volume is from what the other one leads to expect, cell by cell."""
    n, d, c, h, w = form.shape
    likely = expect(other.reshape(n, 1, d * c, h * w), expected).reshape(form.shape)
    return (form - likely).mean(2, keepdim=True)
