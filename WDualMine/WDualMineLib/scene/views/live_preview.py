"""Live preview: the slice on screen fused as it would come out, without touching the scene."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import slicer

from ...background import Job, run_in_background
from ...errors import Caution
from ...fusion.colour import colourise
from ...fusion.settings import FusionSettings
from ...fusion.slices import slicings
from ...pipeline.pair import WHOLE, Preparation, PreparedPair, Region
from ...pipeline.run import load_engine
from ...progress import Steps
from ...registration.transforms import affine_transform
from ..application.choices import Registration
from ..result.node_placement import alignment_between, to_world, transform_to_world
from ..result.requests import SceneRequest, placement_in
from ..result.volume_nodes import seen_in
from .rendering import write_png
from .slice_views import slice_through

if TYPE_CHECKING:
    from ...fusion.engine import SliceEngine
    from ...network.statistics import JointStatistics

# Voxels along each axis from which statistics of a whole volume are estimated.
_COARSE = 64
# Longer side of the picture in pixels: as wide as the panel usually is.
_SIDE = 320


@dataclass(frozen=True)
class PreviewSlice:
    """One slice as it would come out.

    Attributes:
        fused: (H, W) float32 in [0, 1].
        picture: (H, W) uint8, or (H, W, 3) where a colour is chosen.
        place: where it lies, in words.
        size_mm: its width and height.
        pair: what it was fused of, (K, J, I) with a single slice.
    """

    fused: np.ndarray
    picture: np.ndarray
    place: str
    size_mm: tuple[float, float]
    pair: PreparedPair


@dataclass(frozen=True)
class PreviewPicture:
    """What the panel shows of a slice.

    Attributes:
        path: of a PNG, replaced at the next call.
        place: where it lies and how long it took.
        warning: what the user must know of the alignment, or "".
        notes: what else the user must know.
    """

    path: Path
    place: str
    warning: str
    notes: tuple[str, ...]


class LivePreview:
    """Fuses single slices; keeps the network, and what was found on whole volumes, between calls.

    Volumes are prepared as for a fusion, but only at the slice. Both are trusted evenly: what Apply
    finds to be faulty it replaces, and a preview does not.
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene
        self._folder = tempfile.TemporaryDirectory(prefix="wdualmine-preview-")
        self._engine: SliceEngine | None = None
        self._engine_of: tuple = ()
        self._preparation: Preparation | None = None
        self._prepared_of: tuple = ()
        self._statistics: JointStatistics | None = None
        self._placed: bytes = b""

    def load_steps(self, request: SceneRequest) -> Steps[None]:
        """Load the network and look at both volumes, which takes seconds the first time.

        Raises:
            WeightsError, DeviceError: it cannot be loaded, or not there.
            InputError: as of :meth:`picture`.
        """
        key, placed, prepare = self._preparing(request)

        def work(job: Job) -> tuple[SliceEngine, Preparation, JointStatistics]:
            job.report(0.1, "Loading the network")
            engine = load_engine(request.settings)
            job.report(0.5, "Looking at the volumes")
            preparation = prepare()
            return engine, preparation, _statistics(preparation)

        self._engine, self._preparation, self._statistics = yield from run_in_background(work)
        self._engine_of = _engine_key(request.settings)
        self._prepared_of, self._placed = key, placed

    def picture(self, request: SceneRequest) -> PreviewPicture:
        """The fused slice that the view along the fusion's axis shows, as the volumes lie now.

        Raises:
            InputError: a window leaves nothing to be seen, or the volumes do not overlap.
        """
        started = time.perf_counter()
        shown = self.fuse(request)
        path = Path(self._folder.name) / "slice.png"
        scale = _SIDE / max(shown.size_mm)
        width, height = (max(1, round(scale * mm)) for mm in shown.size_mm)
        write_png(shown.picture, path, (width, height))
        took = 1000 * (time.perf_counter() - started)
        place = f"{shown.place}, {took:.0f} ms"
        return PreviewPicture(path, place, reason_not_aligned(request), shown.pair.notes)

    def fuse(self, request: SceneRequest) -> PreviewSlice:
        """The slice itself; see :meth:`picture`."""
        from ...fusion.preview import fuse_slice

        settings = request.settings
        engine = self._engine_for(settings)
        preparation = self._prepared(request)
        slicing = slicings(preparation.fixed.geometry, settings.axis)[0]
        axis = slicing.permutation[0]
        index = self._shown_index(request.fixed, axis)
        pair = preparation.part(_slab(axis, index))
        # The right way up: the slice as a volume of one slice.
        a, b = (slicing.stack(x)[0] for x in (pair.fixed, pair.moving))
        with _one_thread():
            fused = fuse_slice(
                a,
                b,
                engine,
                settings.strength,
                settings.correlation_floor,
                statistics=self._statistics,
                # Faults are looked for in whole volumes, which a preview never waits for.
                reliability=np.full_like(a, 0.5),
            ).fused
        if pair.table_rows is None or preparation.table is None:
            picture = np.rint(255 * fused).astype(np.uint8)
        else:
            rows = np.ascontiguousarray(slicing.stack(pair.table_rows)[0])
            picture = colourise(fused, rows, preparation.table)
        spacing = request.fixed.GetSpacing()[::-1]
        row, column = (spacing[a] for a in slicing.permutation[1:])
        size = (fused.shape[1] * column, fused.shape[0] * row)
        place = f"{slicing.axis.capitalize()} slice {index + 1}"
        return PreviewSlice(fused, picture, place, size, pair)

    def _engine_for(self, settings: FusionSettings) -> SliceEngine:
        if self._engine is None or self._engine_of != _engine_key(settings):
            self._engine, self._engine_of = load_engine(settings), _engine_key(settings)
        return self._engine

    def _prepared(self, request: SceneRequest) -> Preparation:
        """Windows, colours and statistics of the whole volumes, looked for when they change."""
        key, placed, prepare = self._preparing(request)
        known = self._preparation
        if known is not None and key == self._prepared_of and placed == self._placed:
            return known
        known = prepare()
        self._preparation, self._prepared_of, self._placed = known, key, placed
        self._statistics = _statistics(known)
        return known

    def _preparing(self, request: SceneRequest) -> tuple[tuple, bytes, Callable[[], Preparation]]:
        """By what a preparation is known again, where the volumes lie, and what prepares them.

        That touches no node, so that any thread may do it.
        """
        settings = request.settings
        matrix = _placement(request)
        key = (
            *((n.GetID(), n.GetImageData(), n.GetImageData().GetMTime(), n.GetMTime())
              for n in (request.fixed, request.moving)),
            settings.fixed_window,
            settings.moving_window,
            settings.colour,
        )  # fmt: skip
        moved = not np.allclose(matrix, np.eye(4), rtol=0, atol=1e-9)
        transform = affine_transform(matrix, np.zeros(3)) if moved else None
        known = self._preparation
        if known is not None and key == self._prepared_of:
            return key, matrix.tobytes(), lambda: known.under(transform)
        fixed, moving = seen_in(request.fixed), seen_in(request.moving)
        return key, matrix.tobytes(), lambda: Preparation.of(fixed, moving, settings, transform)

    def _shown_index(self, node: slicer.vtkMRMLScalarVolumeNode, axis: int) -> int:
        for number in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            view = self._scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
            place = slice_through(view, node)
            if place is not None and place[0] == axis:
                return place[1]
        return node.GetImageData().GetDimensions()[2 - axis] // 2


def reason_not_aligned(request: SceneRequest) -> str:
    """What the user must know of how the volumes lie now; "" where Apply would not move them.

    A :class:`~...errors.Caution` where it is doubtful.
    """
    if request.registration not in (Registration.RIGID, Registration.AFFINE):
        return ""
    known = alignment_between(request.fixed, request.moving)
    if known is None:
        return "Not registered yet: shown as the volumes lie now. Apply aligns them first."
    if known[0] == "doubtful":
        return Caution("Shown with an alignment that is doubtful.")
    return ""


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


def _slab(axis: int, index: int) -> Region:
    """One slice of a (K, J, I) array, with its axis kept."""
    region = list(WHOLE)
    region[axis] = slice(index, index + 1)
    return region[0], region[1], region[2]


def _statistics(preparation: Preparation) -> JointStatistics:
    """Of the whole volumes, which the network wants besides the slice; from a coarse sample."""
    import torch

    from ...network.statistics import joint_statistics

    k, j, i = (max(1, n // _COARSE) for n in preparation.fixed.array.shape)
    coarse = preparation.part((slice(None, None, k), slice(None, None, j), slice(None, None, i)))
    pair = (np.ascontiguousarray(x) for x in (coarse.fixed, coarse.moving))
    return joint_statistics(*(torch.from_numpy(x)[None] for x in pair))


def _engine_key(settings: FusionSettings) -> tuple:
    return str(settings.weights), settings.device, settings.precision


def _placement(request: SceneRequest) -> np.ndarray:
    """4x4 from fixed to moving points (LPS mm), as both lie now."""
    if request.registration is Registration.TRANSFORM:
        return placement_in(request, transform_to_world(request.transform))
    return placement_in(request, to_world(request.moving))
