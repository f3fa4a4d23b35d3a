"""What ``--registration`` of ``wdualmine fuse`` means: the moving volume, aligned to the fixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..progress import Progress
from ..volumes.volume import Volume

HELP = (
    "none: both lie in one frame of reference (default); rigid or affine: align the moving volume "
    "first; FILE: a transform from fixed to moving points to apply"
)


@dataclass(frozen=True)
class Alignment:
    """The moving volume ready for fusion, and how it came there.

    Attributes:
        moving: resampled to the fixed grid, or as it was for "none".
        transform: from fixed to moving points, or None.
        report: for report.json.
        warning: a sentence for the last line of output where the alignment is doubtful, else "".
    """

    moving: Volume
    transform: sitk.Transform | None = None
    report: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    warning: str = ""


def align(
    fixed: Volume,
    moving: Volume,
    how: str,
    progress: Callable[[Progress], None],
    frames: Sequence[str] = (),
) -> Alignment:
    """Align ``moving`` as ``how`` says: "none", "rigid", "affine" or a transform file.

    Args:
        frames: the DICOM frame-of-reference UIDs of both, where both say theirs.

    Raises:
        InputError: no such file, not a linear transform, or volumes that cannot be registered.
        RegistrationFailed: the verdict is "failed".
    """
    if how == "none":
        return _as_they_lie(moving, frames)
    # Here and not above: registration is heavy and most runs come with aligned volumes.
    from ..registration.api import register
    from ..registration.result import Verdict
    from ..registration.settings import KINDS, RegistrationSettings
    from ..registration.transforms import read_transform

    if how in KINDS:
        settings = RegistrationSettings(kind=how)
    else:
        settings = RegistrationSettings(kind="none", initial_transform=read_transform(Path(how)))
    result = register(fixed, moving, settings, progress).require_usable()
    warning = ""
    if result.verdict is Verdict.DOUBTFUL:
        warning = f"The alignment is doubtful, check it before use: {'; '.join(result.reasons)}"
    report = {
        "kind": how,
        "verdict": result.verdict.value,
        "reasons": result.reasons,
        "overlap": result.overlap,
        "mi_before": result.mi_before,
        "mi_after": result.mi_after,
        "seconds": result.seconds,
    }
    return Alignment(result.resampled, result.transform, report, warning)


def _as_they_lie(moving: Volume, frames: Sequence[str]) -> Alignment:
    """``moving`` where its file puts it, with a word where the scanners did not promise that."""
    if len(frames) < 2 or not all(frames):
        return Alignment(moving)
    shared = len(set(frames)) == 1
    report = {"kind": "none", "same_frame_of_reference": shared}
    if shared:
        return Alignment(moving, report=report)
    return Alignment(
        moving,
        report=report,
        warning="The two series have different frames of reference, and nothing aligned them: "
        "look whether they match, or use --registration rigid",
    )
