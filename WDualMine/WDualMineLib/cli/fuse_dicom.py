"""``--dicom`` of ``wdualmine fuse``: the result as DICOM objects too, beside its other files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dicom.context import SeriesContext
from ..errors import InputError
from ..progress import Progress
from .dicom_export import (
    add_identity_arguments,
    naming_permission,
    options_of,
    result_volumes,
)
from .inputs import Source

if TYPE_CHECKING:  # pydicom and torch load only when they are used
    from SimpleITK import Transform

    from ..dicom.export import ExportOptions
    from ..fusion.result import FusionResult

FOLDER = "dicom"

_IDENTITY = (
    "patient_name",
    "patient_id",
    "patient_birth_date",
    "patient_sex",
    "kind",
    "allow_different_patients",
    "anonymise",
)


@dataclass(frozen=True)
class DicomOutput:
    """An export that was found possible, to be written once the fusion is there."""

    fixed: SeriesContext | None
    moving: SeriesContext | None
    options: ExportOptions
    by_content: bool

    def write(
        self,
        folder: Path,
        result: FusionResult,
        transform: Transform | None,
        progress: Callable[[Progress], None],
    ) -> dict[str, Any]:
        """Write ``folder/dicom`` and return what report.json says of it."""
        from ..dicom.export import export_result

        volumes = result_volumes(result, transform, by_content=self.by_content)
        into = folder / FOLDER
        done = export_result(volumes, into, self.fixed, self.moving, self.options, progress)
        return {
            "objects": len(done.files),
            "series": sorted({file.parent.relative_to(into).as_posix() for file in done.files}),
            "anonymised": self.options.anonymise,
            "notes": done.notes,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--dicom``, and on whose objects it writes."""
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="also write DICOM objects, with patient, study and frame of reference of the fixed "
        "series; the options under `identity` are for these",
    )
    add_identity_arguments(parser)


def require_dicom_wanted(options: argparse.Namespace) -> None:
    """Refuse options on DICOM objects where none are written: nobody is to rely on them.

    Raises:
        InputError: such an option without ``--dicom``.
    """
    given = [f"--{name.replace('_', '-')}" for name in _IDENTITY if getattr(options, name)]
    if given and not options.dicom:
        raise InputError(
            f"No DICOM objects are written, which {' and '.join(given)} would be for",
            "Add --dicom, or leave it out",
        )


def prepare(options: argparse.Namespace, fixed: Source, moving: Source) -> DicomOutput:
    """Everything that can be found wrong with the export before the fusion.

    Raises:
        InputError: the two series are of different patients, or the fixed grid is sheared.
        OutputError: files in the way, or a library that is not installed.
    """
    from ..dicom.anonymise import Anonymiser
    from ..dicom.export import require_room
    from ..dicom.identity import require_one_patient
    from ..dicom.planes import planes_of
    from ..dicom.series import PARTS, object_names

    wanted = options_of(options)
    with naming_permission():
        require_one_patient(fixed.context, moving.context, allowed=wanted.allow_different_patients)
    planes_of(fixed.volume)
    if wanted.anonymise:
        Anonymiser()
    absent = {
        "colour": options.colour is None,
        "registration": options.registration == "none"
        or fixed.context is None
        or moving.context is None,
    }
    parts = [part for part in PARTS if not absent.get(part)]
    names = object_names(fixed.volume.geometry.size[2], parts)
    require_room(options.output / FOLDER, names, force=options.force)
    by_content = options.registration in ("rigid", "affine")
    return DicomOutput(fixed.context, moving.context, wanted, by_content)
