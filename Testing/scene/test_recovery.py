"""A result of an earlier session: what it was made with, and its look without the network."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from WDualMineLib.errors import InputError
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.network.weights import weights_hash
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.result import assemble, record_of
from WDualMineLib.progress import finish
from WDualMineLib.version import __version__

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk
from WDualMineLib.scene.application.scene_files import headless_scene, load_scene, save_scene
from WDualMineLib.scene.result import result_nodes as outputs
from WDualMineLib.scene.result.look import Look
from WDualMineLib.scene.result.recovery import recover_steps
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of
from WDualMineLib.scene.result.workflow import Outcome

_TABLE = tuple((x, x * x, 0.25 * x) for x in np.linspace(0, 1, 7).tolist())


@pytest.fixture
def sources(scene, pair):
    fixed, moving = (add_volume(scene, volume) for volume in pair)
    fixed.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    moving.SetAttribute("DICOM.instanceUIDs", "5.6.7")
    return fixed, moving


@pytest.fixture(params=["PET-Heat", None, _TABLE], ids=["heat", "grey", "table"])
def made(request, result, pair):
    """A result with a residual that is not nothing, in each kind of colour."""
    settings = FusionSettings(
        (5.0, 95.0),
        "pet",
        strength=1.4,
        correlation_floor=0.97,
        colour=request.param,
        axis="coronal",
    )
    prepared = prepare(*pair, settings)
    residual = np.random.default_rng(1).normal(0, 0.1, prepared.fixed.shape).astype(np.float32)
    record = replace(record_of(prepared, settings), weights_sha256=weights_hash())
    return assemble(prepared, replace(result.network, residual=residual), settings, record)


@pytest.fixture
def loaded(scene, made, sources, tmp_path):
    """The result's nodes in another scene, read from a file."""
    outputs.add_outputs(scene, made, *sources)
    save_scene(scene, tmp_path / "scene.mrb")
    with headless_scene() as other:
        load_scene(other, tmp_path / "scene.mrb")
        (nodes,) = outputs.results_in(other)
        yield other, nodes


def test_a_saved_result_takes_every_look_without_the_network(loaded, made) -> None:
    scene, nodes = loaded
    look, outcome = Look(scene), Outcome(nodes, None)
    assert look.reason_not_possible(outcome) == ""
    assert look.is_shown(outcome, 1.4, 0.97) and not look.is_shown(outcome, 1.0, 0.97)
    changed = finish(look.steps(outcome, 0.6, 0.99))
    wanted = made.with_look(0.6, 0.99)
    assert array_of(nodes.fused) == pytest.approx(wanted.fused.array, abs=1e-4)
    assert changed.result.settings.strength == 0.6
    assert nodes.fused.GetAttribute("WDualMine.correlation_floor") == "0.99"
    if wanted.colour is not None:
        difference = array_of(nodes.colour).astype(int) - wanted.colour.array
        assert np.abs(difference).max() <= 1
    again = finish(look.recover_steps(Outcome(nodes, None)))
    assert again.result.settings.strength == 0.6


def test_sources_that_were_changed_meanwhile_are_noticed(loaded) -> None:
    _, nodes = loaded
    moving = nodes.fused.GetNodeReference(outputs.MOVING_ROLE)
    moving.SetOrigin(np.add(moving.GetOrigin(), (4.0, 0.0, 0.0)))
    before = array_of(nodes.fused).copy()
    with pytest.raises(InputError, match="are not what Fixed \\+ Moving fused was made of"):
        finish(recover_steps(nodes))
    assert np.array_equal(array_of(nodes.fused), before)


def test_a_transform_that_was_edited_since_does_not_matter(loaded, made) -> None:
    """The volumes were fused as they lay then; the result remembers how."""
    scene, nodes = loaded
    nodes.fused.SetAttribute("WDualMine.MovingToFixed", json.dumps(np.eye(4).tolist()))
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 25.0)
    transform.SetMatrixTransformToParent(matrix)
    nodes.fused.GetNodeReference(outputs.MOVING_ROLE).SetAndObserveTransformNodeID(
        transform.GetID()
    )
    assert finish(recover_steps(nodes)).fused.array == pytest.approx(made.fused.array, abs=1e-4)


def test_what_is_missing_is_named(loaded) -> None:
    scene, nodes = loaded
    look = Look(scene)
    moving = nodes.fused.GetNodeReference(outputs.MOVING_ROLE)
    scene.RemoveNode(moving)
    assert "moving volume is not in the scene" in look.reason_not_possible(Outcome(nodes, None))
    scene.RemoveNode(nodes.residual)
    (without,) = outputs.results_in(scene)
    assert without.residual is None
    assert "Apply again" in look.reason_not_possible(Outcome(without, None))
    with pytest.raises(InputError, match="moving volume of Fixed \\+ Moving fused is not in"):
        finish(recover_steps(without))


def test_the_residual_stays_out_of_sight_and_goes_with_the_fused_volume(loaded) -> None:
    scene, nodes = loaded
    assert nodes.residual.GetHideFromEditors() and nodes.residual not in nodes.all()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.RemoveItem(hierarchy.GetItemByDataNode(nodes.fused))
    assert nodes.fused.GetScene() is None and nodes.residual.GetScene() is None


def test_every_output_carries_what_it_was_made_of(loaded, made) -> None:
    """References to the inputs, their DICOM instances, settings, version, and weights."""
    _, nodes = loaded
    for node in nodes.all():
        for role, name, uids in (
            (outputs.FIXED_ROLE, "Fixed", "1.2.3 1.2.4"), (outputs.MOVING_ROLE, "Moving", "5.6.7"),
        ):  # fmt: skip
            source = node.GetNodeReference(role)
            assert source.GetName() == name and source.GetID() == node.GetNodeReferenceID(role)
            assert node.GetAttribute(f"{role}.instanceUIDs") == uids
        told = {n: node.GetAttribute(f"WDualMine.{n}") for n in (
            "Version", "Weights", "axis", "strength", "correlation_floor", "fixed_window",
            "moving_window")}  # fmt: skip
        assert told == {
            "Version": __version__, "Weights": f"sha256:{weights_hash()}", "axis": "coronal",
            "strength": "1.4", "correlation_floor": "0.97", "fixed_window": "explicit",
            "moving_window": "pet"}  # fmt: skip
        assert float(node.GetAttribute("WDualMine.fixed_window_high")) == 95.0
    kept = outputs.record_in(nodes.fused).settings
    assert kept == replace(made.settings, device=kept.device, precision=kept.precision)
