"""What the network found, kept in the scene beside what is made of it."""

from __future__ import annotations

import numpy as np
import slicer

from ..fusion.result import FusionResult
from ..volumes.volume import Volume
from .volumes import array_of

RESIDUAL_SCALE = "WDualMine.ResidualScale"
"""Attribute of a residual's node: what one of its steps stands for."""

_STEPS = 32767


def quantised(result: FusionResult) -> tuple[Volume, float]:
    """(residual as int16 on the fixed grid, what one of its steps stands for).

    16 bits halve what a saved scene grows by; a step is at most 1/32767 of the grey scale.
    """
    residual = result.residual
    scale = float(np.abs(residual).max()) / _STEPS or 1.0
    steps = np.rint(residual / np.float32(scale)).astype(np.int16)
    return Volume(steps, result.fused.geometry, "residual"), scale


def residual_of(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """float32 (K, J, I): the residual that :func:`quantised` put there."""
    return array_of(node) * np.float32(node.GetAttribute(RESIDUAL_SCALE))
