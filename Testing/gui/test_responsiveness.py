"""The application stays alive while the module works, and Cancel answers at once.

Time is measured in processor seconds of this process, with one thread of computation: what they
are on any machine, the wall clock would show on a machine of one's own.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")

from .conftest import snapshot

REPAINT_S = 0.2
SIZE = (128, 128, 96)


@pytest.fixture
def one_thread(monkeypatch):
    """All computation in one thread beside the one of the panel."""
    import SimpleITK as sitk
    import torch
    from WDualMineLib.fusion import chunks, workers

    for module in (chunks, workers):
        monkeypatch.setattr(module, "usable_cores", lambda: 1)
    before = torch.get_num_threads(), sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    yield
    torch.set_num_threads(before[0])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before[1])


@pytest.fixture
def volumes(scene):
    """Two volumes of 1.6 million voxels, on different grids, so that one has to be resampled."""
    from WDualMineLib.scene.result.volume_nodes import add_volume
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    added = []
    for name, modality, shift in (("MRHead", "MR", 0.0), ("CTHead", "CT", 0.7)):
        grid = Geometry(SIZE, (1.5, 1.5, 2.0), (shift, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
        k, j, i = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SIZE[::-1])]
        head = (i**2 + j**2 + k**2 < 0.8).astype(np.float32)
        array = (head * (40 + 30 * np.cos(9 * i) * np.cos(7 * j))).astype(np.float32)
        added.append(add_volume(scene, Volume(array, grid, name, modality)))
    return tuple(added)


@pytest.fixture
def ready(driver, volumes, shown_widget, simple_network, one_thread):
    shown_widget[1].enter()
    driver.choose("registrationCombo", "Off")
    return driver


def test_the_panel_repaints_during_every_kind_of_work(ready, session) -> None:
    """Fusing with its outputs, measuring, preparing a comparison, changing the look."""
    longest = {}
    for work in ("applyButton", "checkerboardButton", "measureButton"):
        started = time.process_time()
        ready.click(work)
        clicked = time.process_time() - started
        gaps = ready.wait_until(lambda: not session.running)
        longest[work] = max([clicked, *gaps])
        assert session.nodes is not None, ready.text("statusLabel")
    ready.ui.strengthSlider.setProperty("value", 0.5)
    longest["strengthSlider"] = max(ready.wait_until(lambda: not session.running))
    assert max(longest.values()) < REPAINT_S, longest


def test_cancel_takes_no_time_in_the_middle_of_a_run(ready, session, scene) -> None:
    before = snapshot(scene)
    ready.click("applyButton")
    ready.wait_until(lambda: "Fused" in ready.text("statusLabel"))
    started = time.process_time()
    ready.click("cancelButton")
    assert time.process_time() - started < REPAINT_S
    assert not session.running and "cancelled" in ready.text("statusLabel")
    ready.settle()
    assert snapshot(scene) == before


def test_cancel_waits_for_nothing(ready, session) -> None:
    """A step that is not over yet goes on alone; what it would have changed is not changed."""
    may_end, ended = threading.Event(), threading.Event()

    def steps():
        from WDualMineLib.progress import Progress

        try:
            while True:
                yield Progress(0.5, "Working")
        finally:
            may_end.wait(60)
            ended.set()

    session.run("Fusion", steps(), lambda _: None)
    ready.settle()
    ready.click("cancelButton")
    assert not session.running and not ended.is_set(), "Cancel waited for the step"
    assert ready.ui.applyButton.isEnabled()
    may_end.set()
    ready.wait_until(ended.is_set)
