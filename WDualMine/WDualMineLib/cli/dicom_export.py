"""``wdualmine dicom export``: the folder of a result to DICOM objects."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..dicom.context import Patient
from ..dicom.series import FOLDERS
from ..pipeline.folder import load
from ..pipeline.ownership import require_exportable, require_own_series
from ..pipeline.sources import read
from ..pipeline.to_dicom import volumes_for_dicom
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.reading import is_dicom, require_readable
from ..volumes.volume import Volume
from .console import note
from .series_option import naming_option

if TYPE_CHECKING:  # pydicom loads only when it is used
    from ..dicom.export import ExportOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", type=Path, metavar="RESULT_DIR", help="what `fuse` wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder")
    parser.add_argument(
        "--fixed-series",
        type=Path,
        metavar="DIR",
        help="DICOM folder of the fixed volume; its patient and study are taken over",
    )
    parser.add_argument(
        "--moving-series", type=Path, metavar="DIR", help="DICOM folder of the moving volume"
    )
    parser.add_argument("--fixed-uid", metavar="UID", help="which series, if there are several")
    parser.add_argument("--moving-uid", metavar="UID", help="which series, if there are several")
    add_identity_arguments(parser)
    parser.add_argument("--force", action="store_true", help="replace existing files")
    parser.add_argument(
        "--same-patient",
        action="store_true",
        help="the series given are of the result's patient, where that was fused from files that "
        "name none",
    )


def add_identity_arguments(parser: argparse.ArgumentParser) -> None:
    """Options on whose objects are written, alike in every command that exports."""
    group = parser.add_argument_group("identity")
    group.add_argument("--patient-name", default="", metavar="FAMILY^GIVEN", help="if not DICOM")
    group.add_argument("--patient-id", default="", metavar="ID", help="if not DICOM")
    group.add_argument("--patient-birth-date", default="", metavar="YYYYMMDD", help="if not DICOM")
    group.add_argument("--patient-sex", default="", choices=["M", "F", "O"], help="if not DICOM")
    group.add_argument(
        "--kind", choices=["CT", "MR"], help="class of the gray images [that of the fixed volume]"
    )
    group.add_argument(
        "--anonymise",
        action="store_true",
        help="apply the basic confidentiality profile of the DICOM standard",
    )


def run(options: argparse.Namespace) -> int | None:
    from ..dicom.export import export_result

    wanted = options_of(options)
    with naming_option("--fixed-uid"):
        fixed = read_dicom(options.fixed_series, options.fixed_uid)
    with naming_option("--moving-uid"):
        moving = read_dicom(options.moving_series, options.moving_uid)
    result = load(options.result)
    record = result.record
    require_exportable(record, wanted, under_header=fixed is not None)
    for role, source, series in (
        ("fixed", record.fixed, fixed),
        ("moving", record.moving, moving),
    ):
        if series is not None:
            require_own_series(source, series, role, vouched=options.same_patient)
    contexts = [None if series is None else series.context for series in (fixed, moving)]
    refuse_overwriting(
        [path for name in FOLDERS for path in (options.output / name).glob("*.dcm")],
        (options.result, options.fixed_series, options.moving_series),
    )
    volumes = volumes_for_dicom(result)
    exported = export_result(volumes, options.output, contexts[0], contexts[1], wanted)
    for text in exported.notes:
        note(text)
    print(f"{len(exported.files)} DICOM objects in {exported.folder}")
    return None


def options_of(options: argparse.Namespace) -> ExportOptions:
    """What the options of :func:`add_identity_arguments` ask for.

    ``force`` and ``different_patients`` may be absent from a command without such an option.
    """
    from ..dicom.export import ExportOptions

    return ExportOptions(
        patient=Patient(
            patient_id=options.patient_id,
            name=options.patient_name,
            birth_date=options.patient_birth_date,
            sex=options.patient_sex,
        ),
        kind=options.kind,
        allow_different_patients=getattr(options, "different_patients", False),
        anonymise=options.anonymise,
        force=getattr(options, "force", False),
    )


def read_dicom(path: Path | None, uid: str | None = None) -> Volume | None:
    """The DICOM series at ``path``; None for no path and for other files.

    Raises:
        InputError: it is DICOM and cannot be read.
    """
    if path is None:
        return None
    require_readable(path)
    return read(path, uid) if is_dicom(path) else None
