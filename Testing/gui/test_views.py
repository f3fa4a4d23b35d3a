"""The panel over slice views that come up as those of 3D Slicer do, and their layers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from .stand_ins.layouts import Layouts

THREE = ("WDualMineFixed", "WDualMineMoving", "WDualMineFused")


@pytest.fixture
def layouts(application, scene, monkeypatch):
    """In the usual layout. Sizes come with the events that Qt has queued, before its timers."""
    from PySide6 import QtCore

    class Queue(QtCore.QObject):
        wanted = QtCore.Signal(object)

    queue = Queue()
    queue.wanted.connect(lambda act: act(), QtCore.Qt.ConnectionType.QueuedConnection)
    found = Layouts(scene, queue.wanted.emit)
    monkeypatch.setattr(
        slicer.app, "applicationLogic", lambda: found.application_logic, raising=False
    )
    application.processEvents()
    yield found
    found.close()


@pytest.fixture
def seen(layouts, fused):
    """The panel with a result in the usual views."""
    fused.settle()
    assert layouts.layers("Red")[0], "the result is shown"
    return fused


def test_side_by_side_shows_what_was_looked_at(seen, layouts) -> None:
    layouts.scroll("Red", 21.0)
    seen.click("sideBySideButton")
    seen.settle()
    for view in THREE:
        assert layouts.offset(view) == pytest.approx(21.0, abs=0.01), view
        assert layouts.picture(view).any(), f"{view} is black"
    seen.click("normalLayoutButton")
    seen.settle()
    assert layouts.offset("Red") == pytest.approx(21.0, abs=0.01)
    assert layouts.picture("Red").any()


def test_re_entering_leaves_the_users_layers_alone(
    seen, layouts, shown_widget, volumes, session
) -> None:
    """The wrapper clears every list while it connects; nobody chose anything then."""
    composite = layouts.logics["Red"].GetSliceCompositeNode()
    composite.SetBackgroundVolumeID(volumes[1].GetID())
    composite.SetForegroundVolumeID(volumes[0].GetID())
    composite.SetForegroundOpacity(0.35)
    composite.SetLinkedControl(False)
    before = {view: layouts.layers(view) for view in layouts.logics}
    for _ in range(2):
        shown_widget[1].exit()
        shown_widget[1].enter()
        seen.settle()
    assert {view: layouts.layers(view) for view in layouts.logics} == before
    assert composite.GetForegroundOpacity() == pytest.approx(0.35)
    assert not composite.GetLinkedControl()
    assert not session.running, "nothing was to be computed"


@pytest.mark.parametrize("button", ["sideBySideButton", "mapButton", "checkerboardButton"])
def test_re_entering_keeps_the_arrangement(seen, layouts, shown_widget, session, button) -> None:
    seen.click(button)
    seen.wait_until(lambda: not session.running)
    seen.settle()
    layout = layouts.layout.GetViewArrangement()
    before = {view: layouts.layers(view) for view in layouts.logics}
    shown_widget[1].exit()
    shown_widget[1].enter()
    seen.settle()
    assert layouts.layout.GetViewArrangement() == layout
    assert {view: layouts.layers(view) for view in layouts.logics} == before
    assert getattr(seen.ui, button).isChecked()


def test_a_later_layout_leaves_the_users_layers_alone(seen, layouts, volumes) -> None:
    red = layouts.logics["Red"].GetSliceCompositeNode()
    red.SetBackgroundVolumeID(volumes[1].GetID())
    layouts.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutCompareView)
    seen.settle()
    assert layouts.layers("Red")[0] == volumes[1].GetID()
    assert layouts.layers("Compare1")[0] == volumes[1].GetID()


def test_the_usual_views_after_a_plot(seen, layouts, session) -> None:
    before = layouts.layout.GetViewArrangement()
    seen.click("measureButton")
    seen.wait_until(lambda: not session.running)
    assert layouts.layout.GetViewArrangement() != before
    seen.click("normalLayoutButton")
    assert layouts.layout.GetViewArrangement() == before


def test_a_closed_scene_gives_layout_and_cursor_back(seen, layouts, scene) -> None:
    before = layouts.layout.GetViewArrangement()
    seen.click("sideBySideButton")
    seen.settle()
    scene.Clear(False)
    seen.settle()
    assert layouts.layout.GetViewArrangement() == before
    assert layouts.cursor.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.NoCrosshair


def test_the_layout_is_known_before_a_scene_that_uses_it_is_loaded(scene, layouts) -> None:
    from WDualMineLib.scene.views.inspection import SIDE_BY_SIDE_LAYOUT, know_layout

    assert not layouts.layout.IsLayoutDescription(SIDE_BY_SIDE_LAYOUT)
    know_layout(scene)
    assert layouts.layout.IsLayoutDescription(SIDE_BY_SIDE_LAYOUT)


def test_dragging_the_look_changes_what_is_seen_in_colour(ready, layouts, session) -> None:
    """With a colour result the colour volume is what the views show; only its slices change."""
    from WDualMineLib.scene.result.volume_nodes import array_of

    ready.choose("pairCombo", "MR + PET")
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    ready.settle()
    colour = session.nodes.colour
    assert layouts.layers("Red")[0] == colour.GetID()
    voxels, before = array_of(colour).copy(), layouts.picture("Red")
    ready.drag_without_release("strengthSlider", 0.0)
    during = layouts.picture("Red")
    assert (during != before).any(), "nothing changes until the slider is let go"
    assert np.abs(during.astype(int) - during[..., :1]).max() > 30, "it is in colour still"
    touched = (array_of(colour) != voxels).any(axis=3).mean()
    assert 0 < touched < 0.1, "three slices of a volume"
    ready.drag("strengthSlider", 0.0)
    ready.wait_until(lambda: not session.running)
    after = layouts.picture("Red").astype(int)
    # The floor is that of the slice while it is dragged, and of the volume afterwards.
    assert np.abs(after - during).mean() < np.abs(after - before).mean()
