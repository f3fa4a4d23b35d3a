"""What a registration hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import SimpleITK as sitk

from ..errors import RegistrationFailed
from ..volumes.volume import Volume
from .registration_settings import RegistrationSettings


class Verdict(StrEnum):
    """Whether the alignment can be relied on."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    FAILED = "failed"


@dataclass(frozen=True)
class RegistrationResult:
    """An alignment and how far it can be trusted.

    Attributes:
        transform: Euler3D (rigid) or affine, SimpleITK; from fixed to moving points, LPS mm.
        resampled: the moving volume on the fixed grid, in its own units.
        verdict: good, doubtful or failed.
        reasons: sentences for a clinician; why the verdict is not better, or what speaks for it.
        overlap: share in [0, 1] of the smaller of the two bodies seen in both fields of view.
        mi_before: mutual information in bits as the volumes lay (user's start, else identity).
        mi_after: the same measure under ``transform``.
        seconds: wall-clock seconds of each stage.
        settings: what was asked for.
        measures: every figure that the verdict looked at.
    """

    transform: sitk.Transform
    resampled: Volume
    verdict: Verdict
    reasons: list[str]
    overlap: float
    mi_before: float
    mi_after: float
    seconds: dict[str, float]
    settings: RegistrationSettings
    measures: dict[str, Any] = field(default_factory=dict)

    def require_usable(self) -> RegistrationResult:
        """Itself; raises :class:`RegistrationFailed` with the first reason when it failed."""
        if self.verdict is Verdict.FAILED:
            raise RegistrationFailed(
                f"{self.resampled.name} could not be aligned: {self.reasons[0]}",
                "Check that both volumes show the same body part of the same patient, or align "
                "them by hand and give that transform as the start",
            )
        return self
