"""The two sources of a result, as they went into the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..fusion.intensity import Window
from ..progress import Steps, finish
from ..registration.background import Job, run_in_background
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

    def has(self, nodes: FusionNodes) -> bool:
        """Whether :meth:`of` answers at once."""
        return self._found is not None and self._key == _key(nodes)

    def steps(self, nodes: FusionNodes) -> Steps[Sources]:
        """The sources as they lie now, in the windows that the result was made with.

        Raises:
            InputError: a source is not in the scene any more, or does not overlap any more.
        """
        key = _key(nodes)
        if self._found is None or key != self._key:
            fixed, moving = (_source(nodes, role) for role in (FIXED_ROLE, MOVING_ROLE))
            placed = np.linalg.inv(to_world(nodes.fused)) @ to_world(moving)
            fused, a, b = volume_of(nodes.fused), volume_of(fixed), source_of(moving)
            windows = _window(nodes, "fixed"), _window(nodes, "moving")

            def work(job: Job) -> Sources:
                job.report(0.1, "Preparing the volumes")
                there = resample_to(moved(b, placed), fused.geometry, fill=windows[1].low)
                return Sources(
                    windows[0].apply(a.array), windows[1].apply(there.array), fused.array
                )

            self._found = yield from run_in_background(work)
            self._key = key
        return self._found

    def of(self, nodes: FusionNodes) -> Sources:
        """What :meth:`steps` return, waited for."""
        return finish(self.steps(nodes))


def _key(nodes: FusionNodes) -> tuple:
    fixed, moving = (_source(nodes, role) for role in (FIXED_ROLE, MOVING_ROLE))
    placed = np.linalg.inv(to_world(nodes.fused)) @ to_world(moving)
    return (
        *((n.GetID(), n.GetImageData().GetMTime()) for n in (nodes.fused, fixed, moving)),
        placed.tobytes(),
    )


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
