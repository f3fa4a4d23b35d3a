"""The live preview: what Apply would give for a slice, soon enough to scroll by."""

from __future__ import annotations

import time

import numpy as np
import pytest
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.progress import finish
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

from .conftest import GEOMETRY

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.result.workflow import FusionWorkflow
from WDualMineLib.scene.views.live_preview import LivePreview

LIMIT_S = 0.15


@pytest.mark.parametrize("axis", ["axial", "coronal", "sagittal"])
def test_it_is_what_apply_gives(scene, pair, simple_network, axis) -> None:
    fixed, moving = (add_volume(scene, volume) for volume in pair)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(
        transform, np.array([[1, 0, 0, 2.5], [0, 1, 0, -1.5], [0, 0, 1, 3], [0, 0, 0, 1]])
    )
    moving.SetAndObserveTransformNodeID(transform.GetID())
    settings = FusionSettings((0.0, 100.0), (0.0, 100.0), axis, correlation_floor=0.0, device="cpu")
    request = SceneRequest(fixed, moving, settings)
    before = scene.GetNumberOfNodes()
    preview = LivePreview(scene)
    preview_slice = preview.fuse(request)
    shown, place = preview_slice.fused, preview_slice.place
    assert scene.GetNumberOfNodes() == before, "the scene is not touched"
    fused = finish(FusionWorkflow(scene).steps(request)).result.fused.array
    slicing = slicings(GEOMETRY, axis)[0]
    middle = fixed.GetImageData().GetDimensions()[2 - slicing.permutation[0]] // 2
    assert place == f"{axis.capitalize()} slice {middle + 1}"
    wanted = slicing.stack(np.take(fused, [middle], slicing.permutation[0]))[0]
    assert shown == pytest.approx(wanted, abs=1e-5)


def test_a_slice_is_there_within_150_ms(scene) -> None:
    """Of the network that ships, at 256 x 256; on one thread, so that processor time is enough."""
    size = (256, 256, 16)
    grid = Geometry(size, (1.0, 1.0, 3.0), (-128, -128, -24), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in size[::-1])]
    head = i**2 + j**2 + 0.1 * k**2 < 0.8
    volumes = [
        Volume((head * (50 + 30 * np.cos(a * i) * np.cos(b * j)) + rng.uniform(0, 4, head.shape)
                ).astype(np.float32), grid, name)
        for name, a, b in (("MR", 20, 14), ("CT", 9, 31))
    ]  # fmt: skip
    fixed, moving = (add_volume(scene, volume) for volume in volumes)
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation("Axial")
    request = SceneRequest(fixed, moving, FusionSettings(device="cpu"))
    preview = LivePreview(scene)
    finish(preview.load_steps(request))
    preview.picture(request)
    took = []
    for z in range(-20, 20, 5):
        view.JumpSliceByCentering(0, 0, z)
        started = time.process_time()
        picture = preview.picture(request)
        took.append(time.process_time() - started)
        assert picture.path.is_file() and "Axial slice" in picture.place
    print(f"preview: {1000 * np.median(took):.0f} ms of processor time a slice")
    assert np.median(took) < LIMIT_S, took
