"""Faults put into one source of a case, and the exact truth of where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy import ndimage

from ...fusion.moments import TISSUE
from . import physics
from .cases import Case
from .regions import Spacing, ellipsoid, slab

VISIBLE = 0.02
"""A fault is seen where the windowed source changes by more than this share of the window, on
average over :data:`AROUND_MM`."""

TOUCHED = 0.004
"""Where it changes by more than this, but not visibly, it is neither sound nor seen to be faulty:
such voxels are not scored."""

AROUND_MM = 7.0

LARGE = 0.10
"""A fault of more than this share of the tissue is large, else local."""

_SMALLEST_MM3 = 2000.0
_TRIES = 8
_LEAST_CHANGED = 0.3
_MOST_FAULTY = 0.6

Draw = Callable[[np.ndarray, np.ndarray, Spacing, Generator], tuple[np.ndarray, np.ndarray]]
"""(sound source, its tissue, mm along K, J, I, randomness) -> the faulty source, its region."""


@dataclass(frozen=True)
class Fault:
    """One source of a case with a fault.

    Attributes:
        kind: a key of :data:`KINDS`.
        source: 0 for the fixed, 1 for the moving volume.
        faulty: float32 (K, J, I) in [0, 1].
        mask: bool (K, J, I), the tissue in which it is visibly faulty.
        scored: bool (K, J, I), the tissue that is scored: faulty, or sound and untouched. Of a
            fault that fills the volume this is ``mask``.
        extent: "local", "large" or "whole".
    """

    kind: str
    source: int
    faulty: np.ndarray
    mask: np.ndarray
    scored: np.ndarray
    extent: str


def _within(degrade: physics.Degrade, border_mm: float = 2.0) -> Draw:
    """``degrade`` restricted to an ellipsoid."""

    def draw(image, tissue, spacing, rng):
        region = ellipsoid(tissue, spacing, rng, border_mm)
        return image + region * (degrade(image, spacing, rng) - image), region

    return draw


def _throughout(degrade: physics.Degrade) -> Draw:
    return lambda image, tissue, spacing, rng: (degrade(image, spacing, rng), tissue)


def _void(image, spacing, rng):
    return np.zeros_like(image)


def _shade(image, spacing, rng):
    return image * np.float32(rng.choice([rng.uniform(0.25, 0.55), rng.uniform(1.6, 2.4)]))


def _lost_slices(image, tissue, spacing, rng):
    region = slab(tissue, spacing, rng, rng.uniform(4, 20))
    return image * (1 - region), region


def _repeated_slices(image, tissue, spacing, rng):
    region = slab(tissue, spacing, rng, rng.uniform(8, 25))
    start = int(np.flatnonzero(region.any((1, 2)))[0])
    return np.where(region > 0, image[start - 1], image), region


_PHYSICS = {
    "motion": physics.motion,
    "ghosting": physics.ghosting,
    "faint ghosting": physics.faint_ghosting,
    "spike": physics.spike,
    "bias field": physics.bias_field,
    "anisotropy": physics.anisotropy,
    "noise": physics.noise,
    "blur": physics.blur,
}

KINDS: dict[str, Draw] = {kind: _within(degrade) for kind, degrade in _PHYSICS.items()} | {
    "void": _within(_void, 1.0),
    "shading": _within(_shade, 8.0),
    "lost slices": _lost_slices,
    "repeated slices": _repeated_slices,
}
"""Faults of a region."""

WHOLE: dict[str, Draw] = {kind: _throughout(degrade) for kind, degrade in _PHYSICS.items()}
"""Faults that fill the volume."""


def truth_masks(
    sound: np.ndarray, faulty: np.ndarray, tissue: np.ndarray, spacing: Spacing
) -> tuple[np.ndarray, np.ndarray]:
    """bool (K, J, I) twice: the tissue that is visibly faulty, and the tissue that is scored."""
    window = [max(1, 2 * round((AROUND_MM / step - 1) / 2) + 1) for step in spacing]
    around = ndimage.uniform_filter(np.abs(faulty - sound), window)
    visible = (around > VISIBLE) & tissue
    return visible, visible | (tissue & (around <= TOUCHED))


def put_fault(case: Case, kind: str, source: int, rng: Generator, whole: bool) -> Fault | None:
    """A fault of ``kind`` in one source of ``case``.

    Drawn again, up to eight times, until it shows in at least 2 cm3, in at least 30 % of the
    tissue of its region, and in no more than 60 % of all tissue unless it fills the volume. None
    where no draw does (a blur of what is blurred).
    """
    image = case.sources[source]
    own = image > TISSUE
    if not own.any():
        return None
    draw = (WHOLE if whole else KINDS)[kind]
    tissue = case.tissue
    count = np.count_nonzero(tissue)
    for _ in range(_TRIES):
        faulty, region = draw(image, own, case.spacing, rng)
        faulty = np.clip(faulty, 0, 1).astype(np.float32)
        mask, scored = truth_masks(image, faulty, tissue, case.spacing)
        size = np.count_nonzero(mask)
        shows = size * np.prod(case.spacing) >= _SMALLEST_MM3
        shows &= size >= _LEAST_CHANGED * np.count_nonzero(tissue & (region > 0.5))
        if shows and (whole or size <= _MOST_FAULTY * count):
            extent = "whole" if whole else "large" if size > LARGE * count else "local"
            return Fault(kind, source, faulty, mask, mask if whole else scored, extent)
    return None


def faults_of(
    case: Case,
    seed: list[int],
    kinds: tuple[str, ...] = tuple(KINDS),
    whole: tuple[str, ...] = tuple(WHOLE),
) -> Iterator[Fault]:
    """Each kind once, in the fixed and the moving source by turns.

    Args:
        case: sound.
        seed: each fault is drawn from it, its kind and its extent alone.
        kinds: faults of a region.
        whole: faults that fill the volume.
    """
    turn = sum(seed)
    plan = [(kind, False) for kind in kinds] + [(kind, True) for kind in whole]
    for kind, fills in plan:
        # By the full tables, so that a fault does not depend on which others are asked for.
        number = list(KINDS).index(kind) + (len(KINDS) if fills else 0)
        first = (turn + number) % 2
        for source in (first, 1 - first):
            rng = np.random.default_rng([*seed, number, source])
            fault = put_fault(case, kind, source, rng, fills)
            if fault is not None:
                yield fault
                break
