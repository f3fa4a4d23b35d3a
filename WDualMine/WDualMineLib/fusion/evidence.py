"""Where either of two whole volumes is suspected: evidence at a physical scale, slab by slab.

Slices are resampled to pixels of 1 mm, thin ones are averaged to about 2 mm, and the network's
evidence is taken from slabs of them that overlap as far as it reaches; scores are smoothed across
the slices. So the same patient gives the same map on a fine grid and on a coarse one, neighbouring
slices agree, and working memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.evidence import CELL, PIXEL_MM, Evidence
from ..network.padding import pad_to_multiple
from ..network.reliability import reliability_of
from ..network.surroundings import REACH, surroundings_of_volumes
from ..progress import Progress, Steps
from ..volumes.scratch import let_go
from .stack import Stack

Slices = np.ndarray | Stack
"""Slices (S, H, W): an array or a view of one, or a stack on whatever device."""

_SLICE_MM = 2.0
"""Thinner slices are averaged to about this."""

_LARGEST_ZOOM = 4.0
"""Into how many pixels a larger one is divided along a side at most: there is nothing in them, and
it would cost much."""

_SLAB_PIXELS = 60 * 256 * 256
"""Of a slab with what overlaps, at 1 mm. With less more is done twice, with more maps are so large
that the system clears new memory for each: 6.9 s of processor for 256 x 256 x 256 as against 7.9
(50 slices) and 7.2 (88)."""

_TOGETHER = 1 << 24
"""Pixels of a stack that are averaged at a time: 64 MiB."""

_FEWEST = 16
"""Slices of a slab without what overlaps: with fewer, most of the work would be done twice."""

_WAYS = ((), (2, 3))
"""Axes of (N, D, H, W) along which slices are mirrored: as they lie, and turned by 180 degrees. A
pyramid and windows see a place differently by where on their grid it happens to lie. One way alone
flagged 18 ml of a sound brain, and nothing when the same brain lay 16 mm further; the mean of both
also finds more (.546 and not .509 at 1 % false alarms, ``bench truth --quick``)."""

_SMOOTHED_MM = 3.0
"""Standard deviation of a Gaussian across the slices that scores pass through. A fault is seldom
seen equally well in all slices it is in: without it stripes show in the other two planes, and lost
slices are found less fully (.62 and not .84 at 1 % false alarms, ``bench truth --quick``)."""


@dataclass(frozen=True)
class EvidenceGrid:
    """How slices of a stack are brought to the scale of the evidence.

    Attributes:
        slices, height, width: of the stack as it is.
        group: slices averaged to one.
        distance: of the averaged slices in mm.
        rows, columns: pixels at 1 mm, whole cells.
    """

    slices: int
    height: int
    width: int
    group: int
    distance: float
    rows: int
    columns: int

    @classmethod
    def of(cls, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> EvidenceGrid:
        """For a stack (S, H, W) with so many mm between slices, rows and columns."""
        group = max(1, min(round(_SLICE_MM / spacing[0]), shape[0]))
        rows, columns = (
            CELL * max(1, round(n * min(mm / PIXEL_MM, _LARGEST_ZOOM) / CELL))
            for n, mm in zip(shape[1:], spacing[1:], strict=True)
        )
        return cls(*shape, group, group * spacing[0], rows, columns)

    @property
    def depth(self) -> int:
        """Averaged slices; the last may be of fewer than the others."""
        return -(-self.slices // self.group)


@torch.inference_mode()
def slab_scores(
    network: Evidence, a: Slices, b: Slices, grid: EvidenceGrid, start: int, stop: int
) -> Tensor:
    """Scores of both sources for some averaged slices, on the network's device.

    Returns:
        (2, stop - start, rows / 4, columns / 4), half precision.
    """
    reach = _reach(network)
    first, last = max(0, start - reach), min(grid.depth, stop + reach)
    slices = [_scaled(x, grid, first, last, network) for x in (a, b)]
    distance = torch.tensor([grid.distance], dtype=torch.float32, device=_device(network))
    total = torch.zeros((), device=_device(network))
    for axes in _WAYS:
        seen = (pad_to_multiple(x.flip(axes), network.multiple, 0) for x in slices)
        of_a, of_b = map(network.impression, seen)
        scores = network.score(of_a, of_b, surroundings_of_volumes(of_a, of_b, distance))
        shown = torch.cat(scores)[:, :, : grid.rows // CELL, : grid.columns // CELL].flip(axes)
        total = total + shown[:, start - first : stop - first]
    # No probability beyond that of 20 is any other in half precision.
    return (total / len(_WAYS)).clamp(-20, 20).half()


def reliability_steps(
    network: Evidence,
    a: Slices,
    b: Slices,
    spacing: tuple[float, float, float],
    into: Slices,
) -> Steps[None]:
    """Reliability of the first of two stacks of slices; progress after every slab.

    Args:
        network: on the device to compute on.
        a, b: (S, H, W) float32 in [0, 1]; views will do, and stacks on any device.
        spacing: mm from slice to slice, row to row, column to column.
        into: (S, H, W) float32, takes the reliability in [0, 1].
    """
    grid = EvidenceGrid.of(a.shape, spacing)
    slabs = []
    for start, stop in _slabs(network, grid):
        slabs.append(slab_scores(network, a, b, grid, start, stop))
        let_go()
        yield Progress(stop / grid.depth, f"Looked for faults in {100 * stop // grid.depth} %")
    scores = _smoothed(torch.cat(slabs, 1), grid.distance)
    for k in range(grid.slices):
        into[k] = _enlarged(scores, grid, k, a[k], b[k])
        let_go()


def volume_scores(network: Evidence, a: Slices, b: Slices, grid: EvidenceGrid) -> Tensor:
    """Scores of both stacks as :func:`reliability_steps` has them, on the evidence's own grid.

    Returns:
        (2, grid.depth, rows / 4, columns / 4), half precision.
    """
    slabs = [slab_scores(network, a, b, grid, *ends) for ends in _slabs(network, grid)]
    return _smoothed(torch.cat(slabs, 1), grid.distance)


def _slabs(network: Evidence, grid: EvidenceGrid) -> Iterator[tuple[int, int]]:
    """First slice of each slab and the one behind its last.

    As few as may be, and as large as one another with what overlaps: the outermost overlap with
    one other only.
    """
    overlap = _reach(network)
    most = max(_FEWEST, _SLAB_PIXELS // (grid.rows * grid.columns) - 2 * overlap)
    count = max(1, -(-(grid.depth - 2 * overlap) // most))
    between = (grid.depth - 2 * overlap) / count
    inner = [round(overlap + number * between) for number in range(1, count)]
    yield from pairwise([0, *inner, grid.depth])


def _reach(network: Evidence) -> int:
    """Slices to either side that a score and its surroundings depend on."""
    return network.reach + REACH


def _smoothed(scores: Tensor, distance: float) -> Tensor:
    """(2, D, ...) scores of slices so many mm apart, smoothed across them; the ends repeated."""
    sigma = _SMOOTHED_MM / distance
    half = int(3 * sigma + 0.5)
    if half < 1:
        return scores
    offsets = torch.arange(-half, half + 1, device=scores.device)
    weights = torch.exp(-((offsets / sigma) ** 2) / 2)
    weights /= weights.sum()
    slices = torch.arange(scores.shape[1], device=scores.device)
    total = torch.zeros(scores.shape, device=scores.device)
    for offset, weight in zip(offsets.tolist(), weights.tolist(), strict=True):
        total.add_(scores[:, (slices + offset).clamp(0, len(slices) - 1)], alpha=weight)
    return total.half()


def _device(network: Evidence) -> torch.device:
    return next(network.parameters()).device


def _scaled(stack: Slices, grid: EvidenceGrid, start: int, stop: int, network: Evidence) -> Tensor:
    """Averaged slices at 1 mm: (1, stop - start, rows, columns)."""
    group, end = grid.group, min(stop * grid.group, grid.slices)
    # In parts: of thin slices of many pixels the whole would be held, and a copy of it.
    step = group * max(1, _TOGETHER // (group * grid.height * grid.width))
    parts = []
    for first in range(start * group, end, step):
        part = _tensor(stack[first : min(first + step, end)]).to(_device(network))
        whole = len(part) // group * group
        means = part[:whole].unflatten(0, (-1, group)).mean(1)
        if whole < len(part):
            means = torch.cat([means, part[whole:].mean(0, keepdim=True)])
        x, size = means[None], (grid.rows, grid.columns)
        if x.shape[2:] != size:
            x = F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)
        parts.append(x)
        let_go()
    return torch.cat(parts, 1)


def _between(grid: EvidenceGrid, index: int) -> tuple[int, int, float]:
    """The averaged slices around a slice, and how far it lies from the first to the second."""
    # The last group may have fewer slices, and its middle lies nearer.
    centres = [
        (k * grid.group + min((k + 1) * grid.group, grid.slices) - 1) / 2
        for k in (index // grid.group - 1, index // grid.group, index // grid.group + 1)
    ]
    here = index // grid.group
    other = here + (1 if index > centres[1] else -1)
    if index == centres[1] or not 0 <= other < grid.depth:
        return here, here, 0.0
    below, above = min(here, other), max(here, other)
    low, high = sorted((centres[1], centres[other - here + 1]))
    return below, above, (index - low) / (high - low)


@torch.inference_mode()
def _enlarged(
    scores: Tensor,
    grid: EvidenceGrid,
    index: int,
    a: np.ndarray | Tensor,
    b: np.ndarray | Tensor,
) -> Tensor:
    """Reliability (H, W) of one slice, between the scores of the averaged slices around it."""
    below, above, share = _between(grid, index)
    both = torch.lerp(scores[:, below].float(), scores[:, above].float(), share)
    size = (grid.height, grid.width)
    both = F.interpolate(both[None], size=size, mode="bilinear", align_corners=False)[0]
    return reliability_of(both[0], both[1], *(_tensor(x).to(both.device) for x in (a, b)))


def _tensor(view: np.ndarray | Tensor) -> Tensor:
    """A float32 copy: views may run backwards, which tensors cannot."""
    if isinstance(view, Tensor):
        return view
    return torch.from_numpy(np.array(view, dtype=np.float32, order="C"))
