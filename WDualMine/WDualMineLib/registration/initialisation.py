"""Where to start: moments, geometry, and a coarse search over rotation and translation."""

from __future__ import annotations

from itertools import product

import numpy as np

from .background import Job
from .metric import PointMetric
from .preparation import Prepared

SEARCH_SPACING = 8.0
SEARCH_POINTS = 3000
KEPT = 8


def euler_matrix(angles: np.ndarray) -> np.ndarray:
    """3x3 rotation Rz Ry Rx of angles (x, y, z) in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return rz @ ry @ rx


def pose(angles: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """4x4 matrix that turns about ``centre`` (fixed space, LPS mm) and sends it to ``target``."""
    matrix = np.eye(4)
    matrix[:3, :3] = euler_matrix(np.asarray(angles, dtype=float))
    matrix[:3, 3] = np.asarray(target) - matrix[:3, :3] @ centre
    return matrix


def compass_search(
    score, parameters: np.ndarray, steps: np.ndarray, shrinks: int = 4
) -> tuple[np.ndarray, float]:
    """Climb ``score`` along each axis in turn, halving ``steps`` whenever none helps."""
    best = score(parameters)
    for _ in range(shrinks):
        improved = True
        while improved:
            improved = False
            for axis, sign in product(range(len(parameters)), (1.0, -1.0)):
                trial = parameters.copy()
                trial[axis] += sign * steps[axis]
                value = score(trial)
                if value > best + 1e-7:
                    parameters, best, improved = trial, value, True
        steps = steps / 2
    return parameters, best


def grid_centre(prepared: Prepared) -> np.ndarray:
    """LPS mm: the centre of the field of view."""
    middle = [(n - 1) / 2 for n in prepared.image.GetSize()]
    return np.array(prepared.image.TransformContinuousIndexToPhysicalPoint(middle))


def coarse_search(
    fixed: Prepared, moving: Prepared, seed: int, job: Job, wide: bool = False
) -> list[tuple[np.ndarray, float]]:
    """Poses worth refining, the best first: [(4x4 matrix, score)].

    Rotations of up to 45 degrees about each axis are tried about the fixed volume's centre of mass,
    with it sent to the moving volume's centre of mass, to its centre of view, and left in place
    (scanners of one room share coordinates); ``wide`` adds shifts of up to 60 mm, for fields of view
    that cover different parts of the body.
    """
    rng = np.random.default_rng(seed)
    metric = PointMetric.between(fixed, moving, SEARCH_SPACING, SEARCH_POINTS, rng)
    centre = fixed.centre
    shift = grid_centre(moving) - grid_centre(fixed)
    targets = [moving.centre, centre + shift, centre]
    if wide:
        around = [np.array(s) * 30.0 for s in product((-2, -1, 0, 1, 2), repeat=3)]
        targets += [moving.centre + a for a in around]
    angles = np.radians([-45.0, -22.5, 0.0, 22.5, 45.0])
    turns = [np.array(a) for a in product(angles[::2] if wide else angles, repeat=3)]
    turns.sort(key=lambda a: float(np.abs(a).sum()))

    def score(parameters: np.ndarray) -> float:
        job.check()
        return metric(pose(parameters[:3], centre, parameters[3:]))

    starts = [np.concatenate([turn, target]) for turn in turns for target in targets]
    scores = np.array([score(start) for start in starts])
    steps = np.array([0.2] * 3 + [12.0] * 3)
    found: list[tuple[np.ndarray, float]] = []
    for index in np.argsort(-scores, kind="stable")[:KEPT]:
        parameters, value = compass_search(score, starts[index], steps)
        found.append((pose(parameters[:3], centre, parameters[3:]), value))
    return sorted(found, key=lambda pair: -pair[1])
