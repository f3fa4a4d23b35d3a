"""The parts of a result as a scene takes them: copied beforehand, so that the scene waits less."""

from __future__ import annotations

from dataclasses import dataclass

import vtk

from ..fusion.result import FusionResult
from ..volumes.volume import Volume
from .residual import quantised
from .volumes import image_of


@dataclass(frozen=True)
class Parts:
    """What becomes a node each, by the names of :class:`~.outputs.FusionNodes`.

    Attributes:
        volumes: without "colour" where nothing was fused in colour.
        images: copies of their voxels.
        residual_scale: what a step of "residual" stands for.
        weights: SHA-256 of the network's weights.
    """

    volumes: dict[str, Volume]
    images: dict[str, vtk.vtkImageData]
    residual_scale: float
    weights: str


def parts_of(result: FusionResult) -> Parts:
    """The parts of ``result``; no node is touched, so that any thread may do it."""
    # Here and not above: the results of an earlier session can be found without PyTorch.
    from ..network.weights import weights_hash

    residual, scale = quantised(result)
    volumes = {
        "fused": result.fused,
        "colour": result.colour,
        "reliability_fixed": result.reliability_fixed,
        "reliability_moving": result.reliability_moving,
        "arbitration": result.arbitration,
        "residual": residual,
    }
    volumes = {part: volume for part, volume in volumes.items() if volume is not None}
    images = {part: image_of(volume) for part, volume in volumes.items()}
    return Parts(volumes, images, scale, weights_hash(result.settings.weights))
