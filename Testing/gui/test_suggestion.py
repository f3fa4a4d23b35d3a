"""Two volumes are dropped, the module says what it would fuse, and one click fuses it."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def open_module(driver, shown_widget):
    """The module is open, and the scene empty."""
    shown_widget[1].enter()
    return driver


def drop(scene, name: str, modality: str):
    """As a loader does: a node comes into the scene first, its voxels and modality after that."""
    import numpy as np
    from WDualMineLib.scene.result.volume_nodes import MODALITY, update_volume
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    grid = Geometry((24, 24, 12), (4, 4, 6), (-46, -46, -33), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    array = np.random.default_rng(0).uniform(10, 90, grid.array_shape).astype(np.float32)
    array[:2] = 0
    update_volume(node, Volume(array, grid))
    node.SetAttribute(MODALITY, modality)
    return node


def test_two_volumes_dropped_into_the_open_module_are_suggested_and_one_click_fuses(
    open_module, scene, session, simple_network
) -> None:
    driver = open_module
    assert not driver.ui.suggestionLabel.isVisible()
    drop(scene, "PET of <b>A</b>", "PT")
    mr = drop(scene, "T1", "MR")
    driver.wait_until(lambda: driver.ui.suggestionLabel.isVisible(), seconds=5)
    said = driver.text("suggestionLabel")
    assert "T1 keeps its grid, PET of <b>A</b> is fused into it: MR + PET." in said
    assert session.parameters.fixedVolume is mr
    driver.screenshot("panel-suggestion")
    driver.choose("registrationCombo", "Off")
    driver.click("applyButton")
    driver.wait_until(lambda: not session.running)
    assert session.nodes is not None and session.nodes.colour is not None
    assert not driver.ui.suggestionLabel.isVisible(), "what was done is no suggestion"


def test_a_choice_of_the_user_is_not_overruled_and_ends_the_suggestion(
    open_module, scene, session
) -> None:
    driver = open_module
    first = drop(scene, "A", "MR")
    driver.choose("fixedSelector", "A")
    drop(scene, "B", "CT")
    driver.settle()
    for _ in range(40):
        driver.settle()
    assert session.parameters.movingVolume is None and session.parameters.fixedVolume is first
    assert not driver.ui.suggestionLabel.isVisible()


def test_choosing_otherwise_takes_the_suggestion_away(ready) -> None:
    assert ready.ui.suggestionLabel.isVisible()
    ready.choose("movingSelector", "MRHead")
    assert not ready.ui.suggestionLabel.isVisible()
