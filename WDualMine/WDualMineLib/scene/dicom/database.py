"""Slicer's DICOM database: the files of a result's sources, and exported objects added to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import slicer

from ...errors import InputError, OutputError
from ..result.dicom_origin import INSTANCES
from ..result.result_nodes import FIXED_ROLE


class SeriesNotFound(InputError):
    """A source came from DICOM, and its files are not in Slicer's database any more."""


def source_files(fused: slicer.vtkMRMLScalarVolumeNode, role: str) -> list[Path]:
    """The files of one source of a result, as Slicer's DICOM database knows them.

    Args:
        fused: of the result.
        role: ``FIXED_ROLE`` or ``MOVING_ROLE``.

    Returns:
        [] for a source that was not loaded from DICOM.

    Raises:
        SeriesNotFound: some files are not there. Without them the result would go out without its
            patient, or with a part of its trail only.
    """
    which = "fixed" if role == FIXED_ROLE else "moving"
    source = fused.GetNodeReference(role)
    # What a result remembers counts where the source was deleted.
    known = source.GetAttribute(INSTANCES) if source else fused.GetAttribute(f"{role}.instanceUIDs")
    instances = (known or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    found = [database.fileForInstance(uid) if database is not None else "" for uid in instances]
    missing = sum(not path or not Path(path).is_file() for path in found)
    if missing:
        raise SeriesNotFound(
            f"{missing} of the {len(found)} DICOM files of the {which} volume are not in Slicer's "
            "DICOM database any more",
            "Import that series again in the module DICOM, then export; or give a patient name and "
            "ID to export without it",
        )
    return [Path(path) for path in found]


def require_database() -> None:
    """Raise :class:`OutputError` where Slicer has no DICOM database that could take anything."""
    _database()


def add_to_database(folder: Path, instances: Sequence[str]) -> None:
    """Copy the objects in ``folder`` into the database; ``folder`` is not needed afterwards.

    The application stays alive meanwhile, for Slicer's importer runs an event loop of its own: not
    to be called from work that the event loop drives step by step.

    Args:
        folder: with its subfolders; nothing but the objects.
        instances: SOP instance UIDs of all of them.

    Raises:
        OutputError: there is no database, or it did not take every object; then it has none.
    """
    # Part of the application, and not there without it.
    from DICOMLib import DICOMUtils

    database = _database()
    DICOMUtils.importDicom(str(folder), database, True)
    files = {uid: database.fileForInstance(uid) for uid in instances}
    taken = {uid for uid, path in files.items() if path and not _inside(Path(path), folder)}
    if len(taken) < len(files):
        series = {database.seriesForFile(path) for path in files.values() if path}
        for uid in sorted(series):
            database.removeSeries(uid)
    # The DICOM browser has its own connection to the database and does not see what came by ours.
    database.databaseChanged()
    if len(taken) < len(files):
        raise OutputError(
            f"Slicer's DICOM database in {database.databaseDirectory} took only {len(taken)} of "
            f"{len(files)} objects, which were removed again",
            "Look for the reason in Slicer's log (the disk may be full), or export into a folder",
        )


def _database():
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        raise OutputError(
            "Slicer's DICOM database is not open",
            "Open the module DICOM and choose a folder for the database, or export into a folder",
        )
    return database


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
