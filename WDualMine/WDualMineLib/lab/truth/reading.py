"""The maps that a user gets, through ``fuse``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...fusion.settings import FusionSettings
from ...pipeline.run import fuse
from ...volumes.geometry import Geometry
from ...volumes.volume import Volume
from .regions import Spacing
from .scoring import Maps

if TYPE_CHECKING:
    from torch import nn

_AS_IT_IS = (0.0, 1.0)


def fusing(model: nn.Module, device: str = "auto") -> Callable[..., Maps]:
    """A function from two arrays to :class:`~.scoring.Maps` by way of a whole fusion.

    Args:
        model: as ``fuse`` takes it.
        device: as in :class:`...fusion.settings.FusionSettings`.
    """
    settings = FusionSettings(fixed_window=_AS_IT_IS, moving_window=_AS_IT_IS, device=device)

    def predict(a: np.ndarray, b: np.ndarray, spacing: Spacing) -> Maps:
        grid = Geometry(a.shape[::-1], spacing[::-1], (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        result = fuse(Volume(a, grid, "fixed"), Volume(b, grid, "moving"), settings, model=model)
        reliabilities = (result.reliability_fixed.array, result.reliability_moving.array)
        return Maps(*reliabilities, result.fused.array)

    return predict
