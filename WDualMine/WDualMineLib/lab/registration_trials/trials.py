"""One registration of known truth, and what many of them come to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ...errors import WDualMineError
from ...registration.api import register
from ...registration.preparation import prepare
from ...registration.registration_result import Verdict
from ...registration.registration_settings import RegistrationSettings
from ...registration.transforms import matrix_of
from ...volumes.geometry import Geometry
from ...volumes.volume import Volume
from .displacements import Range, errors_mm, random_pose, targets_of, upright
from .peers import PEERS

OURS = "wdualmine"
FAILURE_MM = 5.0
"""A case fails when the median error over its points exceeds this."""


@dataclass(frozen=True)
class Trial:
    """One case by one method.

    Attributes:
        errors: (N,) mm, at the target points; infinite where the method gave up.
        left: 4x4, from where points belong to where they were sent, in the fixed volume.
        seconds, processor_seconds: wall clock, and summed over threads.
        verdict: "good", "doubtful", "failed"; "" for methods without one.
        figures: what the verdict looked at.
    """

    errors: np.ndarray
    left: np.ndarray | None
    seconds: float
    processor_seconds: float
    verdict: str = ""
    reasons: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return float(np.median(self.errors)) > FAILURE_MM

    @property
    def flagged(self) -> bool:
        return self.verdict in (Verdict.DOUBTFUL.value, Verdict.FAILED.value)


def posed(volume: Volume, limits: Range, seed: list[int]) -> tuple[np.ndarray, Volume]:
    """A random pose within ``limits`` and the volume carried to it; equal for equal seeds."""
    rng = np.random.default_rng(seed)
    truth = random_pose(limits, prepare(volume).centre, rng)
    return truth, upright(volume, truth, rng.uniform(0.2, 0.8, 3))


def run_trial(
    method: str, fixed: Volume, moving: Volume, truth: np.ndarray, points: np.ndarray, threads: int
) -> Trial:
    """Register by ``method`` and compare with ``truth`` (4x4, fixed to moving points)."""
    find = _ours if method == OURS else partial(_peer, method)
    wall, processor = time.perf_counter(), time.process_time()
    try:
        found, said = find(fixed, moving, threads)
    except (RuntimeError, WDualMineError) as error:
        found, said = None, {"verdict": Verdict.FAILED.value, "reasons": [str(error)]}
    times = time.perf_counter() - wall, time.process_time() - processor
    if found is None:
        return Trial(np.full(len(points), np.inf), None, *times, **said)
    left = np.linalg.inv(truth) @ found
    return Trial(errors_mm(found, truth, points), left, *times, **said)


def _ours(fixed: Volume, moving: Volume, threads: int):
    result = register(fixed, moving, RegistrationSettings(threads=threads))
    return matrix_of(result.transform), {
        "verdict": result.verdict.value,
        "reasons": result.reasons,
        "figures": result.measures,
    }


def _peer(method: str, fixed: Volume, moving: Volume, threads: int):
    return PEERS[method](fixed, moving, threads), {}


def warm_up(methods: list[str], threads: int) -> None:
    """Run each method once on something small: the first call of some takes seconds to load."""
    side = np.indices((32, 32, 32)) - 15.5
    ball = (np.sum(side**2, axis=0) < 100).astype(np.float32) * (side[2] + 20).astype(np.float32)
    geometry = Geometry((32, 32, 32), (3.0,) * 3, (0.0,) * 3, tuple(np.eye(3).ravel()))
    volume = Volume(ball, geometry, "ball")
    for method in methods:
        run_trial(method, volume, volume, np.eye(4), np.zeros((1, 3)), threads)


def summarise(trials: list[Trial], points: np.ndarray) -> dict[str, float | int]:
    """Figures of one method on one pair.

    Returns:
        median_mm, p95_mm: of the error over all points of all cases.
        offset_mm, spread_mm: over the cases that did not fail, the median error of the mean result,
            and the median error about that mean. An offset that all methods share is that of the
            pair's own alignment; the spread is the method's.
        failures: cases whose median error exceeds 5 mm.
        silent: failures that the verdict calls good, or that came without a verdict.
        doubts: right alignments that are flagged.
        seconds, processor_seconds: means.
    """
    errors = np.array([trial.errors for trial in trials])
    right = [t for t in trials if not t.failed]
    offset = spread = float("nan")
    if right:
        mean = np.mean([t.left for t in right], axis=0)
        offset = float(np.median(errors_mm(mean, np.eye(4), points)))
        spread = float(np.median([errors_mm(t.left, mean, points) for t in right]))
    return {
        "cases": len(trials),
        "median_mm": float(np.median(errors)),
        "p95_mm": float(np.percentile(errors, 95, method="lower")),
        "offset_mm": offset,
        "spread_mm": spread,
        "failures": sum(t.failed for t in trials),
        "silent": sum(t.failed and not t.flagged for t in trials),
        "doubts": sum(t.flagged for t in right),
        "seconds": float(np.mean([t.seconds for t in trials])),
        "processor_seconds": float(np.mean([t.processor_seconds for t in trials])),
    }


def run_pair(
    fixed: Volume,
    moving: Volume,
    methods: list[str],
    limits: Range,
    cases: int,
    seed: int,
    threads: int,
):
    """Yield (case, method, :class:`Trial`): every method on the same poses."""
    points = targets_of(fixed)
    for case in range(cases):
        truth, displaced = posed(moving, limits, [seed, case, int(limits.shift_mm)])
        for method in methods:
            yield case, method, run_trial(method, fixed, displaced, truth, points, threads)
