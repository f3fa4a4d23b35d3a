"""Whose a result is: the series under whose header it goes out must be the one that was fused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..dicom.identity import DifferentPatients
from ..errors import InputError
from ..volumes.volume import Volume
from .record import Record, SourceRecord
from .sources import fingerprint, voxel_fingerprint

if TYPE_CHECKING:  # pydicom loads only when something is exported
    from ..dicom.export import ExportOptions

_REMEDY = "Give the series that was fused, or fuse again"


def require_exportable(
    record: Record, options: ExportOptions | None, *, under_header: bool
) -> None:
    """Refuse to export under one patient what belongs to none, to two, or to another.

    Args:
        options: of the export; a patient in them counts where there is no header.
        under_header: whether a fixed series gives patient and study.

    Raises:
        DifferentPatients: the patient that the options name is not the recorded one.
        InputError: it was made of two patients, or its identity was removed and is to come back.
    """
    if options is not None and options.anonymise:
        return
    if record.different_patients:
        raise InputError(
            "The result was made of two patients, as was allowed then, and cannot go out as one's",
            "Export it anonymised, or fuse two volumes of one patient",
        )
    if record.anonymised:
        raise InputError(
            "The identity was removed from this result, and nothing tells any more whose it is",
            "Export it anonymised, or fuse the original volumes again",
        )
    if options is None or options.patient is None or under_header:
        return
    for role, source in (("fixed", record.fixed), ("moving", record.moving)):
        differences = [] if source.patient is None else source.patient.differences(options.patient)
        if differences:
            raise DifferentPatients(
                f"The {role} volume of the result is of another patient than the one given: "
                f"{', '.join(differences)} differ",
                "Give the patient whose volumes were fused, or the series itself",
            )


def require_own_series(source: SourceRecord, series: Volume, role: str, *, vouched: bool) -> None:
    """Refuse a series that is not the ``source`` of a result.

    The patient must be the one who was recorded, and the series, its voxels or its files must be
    those that were fused.

    Args:
        source: as recorded with the result.
        series: read from DICOM, with its context.
        role: "fixed" or "moving", for messages.
        vouched: whether the user says that a source without identity is of this patient.

    Raises:
        DifferentPatients: the record names another patient.
        InputError: it is another series, or nothing tells that it is the same.
    """
    patient = series.context.patient
    if source.patient is not None:
        differences = source.patient.differences(patient)
        if differences:
            raise DifferentPatients(
                f"The {role} series is of another patient than the result: "
                f"{', '.join(differences)} differ",
                _REMEDY,
            )
    if is_same(source, series):
        return
    if source.patient is not None:
        raise InputError(
            f"The {role} series is not the one that was fused: it is another series, and its "
            "voxels are other ones",
            _REMEDY,
        )
    if not vouched:
        raise InputError(
            f"Nothing tells that the {role} series is of the patient of this result: the "
            f"{role} volume was no DICOM, and its voxels are not those of the series",
            "Check that both are the same person and place; if so, add --same-patient",
        )


def is_same(source: SourceRecord, series: Volume) -> bool:
    """Whether ``series`` is what was fused: by its UID, its voxels, or its files."""
    if source.series_uid and source.series_uid == series.context.series_uid:
        return True
    if source.sha256_of_voxels and source.sha256_of_voxels in _fingerprints(series.array):
        return True
    path = series.path
    if not source.sha256 or path is None or not Path(path).exists():
        return False
    return source.sha256 == fingerprint(Path(path))


def _fingerprints(array: np.ndarray) -> set[str]:
    """Of the voxels, and of the same in the order of slices that other readers prefer."""
    values = np.asarray(array, dtype=np.float32)
    return {voxel_fingerprint(values), voxel_fingerprint(values[::-1])}
