"""Pictures as PNG files, through VTK, which a Slicer always has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import vtk
from vtk.util import numpy_support

from ..errors import OutputError


def write_png(picture: np.ndarray, path: Path, size: tuple[int, int] | None = None) -> None:
    """Write (H, W) or (H, W, 3) uint8, first row at the top.

    Args:
        size: (width, height) to stretch it to, in pixels; None leaves it as it is.

    Raises:
        OutputError: the file cannot be written.
    """
    height, width = picture.shape[:2]
    components = picture.shape[2] if picture.ndim == 3 else 1
    flat = np.ascontiguousarray(picture[::-1]).reshape(-1, components)
    image = vtk.vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(numpy_support.numpy_to_vtk(flat, deep=True))
    if size is not None:
        resize = vtk.vtkImageResize()
        resize.SetInputData(image)
        resize.SetOutputDimensions(*size, 1)
        resize.Update()
        image = resize.GetOutput()
    writer = vtk.vtkPNGWriter()
    writer.SetCompressionLevel(1)
    writer.SetInputData(image)
    writer.SetFileName(str(path))
    writer.Write()
    if writer.GetErrorCode():
        raise OutputError(
            f"The picture {path} could not be written",
            f"Free some room on the disk of {path.parent}",
        )
