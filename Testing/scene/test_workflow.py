"""Whole runs on a real scene: what they leave there, and that failures leave nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.errors import InputError, RegistrationFailed, WDualMineError
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.progress import finish
from WDualMineLib.registration.registration_result import RegistrationResult, Verdict
from WDualMineLib.registration.registration_settings import RegistrationSettings
from WDualMineLib.volumes.volume import Volume

from .conftest import GEOMETRY

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.application.choices import Registration
from WDualMineLib.scene.result import workflow
from WDualMineLib.scene.result.node_placement import to_world
from WDualMineLib.scene.result.requests import SceneRequest
from WDualMineLib.scene.result.volume_nodes import add_volume, volume_of

# What these tests look at does not depend on skill.
pytestmark = pytest.mark.usefixtures("simple_network")


@pytest.fixture
def settings() -> FusionSettings:
    return FusionSettings((0.0, 100.0), (0.0, 100.0), device="cpu")


@pytest.fixture
def sources(scene, pair):
    return tuple(add_volume(scene, volume) for volume in pair)


@pytest.fixture
def found(monkeypatch):
    """Registrations find a shift of 5 mm; returns a way to say with which verdict."""

    def find(verdict: Verdict) -> None:
        def steps(fixed: Volume, moving: Volume, settings: RegistrationSettings):
            if False:
                yield
            transform = sitk.Euler3DTransform()
            transform.SetTranslation((5.0, 0.0, 0.0))
            return RegistrationResult(
                transform, moving, verdict, ["two starts disagree"], 1.0, 0.1, 0.2, {}, settings
            )

        monkeypatch.setattr("WDualMineLib.registration.api.register_steps", steps)

    return find


def nodes_in(scene) -> set[str]:
    return {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}


def run(scene, request: SceneRequest) -> workflow.Outcome:
    return finish(workflow.FusionWorkflow(scene).steps(request))


def test_a_run_leaves_fused_volume_and_maps(scene, sources, settings) -> None:
    outcome = run(scene, SceneRequest(*sources, settings))
    fused = volume_of(outcome.nodes.fused)
    assert fused.geometry == GEOMETRY and fused.array.dtype == np.float32
    assert np.array_equal(fused.array, outcome.result.fused.array)
    assert 0 <= fused.array.min() < fused.array.max() <= 1
    total = (
        volume_of(outcome.nodes.reliability_fixed).array
        + volume_of(outcome.nodes.reliability_moving).array
    )
    assert total == pytest.approx(1, abs=1e-5)
    assert outcome.nodes.fused.GetAttribute("WDualMine.Weights").startswith("sha256:")


@pytest.mark.parametrize(
    ("modality", "window", "heat"),
    [
        ("PT", (0.0, 100.0), True),
        ("", "pet", True),
        ("NM", (5.0, 90.0), True),
        ("CT", (0.0, 100.0), False),
    ],
)
def test_sources_are_shown_as_they_were_fused(
    scene, sources, settings, modality, window, heat
) -> None:
    """In the same window, and uptake in a table of its own, whether or not a header says it."""
    fixed, moving = sources
    moving.SetAttribute("DICOM.Modality", modality)
    grey = fixed.GetDisplayNode().GetColorNodeID()
    settings = replace(settings, moving_window=window)
    result = run(scene, SceneRequest(fixed, moving, settings)).result
    for node, used in ((fixed, result.pair.fixed_window), (moving, result.pair.moving_window)):
        display = node.GetDisplayNode()
        shown = display.GetWindowLevelMin(), display.GetWindowLevelMax()
        assert shown == pytest.approx((used.low, used.high)) and not display.GetAutoWindowLevel()
    assert fixed.GetDisplayNode().GetColorNodeID() == grey
    table = moving.GetDisplayNode().GetColorNode()
    assert (table.GetName() == "WDualMine PET heat") == heat
    if window == "pet":
        assert result.pair.moving_window.low == 0, "uptake is shown from 0"


def test_applying_again_on_the_same_outputs_updates_them(scene, sources, settings) -> None:
    first = run(scene, SceneRequest(*sources, settings)).nodes
    first.fused.SetName("My fusion")
    before, voxels = nodes_in(scene), volume_of(first.fused).array
    targets = {
        "fused": first.fused,
        "reliability_fixed": first.reliability_fixed,
        "reliability_moving": first.reliability_moving,
        "arbitration": first.arbitration,
    }
    softer = replace(settings, strength=0.0)
    again = run(scene, SceneRequest(*sources, softer, targets=targets)).nodes
    assert again == first and nodes_in(scene) == before
    assert first.fused.GetName() == "My fusion"
    assert not np.array_equal(volume_of(first.fused).array, voxels)
    assert first.fused.GetAttribute("WDualMine.strength") == "0.0"


def test_the_moving_volume_observes_a_good_alignment(scene, sources, settings, found) -> None:
    found(Verdict.GOOD)
    fixed, moving = sources
    outcome = run(scene, SceneRequest(fixed, moving, settings, Registration.RIGID))
    assert moving.GetParentTransformNode() is outcome.transform
    assert outcome.transform.GetName() == "Moving to Fixed"
    # From fixed to moving points by +5 mm: the moving volume is moved by -5 mm.
    assert to_world(moving)[:3, 3] == pytest.approx([-5, 0, 0])
    assert outcome.nodes.fused.GetParentTransformNode() is None
    again = run(scene, SceneRequest(fixed, moving, settings, Registration.RIGID))
    assert again.transform is outcome.transform
    assert to_world(moving)[:3, 3] == pytest.approx([-5, 0, 0]), "not added up"


def test_a_doubtful_alignment_is_shown_but_not_fused(scene, sources, settings, found) -> None:
    found(Verdict.DOUBTFUL)
    fixed, moving = sources
    user = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "By hand")
    moving.SetAndObserveTransformNodeID(user.GetID())
    before = nodes_in(scene)
    flow = workflow.FusionWorkflow(scene)
    outcome = finish(flow.steps(SceneRequest(fixed, moving, settings, Registration.RIGID)))
    assert outcome.nodes is None and moving.GetParentTransformNode() is outcome.transform
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == 2
    flow.discard(outcome)
    assert nodes_in(scene) == before and moving.GetParentTransformNode() is user


def test_discarding_puts_no_other_transform_in_the_place_of_one_that_is_gone(
    scene, sources, settings, found
) -> None:
    found(Verdict.DOUBTFUL)
    fixed, moving = sources
    user = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "By hand")
    moving.SetAndObserveTransformNodeID(user.GetID())
    flow = workflow.FusionWorkflow(scene)
    outcome = finish(flow.steps(SceneRequest(fixed, moving, settings, Registration.RIGID)))
    taken = user.GetID()
    scene.RemoveNode(user)
    other = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(other)
    flow.discard(outcome)
    assert moving.GetParentTransformNode() is None, f"{taken} is {other.GetID()} now"
    assert moving.GetTransformNodeID() is None


def test_a_failed_alignment_leaves_the_scene_as_it_was(scene, sources, settings, found) -> None:
    found(Verdict.FAILED)
    before = nodes_in(scene)
    with pytest.raises(RegistrationFailed, match="two starts disagree"):
        run(scene, SceneRequest(*sources, settings, Registration.RIGID))
    assert nodes_in(scene) == before and sources[1].GetParentTransformNode() is None


@pytest.mark.parametrize("which", ["fixed", "moving"])
def test_transforms_of_the_inputs_count(scene, pair, sources, settings, which) -> None:
    """A volume that was moved away and put back by a transform fuses as if it had never moved."""
    straight = run(scene, SceneRequest(*sources, settings)).result
    fixed, moving = sources
    node = {"fixed": fixed, "moving": moving}[which]
    shift = np.array([30.0, -20.0, 10.0])
    for other in sources:
        if other is not node:
            other.SetOrigin(np.array(other.GetOrigin()) + shift)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(
        transform, np.block([[np.eye(3), shift[:, None]], [np.zeros(3), 1]])
    )
    node.SetAndObserveTransformNodeID(transform.GetID())
    outcome = run(scene, SceneRequest(fixed, moving, settings))
    assert outcome.result.fused.array == pytest.approx(straight.fused.array, abs=1e-4)
    assert outcome.nodes.fused.GetTransformNodeID() == fixed.GetTransformNodeID()


def test_an_existing_transform_is_used_and_observed(scene, sources, settings) -> None:
    fixed, moving = sources
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Mine")
    run(scene, SceneRequest(fixed, moving, settings, Registration.TRANSFORM, transform))
    assert moving.GetParentTransformNode() is transform


def test_cancelling_leaves_the_scene_as_it_was(scene, sources, settings) -> None:
    before = nodes_in(scene)
    steps = workflow.FusionWorkflow(scene).steps(SceneRequest(*sources, settings))
    next(steps)
    steps.close()
    assert nodes_in(scene) == before


def test_a_volume_deleted_during_the_run_is_named(scene, sources, settings) -> None:
    steps = workflow.FusionWorkflow(scene).steps(SceneRequest(*sources, settings))
    next(steps)
    scene.RemoveNode(sources[1])
    before = nodes_in(scene)
    with pytest.raises(InputError, match="moving volume Moving was deleted"):
        finish(steps)
    assert nodes_in(scene) == before


def bad_requests(scene, fixed, moving, settings):
    """(request, what the message must say)."""
    label = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Labels")
    colour = add_volume(
        scene, Volume(np.zeros((*GEOMETRY.array_shape, 3), np.uint8), GEOMETRY, "Picture")
    )
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty")
    bent = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Bent")
    far = add_volume(scene, volume_of(moving))
    far.SetName("Far")
    far.SetOrigin(5000, 0, 0)
    gone = add_volume(scene, volume_of(moving))
    gone.SetName("Gone")
    scene.RemoveNode(gone)
    lost = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Lost")
    scene.RemoveNode(lost)
    return [
        (SceneRequest(fixed, gone, settings), "Gone is not in the scene any more"),
        (SceneRequest(fixed, moving, settings, Registration.TRANSFORM, lost), "No transform"),
        (SceneRequest(None, moving), "No fixed volume"),
        (SceneRequest(fixed, None), "No moving volume"),
        (SceneRequest(fixed, fixed), "both the fixed and the moving"),
        (SceneRequest(label, moving), "label map"),
        (SceneRequest(fixed, colour), "3 values a voxel"),
        (SceneRequest(fixed, empty), "holds no voxels"),
        (SceneRequest(fixed, far, settings), "does not overlap"),
        (SceneRequest(fixed, moving, targets={"fused": moving}), "also an input"),
        (
            SceneRequest(fixed, moving, targets={"fused": empty, "arbitration": empty}),
            "also another output",
        ),
        (SceneRequest(fixed, moving, settings, Registration.TRANSFORM), "No transform is chosen"),
        (SceneRequest(fixed, moving, settings, Registration.TRANSFORM, bent), "not linear"),
    ]


def test_bad_input_is_refused_in_words_and_leaves_no_trace(scene, sources, settings) -> None:
    cases = bad_requests(scene, *sources, settings)
    before = nodes_in(scene)
    for request, words in cases:
        with pytest.raises(WDualMineError, match=words):
            run(scene, request)
        assert nodes_in(scene) == before, words
