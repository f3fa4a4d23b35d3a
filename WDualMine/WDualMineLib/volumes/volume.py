"""A scalar or colour volume: an array on a :class:`Geometry`, with its name and source."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """

    array: np.ndarray
    geometry: Geometry
    name: str = "volume"
    modality: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

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

    def with_array(self, array: np.ndarray, name: str | None = None, **attributes: Any) -> Volume:
        """The same grid with other voxels; ``attributes`` replace the old ones."""
        return Volume(array, self.geometry, name or self.name, self.modality, attributes)
