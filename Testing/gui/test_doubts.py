"""Where is it doubtful: listed by itself after a fusion, a row goes there."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def faulty(monkeypatch):
    """The network suspects a fault in the fixed volume, in a block, and in the moving one."""
    from typing import NamedTuple

    import torch
    from WDualMineLib.network import weights

    class Maps(NamedTuple):
        residual: torch.Tensor
        reliability_a: torch.Tensor
        reliability_b: torch.Tensor
        arbitration: torch.Tensor

    class Faulty(torch.nn.Module):
        def forward(self, a, b, *_):
            share = torch.full_like(a, 0.5)
            share[..., 20:40, 20:40] = 0.1
            share[..., 50:54, 50:54] = 0.97
            return Maps((a - b).abs() / 2, share, 1 - share, share)

    monkeypatch.setattr(weights, "load_model", lambda *_: Faulty())


@pytest.fixture
def listed(driver, volumes, shown_widget, faulty, session):
    """A result whose doubtful regions are listed, and what was suspected where."""
    from WDualMineLib.pipeline.doubts import doubtful_regions
    from WDualMineLib.scene.result.volume_nodes import array_of, volume_of

    widget = shown_widget[1]
    widget.enter()
    driver.choose("registrationCombo", "Off")
    driver.click("applyButton")
    driver.wait_until(lambda: not session.running)
    # Whatever the evidence makes of the network's word, here it is what the list is made of.
    node = session.nodes.reliability_fixed
    array = array_of(node)
    array[:] = 0.5
    array[10:20, 20:40, 20:40] = 0.1
    array[30:34, 50:60, 50:60] = 0.97
    node.Modified()
    widget.panel.doubts._look()
    driver.wait_until(lambda: not widget.panel.doubts.running)
    return driver, doubtful_regions(volume_of(node))


def rows_of(driver) -> list[list[str]]:
    table = driver.ui.doubtsTable
    return [[table.item(r, c).text() for c in range(3)] for r in range(table.rowCount())]


def test_regions_are_listed_largest_first_with_ml_and_mean(listed) -> None:
    driver, doubts = listed
    assert len(doubts) == 2
    first, second = rows_of(driver)
    # 10 x 20 x 20 voxels of 2.4 x 2.4 x 4 mm.
    assert first == ["fixed", "92.2 ml", "0.10"] and second == ["moving", "9.2 ml", "0.03"]
    assert driver.ui.doubtsSection.property("text").endswith("(2 regions, 101.4 ml)")
    driver.ui.doubtsSection.setProperty("collapsed", False)
    driver.screenshot("panel-doubts")


def test_a_click_and_an_arrow_key_go_to_the_region_in_every_view(listed, scene, session) -> None:
    driver, doubts = listed
    views = [scene.AddNewNodeByClass("vtkMRMLSliceNode") for _ in range(2)]
    for view, orientation in zip(views, ("Axial", "Sagittal"), strict=True):
        view.SetOrientation(orientation)
        view.JumpSliceByOffsetting(500, 500, 500)
    driver.ui.doubtsTable.cellClicked.emit(0, 1)
    x, y, z = doubts[0].point
    assert views[0].GetSliceOffset() == pytest.approx(z, abs=0.01)
    assert views[1].GetSliceToRAS().GetElement(0, 3) == pytest.approx(-x, abs=0.01)
    to_ras = views[0].GetSliceToRAS()
    centre = [to_ras.GetElement(i, 3) for i in range(3)]
    assert centre == pytest.approx([-x, -y, z], abs=0.01)
    driver.ui.doubtsTable.setCurrentCell(1, 0)
    assert views[0].GetSliceOffset() == pytest.approx(doubts[1].point[2], abs=0.01)


def test_the_way_leads_through_the_transform_of_the_fixed_volume(listed, scene, session) -> None:
    import vtk

    driver, doubts = listed
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(2, 3, 40.0)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(matrix)
    session.nodes.fused.SetAndObserveTransformNodeID(transform.GetID())
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation("Axial")
    driver.ui.doubtsTable.cellClicked.emit(0, 0)
    assert view.GetSliceOffset() == pytest.approx(doubts[0].point[2] + 40, abs=0.01)


def test_a_quiet_map_is_no_certificate_and_a_closed_scene_leaves_no_row(
    listed, scene, session, shown_widget
) -> None:
    from WDualMineLib.scene.result.volume_nodes import array_of

    driver, _ = listed
    array_of(session.nodes.reliability_fixed)[:] = np.float32(0.5)
    doubts = shown_widget[1].panel.doubts
    doubts._look()
    driver.wait_until(lambda: not doubts.running)
    assert rows_of(driver) == [] and "no certificate" in driver.text("doubtsLabel")
    scene.Clear(False)
    driver.settle()
    assert driver.text("doubtsLabel") == ""
    assert driver.ui.doubtsSection.property("text") == "Where is it doubtful?"


def test_the_list_comes_by_itself_and_beside_other_work(ready, session, shown_widget) -> None:
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    doubts = shown_widget[1].panel.doubts
    ready.wait_until(lambda: not doubts.running)
    assert ready.text("doubtsLabel")
    assert ready.text("statusLabel").startswith("Fused."), "the status of the run stays"
