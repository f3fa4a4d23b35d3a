"""Sample pairs for Slicer's Sample Data module."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

RESOURCES = Path(__file__).resolve().parents[2] / "WDualMine" / "Resources"


class SampleDataLogic:
    """Takes what Slicer's own takes, counts it as that does, and refuses the rest."""

    def __init__(self) -> None:
        self.sources = {}

    def registerCustomSampleDataSource(
        self, category="Custom", sampleName=None, uris=None, fileNames=None, nodeNames=None,
        customDownloader=None, thumbnailFileName=None, loadFileType="VolumeFile", loadFiles=None,
        loadFileProperties=None, checksums=None,
    ) -> None:  # fmt: skip
        lengths = {len(names) for names in (uris, fileNames, nodeNames, checksums or uris)}
        assert len(lengths) == 1, "Slicer wants as many of each"
        self.sources[sampleName] = {
            "category": category, "uris": uris, "fileNames": fileNames, "nodeNames": nodeNames,
            "checksums": checksums, "download": customDownloader, "picture": thumbnailFileName,
        }  # fmt: skip


@pytest.fixture
def told() -> list[str]:
    """What the user was shown in a message box."""
    return []


@pytest.fixture
def sources(scene, told):
    from WDualMineLib.gui.sample_data import register

    logic = SampleDataLogic()
    register(logic, scene, RESOURCES / "Icons", told.append)
    return logic.sources


def test_each_pair_has_its_category_and_picture(sources) -> None:
    assert len(sources) == 2
    for source in sources.values():
        assert source["category"] == "WDualMine"
        assert Path(source["picture"]).is_file()


def test_downloads_are_checked(sources) -> None:
    source = sources["CT and MR of a head"]
    counts = {len(source[key]) for key in ("uris", "fileNames", "nodeNames", "checksums")}
    assert counts == {2}
    for uri, checksum in zip(source["uris"], source["checksums"], strict=True):
        assert checksum == f"SHA256:{uri.rsplit('/', 1)[-1]}"


def test_the_real_pair_is_slicers_own(sources) -> None:
    """Address, names and checksums of "CT-MR Brain" in Slicer's SampleData.py, CT aside of T2."""
    source = sources["CT and MR of a head"]
    store = "https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/"
    assert all(uri.startswith(store) for uri in source["uris"])
    assert dict(zip(source["nodeNames"], source["fileNames"], strict=True)) == {
        "CTBrain": "CT-brain.nrrd",
        "MRBrainT1": "MR-brain-T1.nrrd",
    }


def test_without_a_network_the_user_is_told(sources, scene, told, monkeypatch) -> None:
    from WDualMineLib.gui import sample_data
    from WDualMineLib.samples.download import SampleUnavailable

    def fetch(_, check=None):
        raise SampleUnavailable("The index cannot be reached", "Check the internet connection")

    before = scene.GetNumberOfNodes()
    monkeypatch.setattr(sample_data, "fetch", fetch)
    assert sources["MR and simulated PET of a brain"]["download"](None) == []
    assert told == ["The index cannot be reached. Check the internet connection."]
    assert scene.GetNumberOfNodes() == before


def test_the_simulated_pair_is_loaded_and_suggested(sources, scene, monkeypatch) -> None:
    from WDualMineLib.gui import sample_data
    from WDualMineLib.scene.application.choices import Pair
    from WDualMineLib.scene.application.defaults import default_pair
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    grid = Geometry((24, 20, 16), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    tissue = np.zeros(grid.array_shape, np.float32)
    tissue[4:-4, 4:-4, 4:-4] = 255
    monkeypatch.setattr(sample_data, "fetch", lambda samples, check: dict.fromkeys(samples, Path()))
    monkeypatch.setattr(
        sample_data, "load", lambda sample, _: Volume(tissue, grid, sample.name, sample.modality)
    )
    view = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    nodes = sources["MR and simulated PET of a brain"]["download"](None)
    assert view.GetBackgroundVolumeID() == nodes[0].GetID()
    fixed, moving, pair = default_pair(scene)
    assert [fixed, moving] == nodes and pair is Pair.MR_PET
    assert "Simulated" in moving.GetName()


@pytest.fixture
def slow_pip(tmp_path, monkeypatch) -> Path:
    """3D Slicer's ways: ``sys.executable`` is no Python, and PythonSlicer, which takes its time,
    lies on the search path. The file tells its process while it runs."""
    application = tmp_path / "SlicerApp-real"
    application.write_text("#!/bin/sh\nexec sleep 600\n")
    application.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(application))
    python, started = tmp_path / "bin" / "PythonSlicer", tmp_path / "started"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\necho $$ > {started}\nexec sleep 600\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{python.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("WDUALMINE_CACHE", str(tmp_path / "cache"))
    return started


def test_the_window_lives_while_the_volumes_are_fetched_and_cancel_ends_it(
    sources, scene, told, slow_pip, application
) -> None:
    from PySide6 import QtCore, QtWidgets

    ticks, before = [], scene.GetNumberOfNodes()

    def tick() -> None:
        ticks.append(time.perf_counter())
        dialogs = [w for w in application.topLevelWidgets()
                   if isinstance(w, QtWidgets.QProgressDialog) and w.isVisible()]  # fmt: skip
        if len(ticks) > 20 and slow_pip.exists() and dialogs:
            dialogs[0].cancel()

    timer = QtCore.QTimer()
    timer.setInterval(20)
    timer.timeout.connect(tick)
    timer.start()
    started = time.perf_counter()
    assert sources["MR and simulated PET of a brain"]["download"](None) == []
    timer.stop()
    assert time.perf_counter() - started < 30, "it waited for pip"
    assert len(ticks) > 20, "timers stood still"
    assert told == [] and scene.GetNumberOfNodes() == before
    process = int(slow_pip.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
