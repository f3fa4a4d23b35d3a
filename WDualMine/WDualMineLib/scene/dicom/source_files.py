"""Files of the DICOM series that the sources of a result were loaded from."""

from __future__ import annotations

from pathlib import Path

import slicer

from ...errors import InputError
from ..result.result_nodes import FIXED_ROLE

INSTANCES = "DICOM.instanceUIDs"
"""Attribute in which Slicer's DICOM import lists the instances that a volume was made of."""


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
