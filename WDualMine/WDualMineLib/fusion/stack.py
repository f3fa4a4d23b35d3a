"""A volume as a stack of slices the right way up, on whatever device it lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from .slices import Slicing


@dataclass(frozen=True)
class Stack:
    """What :meth:`~.slices.Slicing.stack` gives of an array, of a tensor: which has no views that
    run backwards, so that slices are copied when they are asked for.

    Attributes:
        volume: (K, J, I).
        slicing: how to look at it.
    """

    volume: Tensor
    slicing: Slicing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        slices, rows, columns = (self.volume.shape[k] for k in self.slicing.permutation)
        return slices, rows, columns

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, part: slice | int) -> Tensor:
        """(n, H, W) of a part without a step, or (H, W) of one slice; float32, a copy."""
        ordered, (back, *turned) = self._ordered, self.slicing.flipped
        if isinstance(part, int):
            found = ordered[len(self) - 1 - part if back else part]
            return found.flip([k for k in (0, 1) if turned[k]]).float().contiguous()
        first, last, _ = part.indices(len(self))
        if back:
            first, last = len(self) - last, len(self) - first
        return ordered[first:last].flip(self._flips).float().contiguous()

    def transpose(self, *axes: int) -> Stack:
        """The same volume along other axes, as arrays are transposed."""
        slicing = self.slicing
        first, second, third = (slicing.permutation[k] for k in axes)
        back, up, left = (slicing.flipped[k] for k in axes)
        return Stack(
            self.volume,
            replace(slicing, permutation=(first, second, third), flipped=(back, up, left)),
        )

    def __setitem__(self, index: int, values: Tensor) -> None:
        """Put one slice (H, W) back."""
        back, *turned = self.slicing.flipped
        place = self._ordered[len(self) - 1 - index if back else index]
        place.copy_(values.flip([k for k in (0, 1) if turned[k]]))

    @property
    def _ordered(self) -> Tensor:
        return self.volume.permute(self.slicing.permutation)

    @property
    def _flips(self) -> list[int]:
        return [k for k in range(3) if self.slicing.flipped[k]]
