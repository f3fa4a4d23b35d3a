"""Where either of two whole volumes is suspected: evidence at a physical scale, slab by slab.

Slices are resampled to pixels of 1 mm, thin ones are averaged to about 2 mm, and the network's
evidence is taken from slabs of them that overlap as far as it reaches. The two other planes are
looked at as well, more coarsely, and what all of them say is smoothed in space. So the same patient
gives the same map on a fine grid and on a coarse one, neighbouring slices agree, and working memory
does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.evidence import CELL, SILENT, Evidence
from ..network.padding import pad_to_multiple
from ..network.reliability import reliability_of
from ..network.statistics import AIR
from ..network.surroundings import REACH, surroundings_of_volumes
from ..progress import Progress, Steps
from ..volumes.scratch import let_go
from .evidence_grid import SLICE_MM, EvidenceGrid, Slices, as_tensor
from .score_maps import of_planes, smoothed

_SLAB_PIXELS = 60 * 256 * 256
"""Of a slab with what overlaps, at 1 mm. With less more is done twice, with more maps are so large
that the system clears new memory for each: 6.9 s of processor for 256 x 256 x 256 as against 7.9
(50 slices) and 7.2 (88)."""

_FEWEST = 16
"""Slices of a slab without what overlaps: with fewer, most of the work would be done twice."""

_FIELD_MM = 64.0
"""Least extent of a stack for other planes to be looked at: half a crop of the training."""

_THICK_MM = 3.6
"""Slices farther apart, and farther than their pixels, show too little in other planes."""


@dataclass(frozen=True)
class _Plane:
    """A way to look at a stack.

    Attributes:
        permutation: of its axes.
        ways: axes of (N, D, H, W) along which slices are mirrored, for each look.
        slice_mm: thinner slices are averaged to about this.
        weight: what it counts.
    """

    permutation: tuple[int, int, int]
    ways: tuple[tuple[int, ...], ...]
    slice_mm: float
    weight: float

    def of(self, values: tuple) -> tuple:
        """What belongs to the three axes, in the plane's order."""
        first, second, third = (values[k] for k in self.permutation)
        return first, second, third

    def back(self, scores: Tensor) -> Tensor:
        """Scores (2, d, h, w) in the order of the stack's axes."""
        return scores.permute(0, *(1 + self.permutation.index(k) for k in range(3)))


_OWN = _Plane((0, 1, 2), ((), (2, 3)), SLICE_MM, 2.0)
"""Slices as they lie, and turned by 180 degrees. A pyramid and windows see a place differently by
where on their grid it happens to lie: one look alone flagged 18 ml of a sound brain, and nothing
when the same brain lay 16 mm further; the mean of both also finds more (.546 and not .509 at 1 %
false alarms, ``bench truth --quick``)."""

_OTHERS = (
    _Plane((1, 0, 2), ((),), 2 * SLICE_MM, 0.5),
    _Plane((2, 0, 1), ((),), 2 * SLICE_MM, 0.5),
)
"""Motion, blur and coarse voxels are seen in some planes and not in others, and bands that show in
two planes have their origin in looking at the third alone (stripes 1.55 to .99, AUROC .828 to .842
with 30 % more time: cases of ``bench truth --quick``, former weights, by a script that is not
kept)."""


def _planes(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> list[_Plane]:
    """Those that are looked at."""
    extent = min(n * mm for n, mm in zip(shape, spacing, strict=True))
    thick = spacing[0] > max(_THICK_MM, *spacing[1:])
    return [_OWN] if thick or extent < _FIELD_MM else [_OWN, *_OTHERS]


@torch.inference_mode()
def slab_scores(
    network: Evidence,
    a: Slices,
    b: Slices,
    grid: EvidenceGrid,
    start: int,
    stop: int,
    ways: tuple[tuple[int, ...], ...] = _OWN.ways,
) -> tuple[Tensor, Tensor]:
    """Scores of both sources for some averaged slices, on the network's device.

    Args:
        network: on the device to compute on.
        a, b: stacks.
        grid: of both.
        start, stop: the first averaged slice and the one behind the last.
        ways: axes of (N, D, H, W) along which slices are mirrored, for each look.

    Returns:
        (2, stop - start, rows / 4, columns / 4), half precision, and (stop - start, rows / 4,
        columns / 4), 1 where there is tissue, else 0.
    """
    reach, device = _reach(network), _device(network)
    first, last = max(0, start - reach), min(grid.depth, stop + reach)
    slices = [grid.averaged(x, first, last, device) for x in (a, b)]
    distance = torch.tensor([grid.distance], dtype=torch.float32, device=device)
    part = slice(start - first, stop - first)
    total = torch.zeros((), device=device)
    for axes in ways:
        seen = (pad_to_multiple(x.flip(axes), network.multiple, 0) for x in slices)
        of_a, of_b = map(network.impression, seen)
        scores = network.score(of_a, of_b, surroundings_of_volumes(of_a, of_b, distance))
        shown = torch.cat(scores)[:, :, : grid.rows // CELL, : grid.columns // CELL].flip(axes)
        total = total + shown[:, part]
    tissue = F.avg_pool2d(slices[0][0, part] + slices[1][0, part], CELL) > AIR
    # No probability beyond that of 20 is any other in half precision.
    return (total / len(ways)).clamp(SILENT, -SILENT).half(), tissue.half()


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
    scores = yield from score_steps(network, a, b, spacing)
    for k in range(grid.slices):
        into[k] = _reliability(grid.enlarged(scores, k), a[k], b[k])
        let_go()


def score_steps(
    network: Evidence, a: Slices, b: Slices, spacing: tuple[float, float, float]
) -> Steps[Tensor]:
    """Scores of both stacks as :func:`reliability_steps` has them, on the evidence's own grid.

    Args:
        network, a, b, spacing: as there.

    Returns:
        Of shape (2, depth, rows, columns) as ``cells`` of :class:`EvidenceGrid`, half precision.
    """
    planes = _planes(a.shape, spacing)
    grids = [EvidenceGrid.of(x.of(a.shape), x.of(spacing), x.slice_mm) for x in planes]
    work = [len(x.ways) * g.depth * g.rows * g.columns for x, g in zip(planes, grids, strict=True)]
    found, done = [], 0.0
    for plane, grid, share in zip(planes, grids, work, strict=True):
        slabs = []
        stacks = [x.transpose(*plane.permutation) for x in (a, b)]
        for start, stop in _slabs(network, grid):
            slabs.append(slab_scores(network, *stacks, grid, start, stop, plane.ways))
            let_go()
            fraction = (done + share * stop / grid.depth) / sum(work)
            yield Progress(fraction, f"Looked for faults in {fraction:.0%}")
        done += share
        scores, shown = (
            torch.cat(x, k) for k, x in zip((1, 0), zip(*slabs, strict=True), strict=True)
        )
        found.append((plane.back(scores), plane.weight))
        if plane is _OWN:
            tissue = shown.float()
    cells = grids[0].cells
    depth, height, width = (n * mm / c for n, mm, c in zip(a.shape, spacing, cells, strict=True))
    return smoothed(of_planes(found, cells), tissue, (depth, height, width)).half()


def _slabs(network: Evidence, grid: EvidenceGrid) -> Iterator[tuple[int, int]]:
    """First slice of each slab and the one behind its last.

    As few as may be, and as large as one another with what overlaps: the outermost overlap with
    one other only.
    """
    overlap = _reach(network)
    most = max(_FEWEST, _SLAB_PIXELS // (grid.rows * grid.columns) - 2 * overlap)
    count = max(1, round((grid.depth - 2 * overlap) / most))
    between = (grid.depth - 2 * overlap) / count
    inner = [round(overlap + number * between) for number in range(1, count)]
    yield from pairwise([0, *inner, grid.depth])


def _reach(network: Evidence) -> int:
    """Slices to either side that a score and its surroundings depend on."""
    return network.reach + REACH


def _device(network: Evidence) -> torch.device:
    return next(network.parameters()).device


@torch.inference_mode()
def _reliability(scores: Tensor, a: np.ndarray | Tensor, b: np.ndarray | Tensor) -> Tensor:
    """Reliability (H, W) of one slice."""
    return reliability_of(*scores, *(as_tensor(x).to(scores.device) for x in (a, b)))
