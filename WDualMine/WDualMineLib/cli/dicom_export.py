"""``wdualmine dicom export``: the folder of a result to DICOM objects."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..dicom.context import Patient, SeriesContext
from ..pipeline.folder import load
from ..pipeline.to_dicom import volumes_for_dicom
from ..volumes.reading import is_dicom, require_readable
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
        "--allow-different-patients",
        action="store_true",
        help="export although the two series name different patients",
    )
    group.add_argument(
        "--anonymise",
        action="store_true",
        help="apply the basic confidentiality profile of the DICOM standard",
    )


def run(options: argparse.Namespace) -> int | None:
    from ..dicom.export import export_result

    with naming_option("--fixed-uid"):
        fixed = read_context(options.fixed_series, options.fixed_uid)
    with naming_option("--moving-uid"):
        moving = read_context(options.moving_series, options.moving_uid)
    volumes = volumes_for_dicom(load(options.result))
    with naming_permission():
        exported = export_result(volumes, options.output, fixed, moving, options_of(options))
    for note in exported.notes:
        print(f"note: {note}")
    print(f"{len(exported.files)} DICOM objects in {exported.folder}")
    return None


@contextmanager
def naming_permission() -> Iterator[None]:
    """Where two series name different patients, say by which option that is allowed."""
    from ..dicom.identity import DifferentPatients

    try:
        yield
    except DifferentPatients as error:
        raise DifferentPatients(
            error.what,
            "Check that both are the same person; if so, add --allow-different-patients",
        ) from error


def options_of(options: argparse.Namespace) -> ExportOptions:
    """What the options of :func:`add_identity_arguments` ask for.

    ``force`` may be absent from a command that has no such option.
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
        allow_different_patients=options.allow_different_patients,
        anonymise=options.anonymise,
        force=getattr(options, "force", False),
    )


def read_context(path: Path | None, uid: str | None = None) -> SeriesContext | None:
    """The context of the DICOM series at ``path``; None for no path and for other files.

    Raises:
        InputError: it is DICOM and cannot be read.
    """
    if path is None:
        return None
    require_readable(path)
    if not is_dicom(path):
        return None
    from ..dicom.read import read_series

    return read_series(path, uid).context
