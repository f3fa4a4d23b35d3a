"""Slice views as pictures, without a window or a graphics driver, and pictures as files.

The slice logic of MRML reslices, windows, colours and blends on the CPU; the picture is the one
that a slice view of the application shows, less its annotations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...errors import OutputError

ORIENTATIONS = ("Axial", "Coronal", "Sagittal")
_SLABS = {
    "minimum": vtk.VTK_IMAGE_SLAB_MIN,
    "maximum": vtk.VTK_IMAGE_SLAB_MAX,
    "mean": vtk.VTK_IMAGE_SLAB_MEAN,
}


def resliced_pixels(logic: slicer.vtkMRMLSliceLogic) -> np.ndarray:
    """What a slice logic blends of its layers: (height, width, 3) uint8, first row at the top."""
    rgba = _rgba(logic)
    if (rgba[..., 3] == 255).all():
        return np.ascontiguousarray(rgba[..., :3])
    return np.round(rgba[..., :3] * (rgba[..., 3:] / np.float32(255))).astype(np.uint8)


def blended(below: np.ndarray, above: np.ndarray, opacity: float) -> np.ndarray:
    """(height, width, 3) uint8: an RGBA picture over an RGB one, as a slice view blends layers."""
    share = above[..., 3:] * np.float32(opacity / 255)
    return np.round(below * (1 - share) + above[..., :3] * share).astype(np.uint8)


def _rgba(logic: slicer.vtkMRMLSliceLogic) -> np.ndarray:
    """(height, width, 4) uint8, first row at the top; valid until the logic renders again."""
    logic.UpdatePipeline()
    producer = logic.GetImageDataConnection().GetProducer()
    producer.Update()
    image = producer.GetOutputDataObject(0)
    width, height, _ = image.GetDimensions()
    rgba = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    return rgba.reshape(height, width, -1)[::-1]


class SliceRenderer:
    """Renders single slices of a scene; made by :func:`slice_renderer`."""

    def __init__(self, logic: slicer.vtkMRMLSliceLogic) -> None:
        self._logic = logic
        self._slab: float | None = None
        self._aimed: tuple[object, ...] = ()

    def render(
        self,
        background: slicer.vtkMRMLVolumeNode,
        orientation: str = "Axial",
        foreground: slicer.vtkMRMLVolumeNode | None = None,
        opacity: float = 0.5,
        position: tuple[float, float, float] | None = None,
        size: tuple[int, int] = (400, 400),
        field_of_view: float | None = None,
    ) -> np.ndarray:
        """One slice as the application would show it, on black.

        Args:
            background: the volume at the bottom.
            orientation: "Axial", "Coronal" or "Sagittal", patient's right on the screen's left.
            foreground: a volume over it, or None.
            opacity: of the foreground, 0 to 1.
            position: RAS point in mm that the slice goes through and is centred on; the centre of
                the background if None.
            size: width and height in pixels.
            field_of_view: mm across the shorter side; fits the background if None.

        Returns:
            (height, width, 3) uint8, first row at the top.
        """
        self._aim(background, orientation, foreground, opacity, position, size, field_of_view)
        return resliced_pixels(self._logic)

    def layer(
        self,
        volume: slicer.vtkMRMLVolumeNode,
        orientation: str,
        position: tuple[float, float, float],
        size: tuple[int, int],
        field_of_view: float,
    ) -> np.ndarray:
        """One volume of a slice, to be laid over others: (height, width, 4) uint8."""
        self._aim(volume, orientation, None, 0.0, position, size, field_of_view)
        return _rgba(self._logic).copy()

    @contextmanager
    def slab(self, thickness: float, kind: str) -> Iterator[None]:
        """In between, a picture is the "maximum", "mean" or "minimum" of several slices: of all of
        the volume's within ``thickness / 2`` mm on either side."""
        view = self._logic.GetSliceNode()
        view.SetSlabReconstructionType(_SLABS[kind])
        view.SetSlabReconstructionOversamplingFactor(1)
        view.SlabReconstructionEnabledOn()
        self._slab = thickness
        try:
            yield
        finally:
            self._slab = None
            view.SlabReconstructionEnabledOff()

    def _aim(
        self,
        background: slicer.vtkMRMLVolumeNode,
        orientation: str,
        foreground: slicer.vtkMRMLVolumeNode | None,
        opacity: float,
        position: tuple[float, float, float] | None,
        size: tuple[int, int],
        field_of_view: float | None,
    ) -> None:
        view, layers = self._logic.GetSliceNode(), self._logic.GetSliceCompositeNode()
        layers.SetBackgroundVolumeID(background.GetID())
        layers.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        layers.SetForegroundOpacity(opacity)
        place = (background.GetID(), orientation, position, size, field_of_view, self._slab)
        if place == self._aimed and position is not None and field_of_view is not None:
            return  # so that what was resliced stays, and is windowed and blended anew at most
        self._aimed = place
        view.SetOrientation(orientation)
        view.SetDimensions(*size, 1)
        self._logic.FitSliceToVolume(background, *size)
        if field_of_view is not None:
            scale = field_of_view / min(size)
            view.SetFieldOfView(size[0] * scale, size[1] * scale, view.GetFieldOfView()[2])
        if self._slab is not None:
            # MRML takes the spacing in mm for a share of the field's depth, and as many slices as
            # fit: an odd number lies on slices of the volume, and not between them.
            spacing = self._logic.GetBackgroundSliceSpacing()[2]
            slices = 2 * int(self._slab / 2 / spacing + 1e-6) + 1
            view.SetFieldOfView(*view.GetFieldOfView()[:2], 1.0)
            view.SetSlabReconstructionThickness((slices + 0.01) * spacing)
        if position is not None:
            view.JumpSliceByCentering(*position)


@contextmanager
def slice_renderer(
    scene: slicer.vtkMRMLScene, name: str = "WDualMinePicture"
) -> Iterator[SliceRenderer]:
    """A renderer whose own nodes are gone from the scene afterwards.

    Args:
        name: of its view, which no other one of the scene may have.
    """
    before = {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(scene)
    logic.AddSliceNode(name)
    try:
        yield SliceRenderer(logic)
    finally:
        logic.SetMRMLScene(None)
        after = [scene.GetNthNode(i) for i in range(scene.GetNumberOfNodes())]
        for node in after:
            if node.GetID() not in before:
                scene.RemoveNode(node)


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
