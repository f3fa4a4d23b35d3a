"""The views in which a fusion is judged: layouts, layers, and what their pictures show."""

from __future__ import annotations

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk
from WDualMineLib.errors import InputError
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.choices import Layers, Map
from WDualMineLib.scene.result import result_nodes as outputs
from WDualMineLib.scene.result.look import Look
from WDualMineLib.scene.result.masks import mask_of_box
from WDualMineLib.scene.result.measuring import Measures
from WDualMineLib.scene.result.recovery import Results
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of, geometry_of, update_volume
from WDualMineLib.scene.result.workflow import Outcome
from WDualMineLib.scene.views.inspection import COMPARISON, SIDE_BY_SIDE_LAYOUT, Inspection
from WDualMineLib.scene.views.rendering import slice_renderer
from WDualMineLib.scene.views.slice_views import ijk_to_ras, slice_through
from WDualMineLib.volumes.volume import Volume


@pytest.fixture
def sources(scene, pair):
    return tuple(add_volume(scene, volume) for volume in pair)


@pytest.fixture
def nodes(scene, result, sources):
    return outputs.add_outputs(scene, result, *sources)


@pytest.fixture
def views(scene):
    """Three slice views, as the application makes them for the usual layout."""
    logics = []
    for name in ("Red", "Green", "Yellow"):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLScene(scene)
        logic.AddSliceNode(name)
        logics.append(logic)
    yield [logic.GetSliceCompositeNode() for logic in logics]
    for logic in logics:
        logic.SetMRMLScene(None)


def test_sources_are_as_they_went_into_the_network(nodes, result, sources, scene) -> None:
    cache = Results()
    found = cache.of(nodes).pair
    assert found.fixed == pytest.approx(result.pair.fixed, abs=1e-6)
    # Fused in colour, the functional volume went in as the luminance of its colours.
    assert found.moving == pytest.approx(result.pair.moving, abs=1e-6)
    assert cache.of(nodes).pair is found
    scene.RemoveNode(sources[1])
    with pytest.raises(InputError, match="moving volume of Fixed"):
        cache.of(nodes)


def test_side_by_side_has_three_linked_views_with_one_cursor(scene, nodes, sources) -> None:
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    cursor = scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    names = ("WDualMineFixed", "WDualMineMoving", "WDualMineFused")
    logics = []
    for name in names:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLScene(scene)
        logic.AddSliceNode(name)
        logics.append(logic)
    Inspection(scene).side_by_side(nodes)
    assert layout.GetViewArrangement() == SIDE_BY_SIDE_LAYOUT
    description = layout.GetLayoutDescription(SIDE_BY_SIDE_LAYOUT)
    assert all(f'singletontag="{name}"' in description for name in names)
    assert cursor.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowSmallBasic
    composites = [logic.GetSliceCompositeNode() for logic in logics]
    shown = [composite.GetBackgroundVolumeID() for composite in composites]
    assert shown == [sources[0].GetID(), sources[1].GetID(), nodes.colour.GetID()]
    assert all(composite.GetHotLinkedControl() for composite in composites)
    for logic in logics:
        logic.SetMRMLScene(None)


def test_the_usual_layout_comes_back(scene, nodes, views) -> None:
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutFourUpView)
    inspection = Inspection(scene)
    inspection.side_by_side(nodes)
    inspection.checkerboard(nodes, 4)
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView
    inspection.usual(nodes, Layers.FUSED, 0.5)
    assert {view.GetBackgroundVolumeID() for view in views} == {nodes.colour.GetID()}
    assert scene.GetFirstNodeByName(COMPARISON) is None


def test_the_picture_of_a_checkerboard_alternates(scene, nodes, views) -> None:
    sources = Results().of(nodes).pair
    Inspection(scene).checkerboard(nodes, 3)
    node = scene.GetFirstNodeByName(COMPARISON)
    assert {view.GetBackgroundVolumeID() for view in views} == {node.GetID()}
    shown = array_of(node)
    of_fixed = shown == sources.fixed
    differ = sources.fixed != sources.moving
    share = of_fixed[differ].mean()
    assert 0.3 < share < 0.7, "about half of it is of either"
    with slice_renderer(scene) as renderer:
        picture = renderer.render(node, size=(120, 120))
    assert picture.max() > 200 and len(np.unique(picture)) > 10
    assert not node.GetSaveWithScene() and node.GetHideFromEditors()


def test_reveal_opens_from_the_left_of_the_screen(scene, nodes) -> None:
    """The fixed volume's block lies on another side than the moving one's."""
    sources = Results().of(nodes).pair
    inspection = Inspection(scene)
    inspection.reveal(nodes, 0.0)
    node = scene.GetFirstNodeByName(COMPARISON)
    assert np.array_equal(array_of(node), sources.moving)
    inspection.reveal(nodes, 0.5)
    # I grows to the patient's left, which is the screen's right.
    half = array_of(node).shape[2] // 2
    assert np.array_equal(array_of(node)[..., :half], sources.fixed[..., :half])
    assert np.array_equal(array_of(node)[..., half:], sources.moving[..., half:])


def test_a_map_covers_only_what_exceeds_its_threshold(scene, nodes, views) -> None:
    Inspection(scene).map_overlay(nodes, Map.ARBITRATION, 0.6, 1.0)
    (foreground,) = {view.GetForegroundVolumeID() for view in views}
    assert foreground == nodes.arbitration.GetID()
    with slice_renderer(scene) as renderer:
        picture = renderer.render(
            nodes.fused, foreground=nodes.arbitration, opacity=1.0, size=(100, 100)
        ).astype(int)
    coloured = np.ptp(picture, axis=2) > 15
    # The map falls with I, which runs to the screen's right.
    assert coloured[:, :25].mean() > 0.3 and not coloured[:, 75:].any()
    Inspection(scene).usual(nodes, Layers.FUSED, 0.5)
    assert not nodes.arbitration.GetDisplayNode().GetApplyThreshold()


def test_suspected_faults_have_the_hue_of_their_source(scene, nodes, views) -> None:
    """One overlay for both: cyan where the fixed one is doubted, magenta where the moving one is,
    and the fused volume as it is in between."""
    Inspection(scene).map_overlay(nodes, Map.RELIABILITY_FIXED, 0.9, 1.0)
    (foreground,) = {view.GetForegroundVolumeID() for view in views}
    assert foreground == nodes.reliability_fixed.GetID()
    assert not nodes.reliability_fixed.GetDisplayNode().GetApplyThreshold()
    with slice_renderer(scene) as renderer:
        plain, picture, mirrored = (
            renderer.render(nodes.fused, foreground=over, opacity=1.0, size=(100, 100)).astype(int)
            for over in (None, nodes.reliability_fixed, nodes.reliability_moving)
        )
    red, green, blue = np.moveaxis(picture, 2, 0)
    # The reliability of the fixed volume grows from 0 to 1 with I, to the screen's right.
    cyan, magenta = (green > red + 60) & (blue > red + 60), (red > green + 60) & (blue > green + 60)
    assert cyan[:, :25].mean() > 0.3 and not cyan[:, 50:].any()
    assert magenta[:, 75:].mean() > 0.3 and not magenta[:, :50].any()
    assert np.array_equal(picture[:, 47:53], plain[:, 47:53])
    assert np.abs(mirrored - picture).max() <= 2, "what the other half of the pair says is the same"


def test_what_an_earlier_version_coloured_takes_the_colours_of_now(scene, nodes) -> None:
    node = nodes.reliability_fixed
    old = slicer.vtkMRMLColorTableNode()
    old.SetTypeToUser()
    old.SetNumberOfColors(2)
    old.SetAttribute("WDualMine.ColourTable", "WDualMine reliability")
    scene.AddNode(old)
    node.GetDisplayNode().SetAndObserveColorNodeID(old.GetID())
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    legend.SetTitleText("Reliability\n1: trusted alone\n0: not trusted")
    legend.SetPosition(0.2, 0.5)
    Inspection(scene).map_overlay(nodes, Map.RELIABILITY_FIXED, 0.5, 1.0)
    assert node.GetDisplayNode().GetColorNode().GetName() == "WDualMine suspected faults"
    assert legend.GetTitleText().splitlines() == [
        "Suspected faults",
        "1: in moving",
        "0: fault in fixed",
    ]
    assert legend.GetPosition()[0] == 0.2


def test_colours_that_a_user_chose_stay(scene, nodes) -> None:
    display = nodes.reliability_fixed.GetDisplayNode()
    mine = scene.GetFirstNodeByName("Rainbow")
    display.SetAndObserveColorNodeID(mine.GetID())
    Inspection(scene).map_overlay(nodes, Map.RELIABILITY_FIXED, 0.5, 1.0)
    assert display.GetColorNode() is mine


def test_a_scene_that_chose_the_map_of_the_moving_volume_still_loads() -> None:
    assert Map["RELIABILITY_MOVING"] is Map.RELIABILITY_FIXED
    assert [each.label() for each in Map] == [
        "Suspected faults",
        "Arbitration",
        "Share of the fixed volume",
    ]


@pytest.mark.parametrize(("orientation", "axis"), [("Axial", 0), ("Coronal", 1), ("Sagittal", 2)])
def test_views_know_the_slice_that_they_lie_in(scene, pair, orientation, axis) -> None:
    straight = add_volume(scene, pair[0])
    straight.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation(orientation)
    middle = [n // 2 for n in straight.GetImageData().GetDimensions()]
    import vtk

    matrix = vtk.vtkMatrix4x4()
    straight.GetIJKToRASMatrix(matrix)
    view.JumpSliceByCentering(*matrix.MultiplyPoint((*middle, 1))[:3])
    assert slice_through(view, straight) == (axis, middle[2 - axis])
    view.JumpSliceByCentering(500, 500, 500)
    assert slice_through(view, straight) is None


def test_a_look_changes_fused_and_colour_but_no_map(scene, nodes, result) -> None:
    maps = [array_of(n).copy() for n in (nodes.reliability_fixed, nodes.arbitration)]
    look = Look(scene)
    outcome = Outcome(nodes, result)
    assert look.is_shown(outcome, 1.0, 0.985) and not look.is_shown(outcome, 1.0, 0.99)
    changed = finish(look.steps(outcome, 1.0, 0.9999))
    assert changed.result.settings.correlation_floor == 0.9999
    assert np.array_equal(array_of(nodes.fused), changed.result.fused.array)
    assert np.array_equal(array_of(nodes.colour), changed.result.colour.array)
    after = [array_of(n) for n in (nodes.reliability_fixed, nodes.arbitration)]
    assert all(np.array_equal(a, b) for a, b in zip(maps, after, strict=True))


def test_layers_are_the_same_in_every_view(scene, nodes, sources, views) -> None:
    inspection = Inspection(scene)
    layers = {
        Layers.FUSED: (nodes.colour, None),
        Layers.FUSED_ON_FIXED: (sources[0], nodes.colour),
        Layers.MOVING_ON_FIXED: sources,
    }
    for choice, (bottom, top) in layers.items():
        inspection.usual(nodes, choice, 0.3)
        assert {view.GetBackgroundVolumeID() for view in views} == {bottom.GetID()}
        assert {view.GetForegroundVolumeID() for view in views} == {top.GetID() if top else None}
        if top is not None:
            assert {view.GetForegroundOpacity() for view in views} == {0.3}


def test_a_look_needs_what_the_network_found(scene, nodes, result) -> None:
    look = Look(scene)
    assert "Apply first" in look.reason_not_possible(None)
    outcome = Outcome(nodes, result)
    assert look.reason_not_possible(outcome) == ""
    scene.RemoveNode(nodes.fused)
    assert "deleted" in look.reason_not_possible(outcome)


@pytest.fixture
def segmentation(scene, nodes):
    """One segment of 4 x 4 x 4 voxels, called "Left part"."""
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(nodes.fused)
    mask = np.zeros(array_of(nodes.fused).shape, np.uint8)
    mask[4:8, 4:8, 0:4] = 1
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    update_volume(labels, Volume(mask, geometry_of(nodes.fused)))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.ImportLabelmapToSegmentationNode(labels, segmentation)
    segmentation.GetSegmentation().GetNthSegment(0).SetName("Left part")
    return segmentation


@pytest.fixture
def box(scene, nodes):
    """A box that lies askew over one corner of the volume."""
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Lesion")
    roi.SetSize(16.0, 14.0, 12.0)
    turn = vtk.vtkTransform()
    turn.Translate(nodes.fused.GetOrigin())
    turn.RotateZ(25)
    turn.RotateX(40)
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(turn.GetMatrix())
    roi.SetAndObserveTransformNodeID(node.GetID())
    return roi


def test_reliability_in_segments(scene, nodes, segmentation) -> None:
    ((title, fixed, moving),) = Measures(scene).regions(nodes, segmentation, None)
    wanted = array_of(nodes.reliability_fixed)[4:8, 4:8, 0:4].mean()
    assert title == "Left part"
    assert fixed == pytest.approx(wanted, abs=1e-6) and fixed + moving == pytest.approx(1)


@pytest.mark.parametrize("inside_out", [False, True])
def test_reliability_in_a_box(scene, nodes, box, inside_out) -> None:
    """Voxel for voxel what the box itself says of its inside."""
    box.SetInsideOut(inside_out)
    mask = mask_of_box(box, nodes.fused)
    grid = ijk_to_ras(nodes.fused)
    asked = [box.IsPointInROIWorld((grid @ (i, j, k, 1))[:3]) for k, j, i in np.ndindex(mask.shape)]
    assert 20 < mask.sum() < mask.size - 20
    assert np.array_equal(mask.ravel(), asked)
    ((title, fixed, moving),) = Measures(scene).regions(nodes, None, box)
    assert title == "Lesion" and fixed + moving == pytest.approx(1)
    assert fixed == pytest.approx(array_of(nodes.reliability_fixed)[mask].mean(), abs=1e-6)


def test_regions_that_miss_the_volume_are_named(scene, nodes, segmentation, box) -> None:
    assert [row[0] for row in Measures(scene).regions(nodes, segmentation, box)] == [
        "Left part",
        "Lesion",
    ]
    box.SetAndObserveTransformNodeID(None)
    box.SetCenter(5000, 0, 0)
    with pytest.raises(InputError, match="Nothing of Lesion lies in the fused volume"):
        Measures(scene).regions(nodes, None, box)


def test_legends_say_what_the_colours_mean(nodes) -> None:
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(nodes.arbitration)
    assert legend.GetTitleText().splitlines() == [
        "Arbitration",
        "1: spatial",
        "0: frequency",
    ]
