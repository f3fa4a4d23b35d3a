"""What slice views show that come up as those of 3D Slicer do: where, how large, which legends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

from WDualMineLib.gui.logics import logics_for
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.choices import Layers, Map
from WDualMineLib.scene.result.result_nodes import add_outputs
from WDualMineLib.scene.result.volume_nodes import add_volume
from WDualMineLib.scene.views.inspection import COMPARISON, Inspection
from WDualMineLib.volumes.volume import Volume

from ..gui.stand_ins.layouts import Layouts

THREE = ("WDualMineFixed", "WDualMineMoving", "WDualMineFused")
FAR = (110.0, -240.0, 900.0)
"""Origin in LPS mm, as scanners have it that count from the couch."""


@pytest.fixture
def event_loop() -> list:
    """What is to be done once events are processed."""
    return []


@pytest.fixture
def layouts(scene, event_loop, monkeypatch):
    found = Layouts(scene, event_loop.append, legends=True)
    monkeypatch.setattr(slicer, "app", found.application, raising=False)
    yield found
    found.close()


@pytest.fixture
def turn(event_loop):
    """Let the event loop run once."""

    def run() -> None:
        pending, event_loop[:] = list(event_loop), []
        for each in pending:
            each()

    return run


@pytest.fixture(params=[(-12.25, 7.5, 31.125), FAR], ids=["near 0", "far from 0"])
def nodes(request, scene, pair, result):
    moved = [
        Volume(v.array, replace(v.geometry, origin=request.param), v.name, v.modality) for v in pair
    ]
    volumes = {
        name: Volume(v.array, replace(v.geometry, origin=request.param), v.name)
        for name, v in result.volumes.items()
    }
    sources = [add_volume(scene, volume) for volume in moved]
    return add_outputs(scene, replace(result, volumes=volumes), *sources)


@pytest.fixture
def shown(layouts, nodes, turn):
    """The usual views, on the result, as they are after a run."""
    turn()
    Inspection(scene_of(nodes)).usual(nodes, Layers.FUSED, 0.5)
    turn()
    return layouts


def scene_of(nodes):
    return nodes.fused.GetScene()


def middle(nodes) -> float:
    bounds = [0.0] * 6
    nodes.fused.GetRASBounds(bounds)
    return (bounds[4] + bounds[5]) / 2


def seen(layouts, view: str) -> float:
    """Share of the view that is not black."""
    return float((layouts.picture(view).max(axis=2) > 0).mean())


def side_by_side(nodes, turn) -> Inspection:
    """Pressed; then what the panel does once the new views are there."""
    inspection = Inspection(scene_of(nodes))
    inspection.side_by_side(nodes)
    turn()
    inspection.views_added(nodes, True)
    return inspection


def test_the_first_side_by_side_shows_the_slice_that_was_shown(shown, nodes, turn) -> None:
    place = middle(nodes) + 7.0
    shown.scroll("Red", place)
    side_by_side(nodes, turn)
    for view in THREE:
        assert shown.offset(view) == pytest.approx(place, abs=0.01), view
        assert seen(shown, view) > 0.1, f"{view} is black"
        field = shown.node(view).GetFieldOfView()
        assert field == pytest.approx(shown.node(THREE[0]).GetFieldOfView()), "sizes differ"
    # All of it: the rim of the volume is black, in every view.
    assert not shown.picture(THREE[0])[0].any() and not shown.picture(THREE[0])[-1].any()


def test_the_usual_views_are_where_they_were(shown, nodes, turn) -> None:
    place = middle(nodes) + 7.0
    shown.scroll("Red", place)
    others = [shown.offset(view) for view in ("Green", "Yellow")]
    inspection = side_by_side(nodes, turn)
    inspection.usual(nodes, Layers.FUSED, 0.5)
    turn()
    assert shown.offset("Red") == pytest.approx(place, abs=0.01)
    assert [shown.offset(view) for view in ("Green", "Yellow")] == pytest.approx(others)
    assert seen(shown, "Red") > 0.1


def test_scrolling_side_by_side_is_linked_and_kept(shown, nodes, turn) -> None:
    inspection = side_by_side(nodes, turn)
    place = middle(nodes) - 9.0
    shown.scroll(THREE[1], place)
    assert shown.offset(THREE[0]) == shown.offset(THREE[2]) == pytest.approx(place)
    inspection.usual(nodes, Layers.FUSED, 0.5)
    assert shown.offset("Red") == pytest.approx(place)


def test_a_view_that_looks_elsewhere_is_no_guide(shown, nodes, turn) -> None:
    """Red stands beside the volume: then the middle of the volume is shown."""
    shown.scroll("Red", middle(nodes) + 500)
    side_by_side(nodes, turn)
    for view in THREE:
        assert shown.offset(view) == pytest.approx(middle(nodes), abs=3.0)


def test_views_of_a_later_layout_show_the_slices_of_the_usual_ones(shown, nodes, turn) -> None:
    place = middle(nodes) + 7.0
    shown.scroll("Red", place)
    before = {view: shown.layers(view) for view in ("Red", "Green", "Yellow")}
    shown.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutCompareView)
    turn()
    Inspection(scene_of(nodes)).views_added(nodes, True)
    new = [view for view in shown.logics if view.startswith("Compare")]
    assert new
    for view in new:
        assert shown.layers(view) == before["Red"]
        assert shown.offset(view) == pytest.approx(place, abs=0.01)
        assert seen(shown, view) > 0.1


def test_each_map_comes_with_its_own_legend(shown, nodes, turn) -> None:
    inspection = Inspection(scene_of(nodes))
    for which, title in ((Map.RELIABILITY_FIXED, "Suspected faults"), (Map.ARBITRATION, "Arbitr")):
        inspection.map_overlay(nodes, which, 0.55, 0.8)
        for view in ("Red", "Green", "Yellow"):
            (legend,) = shown.legends(view)
            assert legend.startswith(title), view
    inspection.usual(nodes, Layers.FUSED, 0.5)
    assert not any(shown.legends(view) for view in ("Red", "Green", "Yellow"))


def test_side_by_side_leaves_no_legend_behind(shown, nodes, turn) -> None:
    Inspection(scene_of(nodes)).map_overlay(nodes, Map.ARBITRATION, 0.55, 0.8)
    side_by_side(nodes, turn)
    assert not any(shown.legends(view) for view in THREE)
    assert all(np.isfinite(shown.node(view).GetFieldOfView()).all() for view in THREE)


@pytest.mark.parametrize("way", ["usual", "checkerboard", "map"])
def test_layout_cursor_and_links_are_given_back(shown, nodes, turn, way) -> None:
    """Whichever way side by side is left."""
    kind = slicer.vtkMRMLCrosshairNode
    mine = (kind.ShowIntersection, kind.CenteredJumpSlice)
    shown.cursor.SetCrosshairMode(mine[0])
    shown.cursor.SetCrosshairBehavior(mine[1])
    shown.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    Inspection(scene_of(nodes)).link(False)
    inspection = side_by_side(nodes, turn)
    inspection.side_by_side(nodes)
    assert shown.cursor.GetCrosshairMode() == kind.ShowSmallBasic
    assert shown.logics["Red"].GetSliceCompositeNode().GetLinkedControl()
    {
        "usual": lambda: inspection.usual(nodes, Layers.FUSED, 0.5),
        "checkerboard": lambda: inspection.checkerboard(nodes, 4),
        "map": lambda: inspection.map_overlay(nodes, Map.ARBITRATION, 0.5, 0.8),
    }[way]()
    assert (shown.cursor.GetCrosshairMode(), shown.cursor.GetCrosshairBehavior()) == mine
    assert shown.layout.GetViewArrangement() == shown.layout.SlicerLayoutOneUpRedSliceView
    assert not shown.logics["Red"].GetSliceCompositeNode().GetLinkedControl()


def test_the_usual_views_leave_a_cursor_alone_that_was_not_borrowed(shown, nodes) -> None:
    shown.cursor.SetCrosshairMode(slicer.vtkMRMLCrosshairNode.ShowBasic)
    Inspection(scene_of(nodes)).usual(nodes, Layers.FUSED, 0.5)
    assert shown.cursor.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowBasic


def test_what_the_user_changed_meanwhile_stays(shown, nodes, turn) -> None:
    inspection = side_by_side(nodes, turn)
    shown.cursor.SetCrosshairMode(slicer.vtkMRMLCrosshairNode.ShowHashmarks)
    shown.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpGreenSliceView)
    inspection.usual(nodes, Layers.FUSED, 0.5)
    assert shown.cursor.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowHashmarks
    assert shown.layout.GetViewArrangement() == shown.layout.SlicerLayoutOneUpGreenSliceView


def test_the_layout_of_a_plot_is_given_back(shown, nodes, turn) -> None:
    logics = logics_for(scene_of(nodes))
    before = shown.layout.GetViewArrangement()
    logics.inspection.side_by_side(nodes)
    turn()
    finish(logics.measures.steps(nodes))
    logics.measures.plot("CC")
    assert shown.layout.GetViewArrangement() == shown.layout.SlicerLayoutFourUpPlotView
    logics.inspection.usual(nodes, Layers.FUSED, 0.5)
    assert shown.layout.GetViewArrangement() == before


def test_a_comparison_lasts_as_long_as_it_is_shown(shown, nodes, turn) -> None:
    inspection = Inspection(scene_of(nodes))
    for leave in (
        lambda: inspection.map_overlay(nodes, Map.ARBITRATION, 0.5, 0.8),
        lambda: inspection.side_by_side(nodes),
        lambda: inspection.usual(nodes, Layers.FUSED, 0.5),
    ):
        inspection.checkerboard(nodes, 4)
        assert scene_of(nodes).GetFirstNodeByName(COMPARISON)
        leave()
        assert scene_of(nodes).GetFirstNodeByName(COMPARISON) is None


def test_the_legend_of_a_map_is_in_views_of_a_later_layout_too(shown, nodes, turn) -> None:
    """Their displayable managers come after the legend's node."""
    inspection = Inspection(scene_of(nodes))
    inspection.map_overlay(nodes, Map.RELIABILITY_FIXED, 0.55, 0.8)
    shown.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutCompareView)
    turn()
    inspection.views_added(nodes, True)
    new = [view for view in shown.logics if view.startswith("Compare")]
    assert new and all(shown.legends(view) == {"Suspected faults"} for view in new)


def test_a_legend_leaves_the_picture_to_be_seen(shown, nodes) -> None:
    """Drawn as it is, over a view of 300 x 260 pixels: the pixels that it touches."""
    inspection = Inspection(scene_of(nodes))
    inspection.map_overlay(nodes, Map.ARBITRATION, 0.55, 0.8)
    window = shown.windows["Red"]
    with_legend = window.picture().astype(int)
    for index in range(scene_of(nodes).GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode")):
        kind = "vtkMRMLColorLegendDisplayNode"
        scene_of(nodes).GetNthNodeByClass(index, kind).SetVisibility(False)
    touched = np.abs(with_legend - window.picture()).max(axis=2) > 0
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert 0.01 < box / touched.size < 0.16, "of the view, with what lies between its letters"


def test_views_come_up_one_after_the_other(scene, capfd) -> None:
    """A logic that is made while another one adds its nodes ends the process now and then."""
    capfd.readouterr()
    views = Layouts(scene, lambda _: None)
    views.close()
    assert "ERR|" not in "".join(capfd.readouterr())
