"""``--dicom`` of ``wdualmine fuse``: the result as DICOM objects too, beside its other files."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..fusion.settings import FusionSettings
from ..pipeline.anonymous import require_nameless_folder
from ..pipeline.folder import Extra
from ..pipeline.parts import asked_for
from ..pipeline.request import AS_THEY_LIE
from ..pipeline.result import Result
from ..pipeline.to_dicom import export_dicom
from ..progress import Progress
from ..volumes.volume import Volume
from .dicom_export import add_identity_arguments, options_of

if TYPE_CHECKING:  # pydicom loads only when it is used
    from ..dicom.export import ExportOptions

FOLDER = "dicom"

_IDENTITY = (
    "patient_name",
    "patient_id",
    "patient_birth_date",
    "patient_sex",
    "kind",
    "anonymise",
)


@dataclass(frozen=True)
class DicomOutput:
    """An export that was found possible, to be written once the fusion is there."""

    options: ExportOptions

    def extra(self, result: Result) -> Extra:
        """The folder ``dicom``, to be written with ``result``."""

        def write(folder: Path, progress: Callable[[Progress], None]) -> dict[str, Any]:
            into = folder / FOLDER
            done = export_dicom(result, into, self.options, progress)
            return {
                "objects": len(done.files),
                "series": sorted({file.parent.relative_to(into).as_posix() for file in done.files}),
                "anonymised": self.options.anonymise,
                "notes": done.notes,
            }

        return Extra(f"{FOLDER}/", write, stage="dicom", key="dicom")


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


def prepare(
    options: argparse.Namespace, settings: FusionSettings, fixed: Volume, moving: Volume
) -> DicomOutput:
    """Everything that can be found wrong with the export before the fusion.

    Raises:
        InputError: two patients under one header, or the fixed grid is sheared.
        OutputError: files in the way, or a library that is not installed.
    """
    from ..dicom.anonymise import Anonymiser
    from ..dicom.export import require_room
    from ..dicom.planes import planes_of
    from ..dicom.series import REGISTRATION, object_names

    wanted = options_of(options)
    planes_of(fixed)
    if wanted.anonymise:
        Anonymiser()
        require_nameless_folder(options.output, (fixed, moving))
    elif options.different_patients:
        raise InputError(
            "A result of two patients cannot go out under one of them, as --dicom would have it",
            "Leave --different-patients or --dicom out, or add --anonymise",
        )
    kinds = [part.series for part in asked_for(settings)]
    from_dicom = fixed.context is not None and moving.context is not None
    if from_dicom and options.registration != AS_THEY_LIE:
        kinds.append(REGISTRATION)
    names = object_names(fixed.geometry.size[2], kinds)
    require_room(options.output / FOLDER, names, force=options.force)
    return DicomOutput(wanted)
