"""What Slicer's DICOM database still knows of a volume that was loaded from it."""

from __future__ import annotations

import slicer

INSTANCES = "DICOM.instanceUIDs"
"""Attribute in which Slicer's DICOM import lists the instances that a volume was made of."""

_BODY_PART_EXAMINED = "0018,0015"


def body_part_of(node: slicer.vtkMRMLVolumeNode) -> str:
    """DICOM's Body Part Examined of ``node``; "" where it, or its files, are not known."""
    instance = (node.GetAttribute(INSTANCES) or "").split()[:1]
    database = getattr(slicer, "dicomDatabase", None)
    if not instance or database is None or not database.isOpen:
        return ""
    path = database.fileForInstance(instance[0])
    return str(database.fileValue(path, _BODY_PART_EXAMINED) or "") if path else ""
