"""Where to start: moments, geometry, and a coarse search over rotation and translation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from ..background import Job
from .metric import PointMetric
from .poses import about, rotation
from .preparation import Prepared
from .refinement import refine
from .transforms import largest_displacement

POINTS = 3000
CLIMBED, WIDE_CLIMBED = 12, 48
APART = 0.3
PROBE = 50
TURNS_DEGREES = (-45.0, -22.5, 0.0, 22.5, 45.0)
JITTER_DEGREES = 8.0
WIDE_SHIFTS = (-0.5, -0.25, 0.0, 0.25, 0.5)
LONGEST_STEP = 0.06


@dataclass(frozen=True)
class Start:
    """A pose worth refining: 4x4 matrix from fixed to moving points, and its coarse score."""

    matrix: np.ndarray
    score: float


@dataclass(frozen=True)
class Search:
    """What a coarse search found.

    Attributes:
        starts: the best first.
        typical: the median score of all poses tried: what chance alignment is worth.
    """

    starts: list[Start]
    typical: float


def coarse_search(
    fixed: Prepared, moving: Prepared, spacing: float, seed: int, job: Job, wide: bool = False
) -> Search:
    """Try hundreds of poses at ``spacing`` mm and climb from the best.

    Turns of up to 45 degrees about each axis, each jittered by the seed, are tried about the fixed
    body's centre of mass, with that sent to the moving body's centre of mass, to its centre of
    view, and left in place (scanners of one room share coordinates). ``wide`` adds shifts of up to
    half of the body's size, for fields of view that show different parts of it.
    """
    rng = np.random.default_rng(seed)
    metric = PointMetric.between(fixed, moving, spacing, POINTS, seed, least_share=1.0)
    centre = fixed.centre
    targets = [moving.centre, centre + moving.view_centre - fixed.view_centre, centre]
    turns = [np.radians(a) for a in product(TURNS_DEGREES, repeat=3)]
    limit = CLIMBED
    if wide:
        size = max(fixed.body_size_mm, moving.body_size_mm)
        targets = [moving.centre + size * np.array(s) for s in product(WIDE_SHIFTS, repeat=3)]
        turns = [np.radians(a) for a in product(TURNS_DEGREES[::2], repeat=3)]
        limit = WIDE_CLIMBED
    poses = []
    for turn in turns:
        jitter = np.radians(rng.uniform(-JITTER_DEGREES, JITTER_DEGREES, 3)) * bool(turn.any())
        poses += [about(rotation(turn + jitter), centre, target) for target in targets]
    scores = np.empty(len(poses))
    for number, matrix in enumerate(poses):
        job.check()
        scores[number] = metric(matrix)
    step = LONGEST_STEP * max(fixed.body_size_mm, 4 * spacing)
    order = [poses[number] for number in np.argsort(-scores, kind="stable")]
    chosen = distinct(order, APART * fixed.body_size_mm, fixed.body_points[::PROBE], limit)
    climbed = [Start(*refine(metric, matrix, centre, job, step=step)) for matrix in chosen]
    climbed.sort(key=lambda start: -start.score)
    return Search(climbed, float(np.median(scores)))


def distinct(
    matrices: list[np.ndarray], apart: float, points: np.ndarray, limit: int
) -> list[np.ndarray]:
    """The first ``limit`` that move some of ``points`` (N, 3) over ``apart`` mm from all before."""
    kept: list[np.ndarray] = []
    for matrix in matrices:
        if len(kept) == limit:
            break
        if all(largest_displacement(matrix, other, points) > apart for other in kept):
            kept.append(matrix)
    return kept
