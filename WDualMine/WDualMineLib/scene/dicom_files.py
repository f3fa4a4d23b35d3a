"""Files of the DICOM series that a volume was loaded from."""

from __future__ import annotations

from pathlib import Path

import slicer


def dicom_files(node: slicer.vtkMRMLVolumeNode | None) -> list[Path]:
    """The files, as Slicer's DICOM database knows them; [] for a volume of another origin."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split() if node is not None else []
    database = getattr(slicer, "dicomDatabase", None)
    if database is None:
        return []
    found = [database.fileForInstance(uid) for uid in uids]
    return [Path(path) for path in found if path]
