"""From two prepared volumes to a transform: two independent runs that must find the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..background import Job
from .initialisation import Search, coarse_search, distinct
from .metric import BINS, PointMetric
from .poses import about, rigid_mean, rotation
from .preparation import Prepared
from .refinement import refine
from .transforms import largest_displacement

FINEST_MM = 2.0
SIZE_PER_VOXEL = 60.0
MIDDLE_POINTS, FINE_POINTS = 20_000, 100_000
FINE_BINS = 64  # so many points fill more bins than the default, which tells soft tissues apart
REFINED = 4
WORTH = 0.7
"""Of the best coarse score: a start below it is not refined."""

SAME_MM = 5.0
NEARBY = 0.05
MIDDLE_STEP, FINE_STEP = 1.0, 0.5  # longest steps, in voxels of the level


@dataclass(frozen=True)
class Run:
    """One run from its own start on its own points.

    Attributes:
        matrix: 4x4, from fixed to moving points.
        score: its evidence at the finest level.
        middle: its evidence at the middle level.
        rival: the most evidence, at the middle level, for a peak elsewhere; None without one.
        search: the coarse search it came from; None when a start was given.
    """

    matrix: np.ndarray
    score: float
    middle: float
    rival: float | None
    search: Search | None


@dataclass(frozen=True)
class AlignedRuns:
    """The transform and what its verdict needs.

    Attributes:
        matrix: 4x4, from fixed to moving points.
        agreement_mm: largest distance over the body between the two runs that agree best.
        runs: the run that won first.
    """

    matrix: np.ndarray
    agreement_mm: float
    runs: list[Run]


def finest_spacing(fixed: Prepared) -> float:
    """The grid in mm that the last level works on: 2 mm for a head, finer for small parts."""
    native = min(fixed.image.GetSpacing())
    return float(min(FINEST_MM, max(native, fixed.body_size_mm / SIZE_PER_VOXEL)))


class Aligner:
    """Aligns one pair; holds what all runs share."""

    def __init__(self, fixed: Prepared, moving: Prepared, kind: str, seed: int, job: Job) -> None:
        self.fixed, self.moving, self.kind, self.seed, self.job = fixed, moving, kind, seed, job
        self.fine = finest_spacing(fixed)
        self.middle, self.coarse = 2 * self.fine, 4 * self.fine
        for spacing in (self.fine, self.middle, self.coarse):
            fixed.level(spacing)
            moving.domain(spacing)
            job.check()
        self.points = fixed.body_points

    def align(self, start: np.ndarray | None, threads: int) -> AlignedRuns:
        """Two runs, side by side where ``threads`` allows; a third, wide one if they disagree."""
        with ThreadPoolExecutor(min(2, threads)) as pool:
            futures = [pool.submit(self.run, number, start) for number in range(2)]
            runs = [future.result() for future in futures]
        if start is None and self.distance(runs[0], runs[1]) > SAME_MM:
            self.job.report(0.6, "The first answers disagree; searching more widely")
            runs.append(self.run(2, None, wide=True))
        runs.sort(key=lambda run: -run.score)
        best, *others = runs
        partner = min(others, key=lambda run: self.distance(best, run))
        agreement = self.distance(best, partner)
        matrix = best.matrix
        if agreement < SAME_MM:
            if self.kind == "rigid":
                matrix = rigid_mean([best.matrix, partner.matrix], self.fixed.centre)
            else:
                matrix = (best.matrix + partner.matrix) / 2
        return AlignedRuns(matrix, agreement, runs)

    def distance(self, a: Run, b: Run) -> float:
        return largest_displacement(a.matrix, b.matrix, self.points)

    def run(self, number: int, start: np.ndarray | None, wide: bool = False) -> Run:
        """One run; ``number`` chooses its points and starts."""
        seed = self.seed + 1000 * number
        centre = self.fixed.centre
        if start is None:
            search = coarse_search(self.fixed, self.moving, self.coarse, seed, self.job, wide)
            least = WORTH * search.starts[0].score
            found = [start.matrix for start in search.starts if start.score >= least]
            starts = distinct(found, self.coarse, self.points, REFINED)
        else:
            search = None
            starts = [start @ self.nudge(seed) if number else start]
        metric = self.metric(self.middle, MIDDLE_POINTS, seed + 1)
        step = MIDDLE_STEP * self.middle
        peaks = [refine(metric, matrix, centre, self.job, step=step)[0] for matrix in starts]
        peaks = sorted(((m, metric.evidence(m)) for m in peaks), key=lambda peak: -peak[1])
        best, middle = peaks[0]
        rivals = [s for m, s in peaks[1:] if largest_displacement(m, best, self.points) > SAME_MM]
        if self.kind == "affine":  # twelve parameters need the smoother levels to get there
            for spacing in (self.coarse, self.middle):
                metric = self.metric(spacing, MIDDLE_POINTS, seed + 1)
                best, _ = refine(metric, best, centre, self.job, "affine", step=spacing)
        self.job.check()
        metric = self.metric(self.fine, FINE_POINTS, seed + 2, FINE_BINS)
        matrix, _ = refine(metric, best, centre, self.job, self.kind, step=FINE_STEP * self.fine)
        return Run(matrix, metric.evidence(matrix), middle, max(rivals, default=None), search)

    def metric(self, spacing: float, count: int, seed: int, bins: int = BINS) -> PointMetric:
        return PointMetric.between(self.fixed, self.moving, spacing, count, seed, bins)

    def nudge(self, seed: int) -> np.ndarray:
        """A small random pose: 5 % of the body's size and 3 degrees along and about each axis."""
        rng = np.random.default_rng(seed)
        shift = rng.uniform(-1, 1, 3) * NEARBY * self.fixed.body_size_mm
        turn = np.radians(rng.uniform(-3, 3, 3))
        return about(rotation(turn), self.fixed.centre, self.fixed.centre + shift)
