"""Slicer's DICOM database: exported objects are added to it, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import slicer

from ...errors import OutputError


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
