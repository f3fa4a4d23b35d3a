"""Climbs normalised mutual information to its nearest peak by a quasi-Newton method (BFGS)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..background import Job
from .metric import PointMetric
from .poses import affine_pose, affine_slopes, rigid_pose, rigid_slopes

TOLERANCE = 0.005
"""Of the longest step: a shorter one ends the climb."""

ITERATIONS = 60
SUFFICIENT = 1e-4

Pose = Callable[[np.ndarray, np.ndarray], np.ndarray]


def refine(
    metric: PointMetric,
    start: np.ndarray,
    centre: np.ndarray,
    job: Job,
    kind: str = "rigid",
    step: float = 2.0,
) -> tuple[np.ndarray, float]:
    """The peak of ``metric`` near ``start``.

    Args:
        start: 4x4 matrix from fixed to moving points.
        centre: (3,) LPS mm, in the fixed volume: what the transform turns about.
        kind: "rigid" or "affine".
        step: longest step in mm; rotations count by what they move at 80 mm from the centre.

    Returns:
        The 4x4 matrix and its score.
    """
    affine = kind == "affine"
    make, slopes = (affine_pose, affine_slopes) if affine else (rigid_pose, rigid_slopes)
    climb = _Climb(metric, start, centre, make, slopes)
    parameters = np.zeros(12 if affine else 6)
    tolerance = TOLERANCE * step
    score, slope = climb(parameters)
    inverse: np.ndarray | None = None
    for _ in range(ITERATIONS):
        job.check()
        direction = slope if inverse is None else inverse @ slope
        if direction @ slope <= 0:
            inverse, direction = None, slope
        length = float(np.abs(direction).max())
        if length == 0:
            break
        if inverse is None or length > step:
            direction = direction * (step / length)
        found = _line_search(climb, parameters, score, slope, direction, tolerance)
        if found is None:
            if inverse is None or step <= tolerance:
                break
            inverse, step = None, step / 4
            continue
        trial, score, trial_slope = found
        moved, bent = trial - parameters, slope - trial_slope
        parameters, slope = trial, trial_slope
        inverse = _updated(inverse, moved, bent)
        if np.abs(moved).max() < tolerance:
            break
    return start @ make(parameters, centre), score


class _Climb:
    """Score and slope by pose parameters, from the metric's slope by the matrix."""

    def __init__(
        self, metric: PointMetric, start: np.ndarray, centre: np.ndarray, make: Pose, slopes: Pose
    ) -> None:
        self.metric, self.start, self.centre = metric, start, centre
        self.make, self.slopes = make, slopes

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        matrix = self.start @ self.make(parameters, self.centre)
        score, by_matrix = self.metric.with_gradient(matrix)
        by_pose = self.start[:3, :3].T @ by_matrix
        return score, np.tensordot(self.slopes(parameters, self.centre), by_pose, 2)


def _line_search(climb, parameters, score, slope, direction, tolerance):
    """The first of ever shorter steps that climbs enough (Armijo), or None."""
    rise = float(slope @ direction)
    fraction = 1.0
    while fraction * np.abs(direction).max() > tolerance / 2:
        trial = parameters + fraction * direction
        value, trial_slope = climb(trial)
        if value >= score + SUFFICIENT * fraction * rise:
            return trial, value, trial_slope
        lack = score + rise * fraction - value
        fraction *= float(np.clip(rise * fraction / (2 * lack), 0.1, 0.5))
    return None


def _updated(inverse: np.ndarray | None, moved: np.ndarray, bent: np.ndarray) -> np.ndarray | None:
    """BFGS: the inverse of the negative Hessian after a step, or the old where it would break."""
    product = float(moved @ bent)
    if product <= 1e-12 * np.linalg.norm(moved) * np.linalg.norm(bent):
        return inverse
    if inverse is None:
        inverse = np.eye(len(moved)) * product / float(bent @ bent)
    shear = np.eye(len(moved)) - np.outer(moved, bent) / product
    return shear @ inverse @ shear.T + np.outer(moved, moved) / product
