"""Where slices show anything: what is computed at full resolution need not be computed in air."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

_MARGIN = 4
"""Pixels of air that are left around. The steps of edge refinement look two pixels far, and the
convolution before them one of those of half the resolution."""


class Content(NamedTuple):
    """A rectangle of slices; its sides are even, as are its distances from the border.

    Attributes:
        rows, columns: of full resolution.
        size: (H, W) of the whole slices.
    """

    rows: slice
    columns: slice
    size: tuple[int, int]

    @classmethod
    def of(cls, a: Tensor, b: Tensor) -> Content:
        """The smallest that holds all voxels above 0 of (N, 1, H, W) slices; all of them where that
        is not known before (on a GPU, and for derivatives)."""
        size = (a.shape[2], a.shape[3])
        if a.device.type != "cpu" or torch.is_grad_enabled():
            return cls(slice(0, size[0]), slice(0, size[1]), size)
        shown = torch.maximum(a, b)
        return cls.within(shown.amax(3), shown.amax(2))

    @classmethod
    def within(cls, rows: Tensor, columns: Tensor) -> Content:
        """The same from numbers (N, 1, H or W), above 0 where a row or a column shows anything."""
        return cls(_span(rows), _span(columns), (rows.shape[2], columns.shape[2]))

    def cut(self, x: Tensor) -> Tensor:
        """That part of (N, C, H, W), or of half the resolution."""
        step = self.size[0] // x.shape[2]
        rows, columns = (
            slice(part.start // step, part.stop // step) for part in (self.rows, self.columns)
        )
        return x[:, :, rows, columns]

    def put_back(self, x: Tensor) -> Tensor:
        """(N, C, H, W), 0 around what :meth:`cut` took."""
        above, left = self.rows.start, self.columns.start
        below, right = self.size[0] - self.rows.stop, self.size[1] - self.columns.stop
        return F.pad(x, (left, right, above, below))


def _span(largest: Tensor) -> slice:
    """Of rows or columns (N, 1, length) from the first to the last with more than 0, and some more;
    the first few where there is none."""
    found = (largest.amax((0, 1)) > 0).nonzero()
    first, last = (int(found[0]), int(found[-1]) + 1) if len(found) else (0, 0)
    first, last = max(0, first - _MARGIN), min(largest.shape[2], last + _MARGIN)
    return slice(first // 2 * 2, -(-last // 2) * 2)
