"""How well each figure of the verdict tells right alignments from impostors."""

from __future__ import annotations

import numpy as np

from ..result import Verdict
from ..verdict import RULES
from .trials import Trial


def area_under_curve(right: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong case has the larger figure than a right one; ties count half."""
    above = (wrong[:, None] > right[None]).mean() + 0.5 * (wrong[:, None] == right[None]).mean()
    return float(above)


def curve(right: np.ndarray, wrong: np.ndarray) -> list[tuple[float, float, float]]:
    """(limit, share of right cases above it, share of wrong cases above it), at every figure."""
    limits = np.unique(np.concatenate([right, wrong]))
    return [(float(x), float((right > x).mean()), float((wrong > x).mean())) for x in limits]


def describe(right: list[Trial], wrong: list[Trial]) -> dict[str, dict]:
    """For each rule: the area under its curve, and what its limits let through and stop."""
    rows = {}
    for rule in RULES:
        a, b = (np.array([rule.figure(t.figures) for t in s]) for s in (right, wrong))
        row = {"auc": area_under_curve(a, b), "curve": curve(a, b)}
        for name in ("doubtful", "failed"):
            limit = getattr(rule, name)
            if limit is not None:
                row[name] = {
                    "limit": limit,
                    "right_above": float((a > limit).mean()),
                    "wrong_above": float((b > limit).mean()),
                }
        rows[rule.name] = row
    return rows


def verdicts(trials: list[Trial]) -> dict[str, int]:
    """How many were called good, doubtful and failed."""
    return {v.value: sum(t.verdict == v.value for t in trials) for v in Verdict}
