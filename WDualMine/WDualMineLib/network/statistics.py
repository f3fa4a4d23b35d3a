"""What the network is told of the volumes as a whole: their joint distribution of intensities."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

BINS = 16
"""Of the joint histogram, along the mean and along the difference of the two intensities."""

MOMENTS = 4

LEVELS = 32
"""At which the expectation of one source, given the other, is kept."""

_RARE = 10
"""Voxels of a level up to which its own mean counts less than that of all tissue."""

AIR = 0.02
"""A + B below which a voxel counts as air. Five grey levels of 255."""

ENOUGH = 1 << 20
"""Voxels from which a histogram of 256 cells is known well; more are sampled."""


class JointStatistics(NamedTuple):
    """Of N pairs of slices, or (N = 1) of one pair of volumes.

    Attributes:
        deviations: (N, 2), standard deviations of a and b.
        expected: (N, 2, LEVELS), mean of a in tissue where b has each of the levels from 0 to 1,
            and mean of b by the levels of a.
        histogram: (N, BINS * BINS), the logarithm of the share of tissue at each mean and
            difference, scaled to about [0, 1].
        moments: (N, 4), of tissue: mean intensity, mean difference, contrast of the deviations, and
            how far the brighter source is the one of less deviation.
    """

    deviations: Tensor
    expected: Tensor
    histogram: Tensor
    moments: Tensor

    def to(self, device: torch.device) -> JointStatistics:
        """The same on another device."""
        return JointStatistics(*(x.to(device) for x in self))


def joint_statistics(a: Tensor, b: Tensor, *, expected: bool = True) -> JointStatistics:
    """Measure N pairs.

    Which function of two intensities fuses them best depends on how they are distributed: what a
    bright voxel of one means beside a dark one of the other is different for CT and for PET.
    Exchanging a and b exchanges the deviations and the expectations; the rest is symmetric, so that
    nothing else changes. Air does not count: how much of it there is depends on the field of view.

    Args:
        a, b: (N, ...) in [0, 1], float32.
        expected: whether the expectations will be looked up; else there is no level of them.

    Returns:
        See :class:`JointStatistics`.
    """
    a, b = (x.flatten(1).float() for x in (a, b))
    deviations = torch.stack([x.std(1, correction=0) for x in (a, b)], 1)
    stride = -(-a.shape[1] // ENOUGH)
    a, b = a[:, ::stride], b[:, ::stride]
    mean, difference = (a + b) / 2, (a - b).abs()
    tissue = (a + b > AIR).float()
    count = tissue.sum(1).clamp_min(1)

    def average(x: Tensor) -> Tensor:
        return (x * tissue).sum(1) / count

    total = deviations.sum(1).clamp_min(1e-6)
    contrast = (deviations[:, 0] - deviations[:, 1]) / total
    brighter = average((b - a) / (difference + 0.01))
    moments = [average(mean), average(difference), contrast.abs(), contrast * brighter]
    histogram = _histogram(mean, difference, tissue) / count[:, None]
    levels = deviations.new_empty(len(a), 2, 0)
    if expected:
        levels = torch.stack([_expected(a, b, tissue), _expected(b, a, tissue)], 1)
    return JointStatistics(
        deviations, levels, torch.log1p(1000 * histogram) / 7, torch.stack(moments, 1)
    )


def expect(other: Tensor, expected: Tensor) -> Tensor:
    """What is to be expected of one source where the other one is as it is.

    Args:
        other: (N, 1, H, W) in [0, 1].
        expected: (N or 1, LEVELS), a row of :attr:`JointStatistics.expected`.

    Returns:
        (N, 1, H, W) in [0, 1], by linear interpolation between the levels.
    """
    low, part = between_levels(other.flatten(1), LEVELS)
    table = expected.expand(len(other), -1)
    return torch.lerp(table.gather(1, low), table.gather(1, low + 1), part).view_as(other)


def _expected(x: Tensor, other: Tensor, tissue: Tensor) -> Tensor:
    """(N, LEVELS): mean of ``x`` by the level of ``other``, drawn to the mean where it is rare."""
    low, part = between_levels(other, LEVELS)
    total, count = (x.new_zeros(len(x), LEVELS) for _ in range(2))
    above = tissue * part
    for step, share in ((0, tissue - above), (1, above)):
        # What is added to starts a level higher: no index has to.
        total[:, step:].scatter_add_(1, low, share * x)
        count[:, step:].scatter_add_(1, low, share)
    return expectation(total, count)


def expectation(total: Tensor, count: Tensor) -> Tensor:
    """Mean at each level, drawn to the mean of all levels where voxels are few.

    Args:
        total, count: (N, LEVELS), sum and number of the voxels of each level.
    """
    mean = total.sum(1, keepdim=True) / count.sum(1, keepdim=True).clamp_min(1)
    return (total + _RARE * mean) / (count + _RARE)


def _histogram(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """(N, BINS * BINS): every voxel shared among four cells, so that windows act smoothly."""
    n = len(x)
    cells = x.new_zeros(n, BINS * BINS)
    (low_x, part_x), (low_y, part_y) = between_levels(x, BINS), between_levels(y, BINS)
    index = torch.add(low_y, low_x, alpha=BINS)
    above = weight * part_x
    for step_x, of_x in ((0, weight - above), (1, above)):
        of_both = of_x * part_y
        for step_y, share in ((0, of_x - of_both), (1, of_both)):
            # What is added to starts that many cells later: no index has to.
            cells[:, step_x * BINS + step_y :].scatter_add_(1, index, share)
    return cells


def between_levels(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of so many levels from 0 to 1 the one below each value, and how far the next one is."""
    position = x.clamp(0, 1).mul_(count - 1)
    low = position.floor().clamp_max_(count - 2)
    return low.long(), position.sub_(low)
