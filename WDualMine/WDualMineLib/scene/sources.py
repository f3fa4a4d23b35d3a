"""The two sources of a result, as they went into the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..fusion.intensity import Window
from ..volumes.resampling import resample_to
from .inputs import source_of
from .outputs import ATTRIBUTE, FIXED_ROLE, MOVING_ROLE, FusionNodes
from .placement import moved, to_world
from .volumes import volume_of


@dataclass(frozen=True)
class Sources:
    """Fixed and moving, float32 (K, J, I) in [0, 1] on the grid of the fused volume, and it."""

    fixed: np.ndarray
    moving: np.ndarray
    fused: np.ndarray


class SourceCache:
    """Finds the sources of a result; the last ones are kept while nothing about them changes."""

    def __init__(self) -> None:
        self._key: tuple = ()
        self._found: Sources | None = None

    def of(self, nodes: FusionNodes) -> Sources:
        """The sources as they lie now, in the windows that the result was made with.

        Raises:
            InputError: a source is not in the scene any more, or does not overlap any more.
        """
        fixed, moving = (_source(nodes, role) for role in (FIXED_ROLE, MOVING_ROLE))
        placed = np.linalg.inv(to_world(nodes.fused)) @ to_world(moving)
        key = (
            *((n.GetID(), n.GetImageData().GetMTime()) for n in (nodes.fused, fixed, moving)),
            placed.tobytes(),
        )
        if self._found is None or key != self._key:
            fused = volume_of(nodes.fused)
            window = _window(nodes, "moving")
            there = resample_to(moved(source_of(moving), placed), fused.geometry, fill=window.low)
            self._found = Sources(
                _window(nodes, "fixed").apply(volume_of(fixed).array),
                window.apply(there.array),
                fused.array,
            )
            self._key = key
        return self._found


def _source(nodes: FusionNodes, role: str):
    node = nodes.fused.GetNodeReference(role)
    if node is None or node.GetImageData() is None:
        which = "fixed" if role == FIXED_ROLE else "moving"
        raise InputError(
            f"The {which} volume of {nodes.fused.GetName()} is not in the scene any more",
            "Load it and apply again",
        )
    return node


def _window(nodes: FusionNodes, which: str) -> Window:
    low, high = (
        float(nodes.fused.GetAttribute(f"{ATTRIBUTE}{which}_window_{end}"))
        for end in ("low", "high")
    )
    return Window(low, high, "explicit")
