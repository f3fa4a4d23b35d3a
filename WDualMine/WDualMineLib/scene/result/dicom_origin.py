"""What Slicer's DICOM database still knows of a volume that was loaded from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import slicer

from ...dicom.context import Patient

INSTANCES = "DICOM.instanceUIDs"
"""Attribute in which Slicer's DICOM import lists the instances that a volume was made of."""

_BODY_PART_EXAMINED = "0018,0015"
_PATIENT_NAME, _PATIENT_ID, _BIRTH_DATE, _SEX = "0010,0010", "0010,0020", "0010,0030", "0010,0040"


def body_part_of(node: slicer.vtkMRMLVolumeNode) -> str:
    """DICOM's Body Part Examined of ``node``; "" where it, or its files, are not known."""
    return _values(node, [_BODY_PART_EXAMINED])[0]


def patient_of(node: slicer.vtkMRMLVolumeNode) -> Patient | None:
    """Whose ``node`` is; None where nothing is known."""
    told = _values(node, [_PATIENT_ID, _PATIENT_NAME, _BIRTH_DATE, _SEX])
    identity, name, birth_date, sex = told
    return Patient(identity, name, birth_date, sex) if any(told) else None


def files_of(node: slicer.vtkMRMLVolumeNode) -> list[Path]:
    """All files that ``node`` was made of; none where some are not known any more."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return []
    instances = (node.GetAttribute(INSTANCES) or "").split()
    paths = [database.fileForInstance(uid) for uid in instances]
    found = [Path(path) for path in dict.fromkeys(paths) if path]
    return found if all(paths) and all(path.is_file() for path in found) else []


def _values(node: slicer.vtkMRMLVolumeNode, tags: Sequence[str]) -> list[str]:
    """Of the first instance that ``node`` was made of; "" for what is not known."""
    instance = (node.GetAttribute(INSTANCES) or "").split()[:1]
    database = getattr(slicer, "dicomDatabase", None)
    if not instance or database is None or not database.isOpen:
        return [""] * len(tags)
    path = database.fileForInstance(instance[0])
    return [str(database.fileValue(path, tag) or "") if path else "" for tag in tags]
