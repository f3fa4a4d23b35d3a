"""A scalar or colour volume: an array on a :class:`Geometry`, with its name and source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .geometry import Geometry


@dataclass(frozen=True)
class Volume:
    """Voxels and where they lie.

    Attributes:
        array: (K, J, I) for a scalar volume, (K, J, I, 3) uint8 for a colour one.
        geometry: the grid, in LPS mm.
        name: what the user calls it (file stem or scene name); used in every message about it.
        modality: DICOM-style code ("CT", "MR", "PT", "NM") where known, else "".
        attributes: anything to be written beside the voxels (string keys).
        notes: sentences on the volume that the user must be told; readers leave them.
        context: what its DICOM series says beside the voxels
            (:class:`~..dicom.context.SeriesContext`), None for other volumes.
        path: the file or folder that it was read from, None for a volume that was computed.
    """

    array: np.ndarray
    geometry: Geometry
    name: str = "volume"
    modality: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    context: Any = field(default=None, compare=False)
    path: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.array.shape[:3] != self.geometry.array_shape:
            raise ValueError(
                f"array {self.array.shape} does not fit the grid {self.geometry.array_shape}"
            )
        if self.array.ndim not in (3, 4):
            raise ValueError(f"a volume has 3 axes, or 4 with colour; got {self.array.ndim}")

    @property
    def is_colour(self) -> bool:
        return self.array.ndim == 4

    def __repr__(self) -> str:
        """Short: voxels and metadata are too much to be printed."""
        size = " x ".join(map(str, self.geometry.size))
        spacing = " x ".join(f"{mm:g}" for mm in self.geometry.spacing)
        kind = self.modality or ("RGB" if self.is_colour else "")
        what = f"{self.name!r}, {kind}" if kind else f"{self.name!r}"
        return f"<Volume {what}: {size} voxels of {spacing} mm, {self.array.dtype}>"

    def with_array(self, array: np.ndarray, name: str | None = None, **attributes: Any) -> Volume:
        """The same grid with other voxels; ``attributes`` replace the old ones."""
        return replace(self, array=array, name=name or self.name, attributes=attributes)
