"""Climbs normalised mutual information to its nearest peak by a quasi-Newton method (BFGS)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .background import Job
from .metric import PointMetric
from .poses import affine_pose, rigid_pose

TOLERANCE_MM = 0.01
ITERATIONS = 60
SUFFICIENT = 1e-4
DIFFERENCE = 1e-3

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
    make, count = (rigid_pose, 6) if kind == "rigid" else (affine_pose, 12)
    climb = _Climb(metric, start, centre, make, count)
    parameters = np.zeros(count)
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
        found = _line_search(climb, parameters, score, slope, direction)
        if found is None:
            if inverse is None or step <= TOLERANCE_MM:
                break
            inverse, step = None, step / 4
            continue
        trial, score, trial_slope = found
        moved, bent = trial - parameters, slope - trial_slope
        parameters, slope = trial, trial_slope
        inverse = _updated(inverse, moved, bent)
        if np.abs(moved).max() < TOLERANCE_MM:
            break
    return start @ make(parameters, centre), score


class _Climb:
    """Score and slope by pose parameters, from the metric's slope by the matrix."""

    def __init__(
        self, metric: PointMetric, start: np.ndarray, centre: np.ndarray, make: Pose, count: int
    ) -> None:
        self.metric, self.start, self.centre, self.make = metric, start, centre, make
        self.nudges = DIFFERENCE * np.eye(count)

    def __call__(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        score, by_matrix = self.metric.with_gradient(
            self.start @ self.make(parameters, self.centre)
        )
        slope = np.empty(len(parameters))
        for axis, nudge in enumerate(self.nudges):
            ahead, behind = (self.make(parameters + s * nudge, self.centre) for s in (1, -1))
            by_parameter = self.start @ (ahead - behind) / (2 * DIFFERENCE)
            slope[axis] = np.sum(by_parameter[:3] * by_matrix)
        return score, slope


def _line_search(climb, parameters, score, slope, direction):
    """The first of ever shorter steps that climbs enough (Armijo), or None."""
    rise = float(slope @ direction)
    fraction = 1.0
    while fraction * np.abs(direction).max() >= TOLERANCE_MM / 2:
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
