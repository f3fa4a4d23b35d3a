"""How the moving volume is brought to the fixed one, and how far that can be relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..dicom.identity import require_one_patient
from ..progress import Progress, Steps
from ..registration.registration_result import RegistrationResult, Verdict
from ..registration.transforms import affine_transform, matrix_of
from .request import AS_THEY_LIE, GIVEN, Request, Source
from .sources import read

_IDENTITY_WITHIN = 1e-9


@dataclass(frozen=True)
class Alignment:
    """Where the two volumes lie to each other, and a verdict on that.

    Attributes:
        kind: "none", "rigid", "affine" or "transform"; see :class:`~.request.Request`.
        transform: linear, from points of the fixed volume to the moving one (LPS mm); None where
            both lie in one frame of reference.
        verdict: None where nobody looked: for "none".
        reasons: of the verdict, sentences.
        overlap, mi_before, mi_after: as in
            :class:`~..registration.registration_result.RegistrationResult`.
        seconds: wall-clock seconds of each stage.
        source: the file or node that a given transform came from.
        same_frame: whether DICOM says that both series share a frame of reference; None where it
            says nothing.
    """

    kind: str = AS_THEY_LIE
    transform: sitk.Transform | None = None
    verdict: Verdict | None = None
    reasons: tuple[str, ...] = ()
    overlap: float | None = None
    mi_before: float | None = None
    mi_after: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    source: str = ""
    same_frame: bool | None = None

    @property
    def matrix(self) -> np.ndarray:
        """4x4 from fixed to moving points (LPS mm)."""
        return np.eye(4) if self.transform is None else matrix_of(self.transform)

    @property
    def moved(self) -> sitk.Transform | None:
        """:attr:`transform` as one affine transform; None where it moves nothing."""
        matrix = self.matrix
        if np.allclose(matrix, np.eye(4), rtol=0, atol=_IDENTITY_WITHIN):
            return None
        return affine_transform(matrix, np.zeros(3))

    @property
    def is_doubtful(self) -> bool:
        """Whether the verdict asks for a look before the result is used."""
        return self.verdict is Verdict.DOUBTFUL

    @property
    def warning(self) -> str:
        """A sentence for the end of what the user is told, "" where there is nothing to doubt."""
        if self.is_doubtful:
            return f"The alignment is doubtful, check it before use: {'; '.join(self.reasons)}"
        if self.kind == AS_THEY_LIE and self.same_frame is False:
            return (
                "The two series have different frames of reference, and nothing aligned them: "
                "look whether they match, or use --registration rigid"
            )
        return ""

    def report(self) -> dict[str, Any]:
        """For ``report.json``."""
        if self.kind == AS_THEY_LIE:
            shared = self.same_frame
            return {"kind": "none"} | (
                {} if shared is None else {"same_frame_of_reference": shared}
            )
        return {
            "kind": self.source or self.kind,
            "verdict": None if self.verdict is None else self.verdict.value,
            "reasons": list(self.reasons),
            "overlap": self.overlap,
            "mi_before": self.mi_before,
            "mi_after": self.mi_after,
            "seconds": dict(self.seconds),
        }

    @classmethod
    def of_report(cls, told: Mapping[str, Any], transform: sitk.Transform | None) -> Alignment:
        """What :meth:`report` told, of this version or an earlier one."""
        kind = told.get("kind", AS_THEY_LIE)
        known = kind in ("none", "rigid", "affine")
        return cls(
            kind if known else GIVEN,
            transform,
            Verdict(told["verdict"]) if told.get("verdict") else None,
            tuple(told.get("reasons", ())),
            told.get("overlap"),
            told.get("mi_before"),
            told.get("mi_after"),
            told.get("seconds", {}),
            "" if known else kind,
            told.get("same_frame_of_reference"),
        )


def align_steps(request: Request) -> Steps[Alignment]:
    """Align as ``request`` asks, in the background, yielding progress all the while.

    Returns:
        The alignment; a doubtful one is for the caller to judge.

    Raises:
        InputError: the volumes cannot be registered.
        RegistrationFailed: the verdict is "failed".
    """
    if request.registration == AS_THEY_LIE:
        return Alignment(transform=request.transform, same_frame=_same_frame(request))
    # Here and not above: registration is heavy and most runs come with aligned volumes.
    from ..registration.api import register_steps
    from ..registration.registration_settings import RegistrationSettings

    kind = "none" if request.registration == GIVEN else request.registration
    settings = RegistrationSettings(kind, request.transform)
    found = yield from register_steps(request.fixed, request.moving, settings)
    found.require_usable()
    return Alignment(
        request.registration,
        found.transform,
        found.verdict,
        tuple(found.reasons),
        found.overlap,
        found.mi_before,
        found.mi_after,
        found.seconds,
        request.transform_name,
    )


def register(
    fixed: Source,
    moving: Source,
    kind: str = "rigid",
    initial_transform: sitk.Transform | None = None,
    progress: Callable[[Progress], None] | None = None,
    *,
    different_patients: bool = False,
) -> RegistrationResult:
    """Align ``moving`` to ``fixed``, and say how far the alignment can be trusted.

    Args:
        fixed, moving: volumes, image files or DICOM folders.
        kind: "rigid", "affine", or "none" to judge the two as they lie.
        initial_transform: to start from, or to be judged with "none".
        progress: called now and then; what it raises stops the work and is passed on.
        different_patients: whether the volumes may be of different patients.

    Raises:
        DifferentPatients: DICOM says that they are, and it was not allowed.
        InputError: a volume is constant, tiny or coloured, or the start is not linear.
    """
    from ..registration.api import register as align
    from ..registration.registration_settings import RegistrationSettings

    settings = RegistrationSettings(kind, initial_transform)
    volumes = read(fixed), read(moving)
    require_one_patient(*(volume.context for volume in volumes), allowed=different_patients)
    return align(*volumes, settings, progress)


def _same_frame(request: Request) -> bool | None:
    contexts = [v.context for v in (request.fixed, request.moving) if v.context is not None]
    frames = [context.frame_of_reference_uid for context in contexts]
    return None if len(frames) < 2 or not all(frames) else frames[0] == frames[1]
