"""What is said of a volume that Slicer made of files whose slices lie unevenly."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.dicom import slice_layout
from WDualMineLib.dicom.slice_layout import SliceLayout
from WDualMineLib.errors import Caution
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.choices import Registration
from WDualMineLib.scene.result.dicom_origin import INSTANCES
from WDualMineLib.scene.result.loaded_slices import LoadedSlices
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.result.workflow import FusionWorkflow
from WDualMineLib.volumes.volume import Volume

from .conftest import GEOMETRY


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, Path]:
    """What the database knows: instance to file."""
    found = {uid: tmp_path / uid for uid in ("1.1", "1.2")}
    for path in found.values():
        path.touch()
    database = types.SimpleNamespace(
        isOpen=True, fileForInstance=lambda uid: str(found.get(uid, "")), fileValue=lambda *_: ""
    )
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    return found


@pytest.fixture
def asked(monkeypatch) -> list:
    """Which files were looked into, which all are of a tilted series of the size of ``pair``."""
    calls: list = []
    tilted = SliceLayout(GEOMETRY.size, "the gantry was tilted by 9.0 degrees")
    monkeypatch.setattr(slice_layout, "layout_of", lambda f: (calls.append(f), tilted)[1])
    return calls


def node_of(scene, volume: Volume, instances: str = "1.1 1.2"):
    node = add_volume(scene, volume)
    if instances:
        node.SetAttribute(INSTANCES, instances)
    return node


def test_a_fusion_says_it_of_each_source(scene, pair, files, asked, simple_network) -> None:
    nodes = [node_of(scene, volume) for volume in pair]
    settings = FusionSettings((0.0, 100.0), (0.0, 100.0), device="cpu")
    request = SceneRequest(*nodes, settings, Registration.OFF)
    workflow = FusionWorkflow(scene)
    outcome = finish(workflow.steps(request))
    said = [note for note in outcome.result.notes if "may be distorted" in note]
    assert [note.split()[0] for note in said] == ["Fixed", "Moving"]
    assert all(isinstance(note, Caution) and "tilted by 9.0 degrees" in note for note in said)
    finish(workflow.steps(request))
    assert len(asked) == 1, "headers are read once"


def test_nothing_is_said_of_a_volume_that_was_resampled_since(scene, pair, files, asked) -> None:
    grid = type(GEOMETRY)((20, 24, 8), GEOMETRY.spacing, GEOMETRY.origin, GEOMETRY.direction)
    node = node_of(scene, Volume(np.zeros(grid.array_shape, np.float32), grid, "Other"))
    assert LoadedSlices().asked_of(node).notes() == () and asked


@pytest.mark.parametrize("instances", ["", "1.1 1.3"])
def test_nothing_is_looked_for_without_all_files(scene, pair, files, asked, instances) -> None:
    node = node_of(scene, pair[0], instances)
    assert LoadedSlices().asked_of(node).notes() == () and not asked
