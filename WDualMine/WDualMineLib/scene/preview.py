"""Live preview: the slice on screen fused as it would come out, without touching the scene."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..errors import InputError, WDualMineError
from ..fusion.intensity import Window, choose_window
from ..fusion.slices import slicings
from ..progress import Steps
from ..registration.background import Job, run_in_background
from .choices import Registration
from .inputs import FusionRequest, source_of
from .pictures import write_png
from .placement import to_world, transform_to_world
from .slices import slice_through
from .volumes import array_of, geometry_of

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


class LivePreview:
    """Fuses single slices; keeps the network between calls.

    Volumes are read where they lie: the moving one is sampled only at the slice.
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene
        self._folder = tempfile.TemporaryDirectory(prefix="wdualmine-preview-")
        self._engine = None
        self._engine_of: tuple = ()
        self._windows: dict[tuple, Window] = {}

    def load_steps(self, request: FusionRequest) -> Steps[None]:
        """Load the network, which takes seconds the first time.

        Raises:
            WeightsError, DeviceError: it cannot be loaded, or not there.
        """

        def work(job: Job):
            job.report(0.1, "Loading the network")
            return _load(request)

        self._engine = yield from run_in_background(work)
        self._engine_of = _engine_key(request)

    def picture(self, request: FusionRequest) -> tuple[Path, str]:
        """The fused slice that the view along the fusion's axis shows.

        Returns:
            A PNG, replaced at the next call, and a line on where it lies and how long it took.

        Raises:
            InputError: the volumes do not overlap there, or a window leaves nothing to be seen.
        """
        started = time.perf_counter()
        fused, place = self.fuse(request)
        path = Path(self._folder.name) / "slice.png"
        write_png(np.rint(255 * fused).astype(np.uint8), path)
        return path, f"{place}, {1000 * (time.perf_counter() - started):.0f} ms"

    def fuse(self, request: FusionRequest) -> tuple[np.ndarray, str]:
        """(H, W) float32 in [0, 1], and where it lies, in words."""
        from ..fusion.preview import fuse_slice

        if self._engine is None or self._engine_of != _engine_key(request):
            self._engine, self._engine_of = _load(request), _engine_key(request)
        settings = request.settings
        fixed_window = self._window(request.fixed, settings.fixed_window)
        moving_window = self._window(request.moving, settings.moving_window)
        slicing = slicings(geometry_of(request.fixed), settings.axis)[0]
        axis = slicing.permutation[0]
        index = self._shown_index(request.fixed, axis)
        plane = array_of(request.fixed)[(slice(None),) * axis + (index,)]
        a = fixed_window.apply(plane)
        b = moving_window.apply(_sample(request, axis, index, plane.shape, moving_window.low))
        # The right way up: a stack of one slice, put where the slice came from.
        a, b = (slicing.stack(np.expand_dims(x, axis))[0] for x in (a, b))
        fused = fuse_slice(a, b, self._engine, settings.strength, settings.correlation_floor).fused
        return fused, f"{slicing.axis.capitalize()} slice {index + 1}"

    def _window(self, node: slicer.vtkMRMLScalarVolumeNode, wanted) -> Window:
        key = (node.GetID(), node.GetImageData().GetMTime(), wanted)
        if key not in self._windows:
            self._windows[key] = choose_window(source_of(node), wanted)
        return self._windows[key]

    def _shown_index(self, node: slicer.vtkMRMLScalarVolumeNode, axis: int) -> int:
        for number in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            view = self._scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
            place = slice_through(view, node)
            if place is not None and place[0] == axis:
                return place[1]
        return node.GetImageData().GetDimensions()[2 - axis] // 2


def _load(request: FusionRequest):
    try:
        from ..fusion.engine import SliceEngine
        from ..network.weights import load_model
    except ModuleNotFoundError as error:
        raise WDualMineError(
            f"{error.name} is not installed", f"Install {error.name} and try again"
        ) from error
    settings = request.settings
    return SliceEngine(load_model(settings.weights), settings.device, settings.precision)


def _engine_key(request: FusionRequest) -> tuple:
    settings = request.settings
    return str(settings.weights), settings.device, settings.precision


def _sample(
    request: FusionRequest, axis: int, index: int, shape: tuple[int, int], fill: float
) -> np.ndarray:
    """The moving volume at one slice of the fixed one, as the two lie in the scene now."""
    if request.registration is Registration.TRANSFORM:
        moving_to_world = transform_to_world(request.transform)
    else:
        moving_to_world = to_world(request.moving)
    fixed_ijk = _ijk_to_lps(request.fixed)
    moving_ijk = _ijk_to_lps(request.moving)
    to_moving = (
        np.linalg.inv(moving_ijk)
        @ np.linalg.inv(moving_to_world)
        @ to_world(request.fixed)
        @ fixed_ijk
    )
    # Pixels (column, row) of the slice to voxels of the fixed volume.
    row_axis, column_axis = (2 - a for a in (0, 1, 2) if a != axis)
    pixels = np.zeros((4, 4))
    pixels[column_axis, 0] = pixels[row_axis, 1] = pixels[2 - axis, 2] = pixels[3, 3] = 1.0
    pixels[2 - axis, 3] = index
    transform = vtk.vtkMatrixToLinearTransform()
    transform.SetInput(slicer.util.vtkMatrixFromArray(to_moving @ pixels))
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(request.moving.GetImageData())
    reslice.SetResliceTransform(transform)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, shape[1] - 1, 0, shape[0] - 1, 0, 0)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(fill)
    reslice.SetOutputScalarType(vtk.VTK_FLOAT)
    reslice.Update()
    sampled = numpy_support.vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
    sampled = sampled.reshape(shape)
    if sampled.min() == sampled.max() == np.float32(fill):
        raise InputError(
            f"{request.moving.GetName()} does not reach this slice",
            "Scroll to where both volumes are, or register them",
        )
    return sampled


def _ijk_to_lps(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return _FLIP @ slicer.util.arrayFromVTKMatrix(matrix)
