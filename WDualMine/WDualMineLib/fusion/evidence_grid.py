"""The physical scale at which faults are looked for, and the way to it and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..network.evidence import CELL, PIXEL_MM
from ..volumes.scratch import let_go
from .stack import Stack

Slices = np.ndarray | Stack
"""Slices (S, H, W): an array or a view of one, or a stack on whatever device."""

SLICE_MM = 2.0
"""Thinner slices are averaged to about this."""

_LARGEST_ZOOM = 4.0
"""Into how many pixels a larger one is divided along a side at most: there is nothing in them, and
it would cost much."""

_TOGETHER = 1 << 24
"""Pixels of a stack that are averaged at a time: 64 MiB."""


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
    def of(
        cls,
        shape: tuple[int, int, int],
        spacing: tuple[float, float, float],
        slice_mm: float = SLICE_MM,
    ) -> EvidenceGrid:
        """For a stack (S, H, W) with so many mm between slices, rows and columns.

        Args:
            shape, spacing: of the stack.
            slice_mm: thinner slices are averaged to about this.
        """
        group = max(1, min(round(slice_mm / spacing[0]), shape[0]))
        rows, columns = (
            CELL * max(1, round(n * min(mm / PIXEL_MM, _LARGEST_ZOOM) / CELL))
            for n, mm in zip(shape[1:], spacing[1:], strict=True)
        )
        return cls(*shape, group, group * spacing[0], rows, columns)

    @property
    def depth(self) -> int:
        """Averaged slices; the last may be of fewer than the others."""
        return -(-self.slices // self.group)

    @property
    def cells(self) -> tuple[int, int, int]:
        """Averaged slices, and cells down and across."""
        return self.depth, self.rows // CELL, self.columns // CELL

    def averaged(self, stack: Slices, start: int, stop: int, device: torch.device) -> Tensor:
        """Averaged slices from ``start`` to ``stop`` - 1 at 1 mm: (1, n, rows, columns)."""
        group, end = self.group, min(stop * self.group, self.slices)
        # In parts: of thin slices of many pixels the whole would be held, and a copy of it.
        step = group * max(1, _TOGETHER // (group * self.height * self.width))
        parts = []
        for first in range(start * group, end, step):
            part = as_tensor(stack[first : min(first + step, end)]).to(device)
            whole = len(part) // group * group
            means = part[:whole].unflatten(0, (-1, group)).mean(1)
            if whole < len(part):
                means = torch.cat([means, part[whole:].mean(0, keepdim=True)])
            x, size = means[None], (self.rows, self.columns)
            if x.shape[2:] != size:
                x = F.interpolate(
                    x, size=size, mode="bilinear", align_corners=False, antialias=True
                )
            parts.append(x)
            let_go()
        return torch.cat(parts, 1)

    def enlarged(self, scores: Tensor, index: int) -> Tensor:
        """(N, H, W) of one slice of the stack, between those of the averaged slices around it.

        Args:
            scores: (N, *cells).
            index: of the slice.
        """
        below, above, share = self._between(index)
        between = torch.lerp(scores[:, below].float(), scores[:, above].float(), share)
        size = (self.height, self.width)
        return F.interpolate(between[None], size=size, mode="bilinear", align_corners=False)[0]

    def _between(self, index: int) -> tuple[int, int, float]:
        """The averaged slices around a slice, and how far it lies from the first to the second."""
        # The last group may have fewer slices, and its middle lies nearer.
        centres = [
            (k * self.group + min((k + 1) * self.group, self.slices) - 1) / 2
            for k in (index // self.group - 1, index // self.group, index // self.group + 1)
        ]
        here = index // self.group
        other = here + (1 if index > centres[1] else -1)
        if index == centres[1] or not 0 <= other < self.depth:
            return here, here, 0.0
        below, above = min(here, other), max(here, other)
        low, high = sorted((centres[1], centres[other - here + 1]))
        return below, above, (index - low) / (high - low)


def as_tensor(view: np.ndarray | Tensor) -> Tensor:
    """A float32 copy: views may run backwards, which tensors cannot."""
    if isinstance(view, Tensor):
        return view
    return torch.from_numpy(np.array(view, dtype=np.float32, order="C"))
