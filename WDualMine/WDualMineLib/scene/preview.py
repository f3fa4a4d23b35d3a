"""Live preview: the slice on screen fused as it would come out, without touching the scene."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ..errors import WDualMineError
from ..fusion.intensity import Window, choose_window
from ..fusion.slices import slicings
from ..progress import Steps
from ..registration.background import Job, run_in_background
from ..volumes.volume import Volume
from .alignments import reason_not_aligned
from .choices import Registration
from .inputs import FusionRequest
from .modality import modality_of
from .pictures import write_png
from .placement import to_world, transform_to_world
from .slices import slice_through
from .volumes import array_of, geometry_of

if TYPE_CHECKING:
    from ..network.statistics import JointStatistics

# Voxels along each axis from which statistics of a whole volume are estimated.
_COARSE = 64
# Longer side of the picture in pixels: as wide as the panel usually is.
_SIDE = 320
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
        self._statistics_of: tuple = ()
        self._known: JointStatistics | None = None

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

    def picture(self, request: FusionRequest) -> tuple[Path, str, str]:
        """The fused slice that the view along the fusion's axis shows, as the volumes lie now.

        Returns:
            A PNG, replaced at the next call; a line on where it lies and how long it took; and what
            the user must know of the alignment, or "".

        Raises:
            InputError: a window leaves nothing to be seen.
        """
        started = time.perf_counter()
        fused, place, size = self.fuse(request)
        path = Path(self._folder.name) / "slice.png"
        scale = _SIDE / max(size)
        pixels = tuple(max(1, round(scale * mm)) for mm in size)
        write_png(np.rint(255 * fused).astype(np.uint8), path, pixels)
        took = 1000 * (time.perf_counter() - started)
        return path, f"{place}, {took:.0f} ms", reason_not_aligned(request)

    def fuse(self, request: FusionRequest) -> tuple[np.ndarray, str, tuple[float, float]]:
        """(H, W) float32 in [0, 1], where it lies, in words, and its width and height in mm."""
        from ..fusion.preview import fuse_slice

        if self._engine is None or self._engine_of != _engine_key(request):
            self._engine, self._engine_of = _load(request), _engine_key(request)
        settings = request.settings
        windows = (
            self._window(request.fixed, settings.fixed_window),
            self._window(request.moving, settings.moving_window),
        )
        slicing = slicings(geometry_of(request.fixed), settings.axis)[0]
        axis = slicing.permutation[0]
        index = self._shown_index(request.fixed, axis)
        # The right way up: the slice as a volume of one slice.
        a, b = (slicing.stack(x)[0] for x in self._plane(request, windows, axis, index))
        with _one_thread():
            fused = fuse_slice(
                a,
                b,
                self._engine,
                settings.strength,
                settings.correlation_floor,
                statistics=self._statistics(request, windows),
            ).fused
        spacing = request.fixed.GetSpacing()[::-1]
        row, column = (spacing[a] for a in slicing.permutation[1:])
        size = (fused.shape[1] * column, fused.shape[0] * row)
        return fused, f"{slicing.axis.capitalize()} slice {index + 1}", size

    def _plane(
        self, request: FusionRequest, windows: tuple[Window, Window], axis: int, index: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both volumes in [0, 1] at one slice of the fixed one; (K, J, I) with a single slice."""
        fixed = array_of(request.fixed)
        shape = tuple(1 if a == axis else n for a, n in enumerate(fixed.shape))
        start = np.eye(4)
        start[2 - axis, 3] = index
        low = windows[1].low
        moving = _sampled(request.moving, _placement(request) @ start, shape, low)
        here = (slice(None),) * axis + (slice(index, index + 1),)
        return windows[0].apply(fixed[here]), windows[1].apply(moving)

    def _statistics(self, request: FusionRequest, windows: tuple[Window, Window]):
        """Of the whole volumes, which the network wants besides the slice; from a coarse sample."""
        placement = _placement(request)
        key = (
            *((n.GetID(), n.GetImageData().GetMTime()) for n in (request.fixed, request.moving)),
            windows,
            placement.tobytes(),
        )
        if key != self._statistics_of:
            import torch

            from ..network.statistics import joint_statistics

            fixed = array_of(request.fixed)
            steps = [max(1, n // _COARSE) for n in fixed.shape]
            coarse = fixed[tuple(slice(None, None, step) for step in steps)]
            scale = np.diag([*steps[::-1], 1.0])
            low = windows[1].low
            moving = _sampled(request.moving, placement @ scale, coarse.shape, low)
            pair = (windows[0].apply(coarse), windows[1].apply(moving))
            self._known = joint_statistics(*(torch.from_numpy(x)[None] for x in pair))
            self._statistics_of = key
        return self._known

    def _window(self, node: slicer.vtkMRMLScalarVolumeNode, wanted) -> Window:
        key = (node.GetID(), node.GetImageData().GetMTime(), wanted)
        if key not in self._windows:
            # Not copied, as source_of does: it is only looked at.
            volume = Volume(array_of(node), geometry_of(node), node.GetName(), modality_of(node))
            self._windows[key] = choose_window(volume, wanted)
        return self._windows[key]

    def _shown_index(self, node: slicer.vtkMRMLScalarVolumeNode, axis: int) -> int:
        for number in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            view = self._scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
            place = slice_through(view, node)
            if place is not None and place[0] == axis:
                return place[1]
        return node.GetImageData().GetDimensions()[2 - axis] // 2


@contextmanager
def _one_thread() -> Iterator[None]:
    """One slice is too little for several threads, which on a busy computer wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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


def _placement(request: FusionRequest) -> np.ndarray:
    """4x4 from voxels of the fixed volume to voxels of the moving one, as both lie now."""
    if request.registration is Registration.TRANSFORM:
        moving_to_world = transform_to_world(request.transform)
    else:
        moving_to_world = to_world(request.moving)
    return (
        np.linalg.inv(moving_to_world @ _ijk_to_lps(request.moving))
        @ to_world(request.fixed)
        @ _ijk_to_lps(request.fixed)
    )


def _sampled(
    node: slicer.vtkMRMLScalarVolumeNode,
    to_voxels: np.ndarray,
    shape: tuple[int, int, int],
    fill: float,
) -> np.ndarray:
    """float32 of ``shape`` (z, y, x): ``node`` where a 4x4 sends (x, y, z, 1); ``fill`` outside."""
    transform = vtk.vtkMatrixToLinearTransform()
    transform.SetInput(slicer.util.vtkMatrixFromArray(to_voxels))
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(node.GetImageData())
    reslice.SetResliceTransform(transform)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputExtent(0, shape[2] - 1, 0, shape[1] - 1, 0, shape[0] - 1)
    reslice.SetInterpolationModeToLinear()
    reslice.SetBackgroundLevel(fill)
    reslice.SetOutputScalarType(vtk.VTK_FLOAT)
    reslice.Update()
    scalars = reslice.GetOutput().GetPointData().GetScalars()
    return numpy_support.vtk_to_numpy(scalars).reshape(shape)


def _ijk_to_lps(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return _FLIP @ slicer.util.arrayFromVTKMatrix(matrix)
