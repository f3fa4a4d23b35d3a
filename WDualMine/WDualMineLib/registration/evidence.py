"""Figures that tell a right alignment from a wrong one."""

from __future__ import annotations

import numpy as np

from .aligner import AlignedRuns, Aligner
from .metric import PointMetric, draw_points
from .poses import about, rotation
from .refinement import refine

POINTS = 20_000
PARTS_POINTS = 40_000
MIRROR_POINTS = 60_000
PARTS_LEAST_SHARE = 0.7
BEATEN_POSES = 60
BEATEN_SHIFT = (0.08, 0.17)
BEATEN_TURN_DEGREES = 15.0


def measure(
    aligner: Aligner, found: AlignedRuns, matrix: np.ndarray, start: np.ndarray
) -> dict[str, float]:
    """What :func:`.verdict.judge` looks at, on points that no run has seen.

    Args:
        found: the runs.
        matrix: 4x4, the transform to be judged.
        start: 4x4, as the volumes lay before.

    Returns:
        agreement_mm: largest distance over the body between two independent runs.
        searches: how many runs it took; 3 when the first two disagreed.
        mi_before, mi_after: mutual information in bits.
        nmi: (H(F)+H(M))/H(F,M) - 1.
        overlap: share of the fixed body inside the moving field of view.
        background: evidence for poses nearby (shifts of 8 to 17 % of the body's size, turns of up
            to 15 degrees) over that for the transform: low for a peak, near 1 on a plateau.
        mirror: evidence for the best alignment with left and right exchanged, over that without.
        size_difference: how far the best affine transform stretches, as part of the size.
        size_gain: what it adds to the normalised mutual information, as part of it.
        parts_mm: how far halves of the body (left, right, front, back, top, bottom) move, in the
            median, when each is aligned by itself: a rigid body of one patient stays together.
        turn_degrees, shift_mm: how far the transform moves the body.
    """
    metric = aligner.metric(aligner.middle, POINTS, aligner.seed + 3)
    before, _, _ = metric.information(start)
    after, normalised, overlap = metric.information(matrix)
    evidence = max(metric.evidence(matrix), 1e-6)
    centre, step = aligner.fixed.centre, aligner.middle
    stretched, fitting = refine(metric, matrix, centre, aligner.job, "affine", step=step)
    stretch = np.linalg.svd(stretched[:3, :3] @ np.linalg.inv(matrix[:3, :3]))[1]
    cosine = (np.trace(_rotation_of(matrix)) - 1) / 2
    figures = {
        "agreement_mm": found.agreement_mm,
        "searches": len(found.runs),
        "mi_before": before,
        "mi_after": after,
        "nmi": normalised,
        "overlap": overlap,
        "background": _background(aligner, metric, matrix) / evidence,
        "mirror": _mirror(aligner, matrix),
        "size_difference": float(np.abs(np.log(stretch)).max()),
        "size_gain": (fitting - normalised) / max(normalised, 1e-6),
        "parts_mm": _parts(aligner, matrix),
        "turn_degrees": float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        "shift_mm": float(np.linalg.norm(matrix[:3, :3] @ centre + matrix[:3, 3] - centre)),
    }
    return {name: float(figure) for name, figure in figures.items()}


def _background(aligner: Aligner, metric, matrix: np.ndarray) -> float:
    """The median evidence for poses nearby."""
    rng = np.random.default_rng(aligner.seed)
    centre, size = aligner.fixed.centre, aligner.fixed.body_size_mm
    evidence = []
    for _ in range(BEATEN_POSES):
        aligner.job.check()
        way = rng.standard_normal(3)
        shift = way / np.linalg.norm(way) * size * rng.uniform(*BEATEN_SHIFT)
        turn = np.radians(rng.uniform(-BEATEN_TURN_DEGREES, BEATEN_TURN_DEGREES, 3))
        evidence.append(metric.evidence(matrix @ about(rotation(turn), centre, centre + shift)))
    return float(np.median(evidence))


def _parts(aligner: Aligner, matrix: np.ndarray) -> float:
    """The median distance in mm that the centres of halves move when aligned by themselves."""
    spacing, job = aligner.middle, aligner.job
    points, values = draw_points(aligner.fixed, spacing, PARTS_POINTS, aligner.seed + 4)
    moving = aligner.moving.domain(spacing)
    moves = []
    for axis in range(3):
        ahead = points[:, axis] > np.median(points[:, axis])
        for half in (ahead, ~ahead):
            metric = PointMetric(points[half], values[half], moving, least_share=PARTS_LEAST_SHARE)
            centre = points[half].mean(axis=0)
            found, _ = refine(metric, matrix, centre, job, step=aligner.fine)
            moved = found - matrix
            moves.append(np.linalg.norm(moved[:3, :3] @ centre + moved[:3, 3]))
    return float(np.median(moves))


def _mirror(aligner: Aligner, matrix: np.ndarray) -> float:
    """The best evidence with left and right exchanged over the best without, on the same points."""
    metric = aligner.metric(aligner.middle, MIRROR_POINTS, aligner.seed + 5)
    centre, step, job = aligner.fixed.centre, aligner.middle, aligner.job
    exchanged = matrix @ about(np.diag([-1.0, 1.0, 1.0]), centre, centre)
    mirrored, _ = refine(metric, exchanged, centre, job, step=step)
    straight, _ = refine(metric, matrix, centre, job, step=step / 4)
    return metric.evidence(mirrored) / max(metric.evidence(straight), 1e-6)


def _rotation_of(matrix: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(matrix[:3, :3])
    return left @ right
