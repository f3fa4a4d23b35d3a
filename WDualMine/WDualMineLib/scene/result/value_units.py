"""What the voxels of a result are, told to whoever measures them: Segment Statistics, exporters."""

from __future__ import annotations

import slicer

_NO_UNIT = ("1", "UCUM", "no units")


def declare_no_unit(node: slicer.vtkMRMLVolumeNode) -> None:
    """Say that the values of a scalar ``node`` have no unit: they are neither HU nor SUV."""
    if node.IsA("vtkMRMLScalarVolumeNode") and not node.IsA("vtkMRMLVectorVolumeNode"):
        units = slicer.vtkCodedEntry()
        units.SetValueSchemeMeaning(*_NO_UNIT)
        node.SetVoxelValueUnits(units)
