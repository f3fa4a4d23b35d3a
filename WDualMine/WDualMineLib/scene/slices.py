"""Which slices of a volume the slice views show."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import slicer
import vtk

from .placement import to_world

# A view that is turned further than this away from a voxel axis shows no single slice.
_PARALLEL = np.cos(np.deg2rad(10.0))
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # RAS to LPS, and back


def shown_slices(
    scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLVolumeNode
) -> Iterator[tuple[int, int]]:
    """(array axis, index) of each slice of ``node``, shape (K, J, I), that a view lies in."""
    found = set()
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        view = scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        place = slice_through(view, node)
        if place is not None and place not in found:
            found.add(place)
            yield place


def slice_through(
    view: slicer.vtkMRMLSliceNode, node: slicer.vtkMRMLVolumeNode
) -> tuple[int, int] | None:
    """(array axis, index) of the slice of ``node`` that ``view`` lies in, None if it is in none."""
    to_ras = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    grid = ijk_to_ras(node)
    axes = grid[:3, :3] / np.linalg.norm(grid[:3, :3], axis=0)
    alignment = np.abs(axes.T @ to_ras[:3, 2])
    voxel_axis = int(np.argmax(alignment))
    if alignment[voxel_axis] < _PARALLEL:
        return None
    index = round(float((np.linalg.inv(grid) @ to_ras[:, 3])[voxel_axis]))
    if not 0 <= index < node.GetImageData().GetDimensions()[voxel_axis]:
        return None
    return 2 - voxel_axis, index


def ijk_to_ras(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """4x4 from voxels to the world's RAS mm, parent transforms included."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return _FLIP @ to_world(node) @ _FLIP @ slicer.util.arrayFromVTKMatrix(matrix)
