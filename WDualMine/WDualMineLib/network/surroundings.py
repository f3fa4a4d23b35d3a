"""What is usual around a place: the yardstick by which evidence judges what it sees there.

Noise, blur and shading are known by comparison: with what the same volume shows elsewhere in tissue
of the kind, and with what the other volume leads one to expect. Both are taken from windows as
large as the crops of the training, not from whole volumes, in which a thigh would be judged by a
pelvis.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from .impressions import DETAILS, WITHIN, Impressions
from .standing import Sums, kinds, scores, sums

WINDOW = 32
"""Cells of 4 mm to a side of a window: 128 mm."""

_STRIDE = WINDOW // 2

REACH = 4
"""Slices before and behind that count as around a slice."""

STANDINGS = 3 * DETAILS + 1
"""Standard scores of a volume at a place: of its detail among places of the same intensity, of the
same intensity in the other volume, and of as much detail in the other; of its intensity among
places of the same intensity in the other, which is number :data:`OF_INTENSITY`."""

OF_INTENSITY = 2 * DETAILS


class Surroundings(NamedTuple):
    """Of N pairs of stacks of D slices with (h, w) cells.

    Attributes:
        standing_a, standing_b: (N, D, STANDINGS, h, w), how unusual either is for what it is, in
            [-2, 2]; 0 in air.
        distance: (N,), of the slices in mm.
    """

    standing_a: Tensor
    standing_b: Tensor
    distance: Tensor


class _Comparison(NamedTuple):
    """Quantities of N groups of places, and the kinds of place among which each is judged.

    Attributes:
        values: (N, C, P).
        kind: (N, P, LEVELS), see :func:`~.standing.kinds`.
    """

    values: Tensor
    kind: Tensor


def surroundings_of_crops(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Each pair of stacks is its own window.

    Args:
        a, b: of N pairs.
        distance: (N,) mm.
    """
    (n, depth), (h, w) = a.intensity.shape[:2], a.intensity.shape[3:]
    tissue = ((a.tissue + b.tissue) > 0).to(a.intensity)

    def places(x: Tensor) -> Tensor:
        return x.flatten(0, 1).flatten(2)

    def together(x: Tensor) -> Tensor:
        stacks = x.unflatten(0, (-1, depth))
        return stacks.sum(1, keepdim=True).expand_as(stacks).flatten(0, 1)

    tissue = places(tissue)
    found = []
    for values, kind in _compared(*(_judged(x, places) for x in (a, b))):
        known = Sums(*map(together, sums(values, kind, tissue[:, 0])))
        found.append(scores(values, kind, known))
    standing = [
        (z * tissue).unflatten(2, (h, w)).unflatten(0, (n, depth)) for z in _in_order(found)
    ]
    return Surroundings(standing[0], standing[1], distance)


def surroundings_of_volumes(a: Impressions, b: Impressions, distance: Tensor) -> Surroundings:
    """Windows that overlap by half, blended from one centre to the next; nine slices deep.

    A window is made up of four tiles, which are added up once for the four windows they are in.

    Args:
        a, b: of one pair (N = 1), with four slices before the first and behind the last that
            matter, as far as there are any.
        distance: (1,) mm.
    """
    tiling = _Tiling.of(a.intensity)
    tissue = tiling.cut(((a.tissue + b.tissue) > 0).to(a.intensity))
    found = []
    for values, kind in _compared(*(_judged(x, tiling.cut) for x in (a, b))):
        around = [tiling.windows(x) for x in sums(values, kind, tissue[:, 0])]
        blended = torch.zeros_like(values)
        for down, across in product(range(2), repeat=2):
            known = Sums(*(tiling.of_tiles(x, down, across) for x in around))
            share = tiling.share(down, across, values)
            blended.addcmul_(scores(values, kind, known), share)
        found.append(blended)
    standing = [tiling.put_together(z * tissue) for z in _in_order(found)]
    return Surroundings(standing[0], standing[1], distance)


class _Tiling(NamedTuple):
    """Slices (1, D, C, h, w) in tiles of half a window to a side, filled up with air.

    Attributes:
        depth: D.
        rows, columns: tiles.
        size: (h, w).
    """

    depth: int
    rows: int
    columns: int
    size: tuple[int, int]

    @classmethod
    def of(cls, x: Tensor) -> _Tiling:
        h, w = x.shape[3:]
        return cls(x.shape[1], -(-h // _STRIDE), -(-w // _STRIDE), (h, w))

    def cut(self, x: Tensor) -> Tensor:
        """(rows * columns * D, C, places)."""
        h, w = self.size
        x = F.pad(x[0], (0, self.columns * _STRIDE - w, 0, self.rows * _STRIDE - h))
        x = x.unflatten(3, (-1, _STRIDE)).unflatten(2, (-1, _STRIDE))
        return x.permute(2, 4, 0, 1, 3, 5).flatten(4).flatten(0, 2)

    def put_together(self, x: Tensor) -> Tensor:
        """What :meth:`cut` cut."""
        x = x.unflatten(2, (_STRIDE, _STRIDE)).unflatten(0, (self.rows, self.columns, self.depth))
        x = x.permute(2, 3, 0, 4, 1, 5).flatten(4).flatten(2, 3)
        return x[None, :, :, : self.size[0], : self.size[1]]

    def windows(self, x: Tensor) -> Tensor:
        """Sums over tiles to those over windows, (rows + 1, columns + 1, D, ...): each with up to
        four tiles, and the slices around."""
        x = x.unflatten(0, (self.rows, self.columns, self.depth))
        total = x.clone()
        for step in range(1, min(REACH, self.depth - 1) + 1):
            total[:, :, step:] += x[:, :, :-step]
            total[:, :, :-step] += x[:, :, step:]
        around = total.new_zeros(self.rows + 1, self.columns + 1, *total.shape[2:])
        for down, across in product(range(2), repeat=2):
            around[down : down + self.rows, across : across + self.columns] += total
        return around

    def of_tiles(self, around: Tensor, down: int, across: int) -> Tensor:
        """Of the windows around every tile those before or behind its middle; as :meth:`cut`."""
        part = around[down : down + self.rows, across : across + self.columns]
        return part.flatten(0, 2)

    def share(self, down: int, across: int, like: Tensor) -> Tensor:
        """(places,): how much those windows count at each place of a tile; 1 in all."""
        behind = (torch.arange(_STRIDE, device=like.device, dtype=like.dtype) + 0.5) / _STRIDE
        of_rows, of_columns = (behind if way else 1 - behind for way in (down, across))
        return (of_rows[:, None] * of_columns).flatten()


def _judged(x: Impressions, laid_out: Callable[[Tensor], Tensor]) -> Impressions:
    """Impressions with what is judged laid out as places."""
    # The change to its neighbours is the same at all places of a slice that has none.
    details = WITHIN if x.detail.shape[1] == 1 else DETAILS
    return x._replace(intensity=laid_out(x.intensity), detail=laid_out(x.detail[:, :, :details]))


def _compared(a: Impressions, b: Impressions) -> list[_Comparison]:
    """What is judged by the kind of place, for :func:`_in_order`: once for each kind.

    Args:
        a, b: impressions of places, (N, C, P) each.
    """
    return [
        _Comparison(torch.cat([*own, *of_other], 1), kinds(kind))
        for mine, other in ((a, b), (b, a))
        for own, of_other, kind in (
            ((mine.detail,), (other.detail, other.intensity), mine.intensity[:, 0]),
            ((), (other.detail,), mine.detail[:, :2].mean(1)),
        )
    ]


def _in_order(found: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(N, STANDINGS, P) of a and of b, from what was found of each of :func:`_compared`."""
    by_a, by_detail_of_a, by_b, by_detail_of_b = found
    details = by_detail_of_a.shape[1]

    def whole(x: Tensor) -> Tensor:
        return x if details == DETAILS else F.pad(x, (0, 0, 0, DETAILS - details))

    parts = [details, details, 1]
    (own_a, of_b, level_b), (own_b, of_a, level_a) = (x.split(parts, 1) for x in (by_a, by_b))
    return (
        torch.cat([whole(own_a), whole(of_a), level_a, whole(by_detail_of_b)], 1),
        torch.cat([whole(own_b), whole(of_b), level_b, whole(by_detail_of_a)], 1),
    )
