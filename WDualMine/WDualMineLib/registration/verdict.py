"""Good, doubtful or failed: thresholds on figures, and the reasons in words."""

from __future__ import annotations

from .result import Verdict

AGREEMENT_GOOD_MM = 1.0
AGREEMENT_FAILED_MM = 5.0


def judge(measures: dict[str, float]) -> tuple[Verdict, list[str]]:
    """The verdict on ``measures`` (see :func:`.api.register_steps`) and its reasons."""
    agreement = measures["agreement_mm"]
    if agreement > AGREEMENT_FAILED_MM:
        return Verdict.FAILED, [f"two independent starts ended {agreement:.1f} mm apart"]
    if agreement > AGREEMENT_GOOD_MM:
        return Verdict.DOUBTFUL, [f"two independent starts ended {agreement:.1f} mm apart"]
    return Verdict.GOOD, [f"two independent starts agree within {agreement:.1f} mm"]
