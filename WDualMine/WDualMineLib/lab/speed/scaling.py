"""How time and memory grow with the number of slices."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from ...fusion.settings import FusionSettings
from ...pipeline.run import fuse
from ...volumes.volume import Volume
from .clock import lap
from .memory import peak
from .phantoms import phantom_volumes

SLICES = (16, 64, 256, 1024)


def by_slices(
    side: int, most: int, settings: FusionSettings, model: nn.Module
) -> list[dict[str, Any]]:
    """Fuse the middle slices of a head of ``side`` x ``side`` pixels, from 16 to ``most`` of them:
    seconds a slice, and bytes held above the sources."""
    found = []
    for count in (n for n in SLICES if n <= most):
        # Slices of one head, taken more than once: what lies in them does not change with their
        # number.
        volumes = [_repeated(v, count) for v in phantom_volumes((16, side, side))]
        with lap() as took, peak() as held:
            fuse(*volumes, settings, model=model)
        found.append(
            {
                "slices": count,
                "cpu": took["cpu"] / count,
                "wall": took["wall"] / count,
                "peak_bytes": held["bytes"],
                "input_bytes": sum(v.array.nbytes for v in volumes),
            }
        )
    return found


def _repeated(volume: Volume, count: int) -> Volume:
    middle = volume.array[6:10]
    array = np.tile(middle, (-(-count // len(middle)), 1, 1))[:count]
    geometry = type(volume.geometry)(
        (*volume.geometry.size[:2], count),
        (1.0, 1.0, 1.0),
        volume.geometry.origin,
        volume.geometry.direction,
    )
    return Volume(array, geometry, volume.name)
