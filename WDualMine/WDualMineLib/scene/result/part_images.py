"""The parts of a result as a scene takes them: copied beforehand, so that the scene waits less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from ...pipeline.result import Result
from ...volumes.volume import Volume
from .volume_nodes import array_of, image_of

RESIDUAL = "residual"
"""The key of what the network found, which is kept out of sight beside the parts."""

RESIDUAL_SCALE = "WDualMine.ResidualScale"
"""Attribute of its node: what one of its steps stands for."""

_STEPS = 32767


@dataclass(frozen=True)
class PartImages:
    """What becomes a node each.

    Attributes:
        volumes: the parts that there are by name, and :data:`RESIDUAL`.
        images: copies of their voxels.
        residual_scale: what a step of the residual stands for.
    """

    volumes: dict[str, Volume]
    images: dict[str, vtk.vtkImageData]
    residual_scale: float


def images_of(result: Result) -> PartImages:
    """Copies of the parts of ``result``; no node is touched, so that any thread may do it."""
    residual, scale = quantised(result)
    volumes = dict(result.volumes) | {RESIDUAL: residual}
    return PartImages(volumes, {part: image_of(v) for part, v in volumes.items()}, scale)


def quantised(result: Result) -> tuple[Volume, float]:
    """(residual as int16 on the fixed grid, what one of its steps stands for).

    16 bits halve what a saved scene grows by; a step is at most 1/32767 of the grey scale.
    """
    residual = result.residual
    scale = float(np.abs(residual).max()) / _STEPS or 1.0
    steps = np.rint(residual / np.float32(scale)).astype(np.int16)
    return Volume(steps, result.fused.geometry, RESIDUAL), scale


def residual_of(node: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """float32 (K, J, I): the residual that :func:`quantised` put there."""
    return array_of(node) * np.float32(node.GetAttribute(RESIDUAL_SCALE))
