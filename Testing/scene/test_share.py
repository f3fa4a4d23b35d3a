"""The map of shares in a scene: shown, kept with its look, and never that of another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from WDualMineLib.palettes import SHARE
from WDualMineLib.pipeline.result import assemble
from WDualMineLib.progress import finish

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.errors import InputError
from WDualMineLib.scene.application.choices import Map
from WDualMineLib.scene.application.scene_files import headless_scene, load_scene, save_scene
from WDualMineLib.scene.result import result_nodes as outputs
from WDualMineLib.scene.result.look import Look
from WDualMineLib.scene.result.recovery import Results, recover_steps
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of
from WDualMineLib.scene.result.workflow import Outcome
from WDualMineLib.scene.views.inspection import Inspection


@pytest.fixture
def sources(scene, pair):
    return tuple(add_volume(scene, volume) for volume in pair)


@pytest.fixture
def made(result):
    """The result with a residual, its derivatives, and hence a share."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.1, (3, *result.fused.array.shape)).astype(np.float32)
    network = replace(result.network, residual=noise[0], sensitivity=(noise[1], noise[2]))
    return assemble(result.pair, network, replace(result.settings, share=True))


@pytest.fixture
def nodes(scene, made, sources):
    return outputs.add_outputs(scene, made, *sources)


@pytest.fixture
def loaded(scene, nodes, tmp_path):
    save_scene(scene, tmp_path / "scene.mrb")
    with headless_scene() as other:
        load_scene(other, tmp_path / "scene.mrb")
        (found,) = outputs.results_in(other)
        yield other, found


def test_it_is_shown_with_its_own_colours_and_legend(scene, nodes, made) -> None:
    node = nodes.parts["share"]
    assert node.GetName() == "Fixed + Moving share of Fixed"
    assert np.array_equal(array_of(node), made.share.array)
    colours = node.GetDisplayNode().GetColorNode()
    rgba = [0.0] * 4
    for index in (0, 128, 255):
        colours.GetColor(index, rgba)
        assert np.round(np.array(rgba[:3]) * 255) == pytest.approx(SHARE[index])
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    assert legend.GetTitleText().splitlines() == ["Share", "1: fixed", "0: moving"]
    Inspection(scene).map_overlay(nodes, Map.SHARE, 0.9, 1.0)
    assert not node.GetDisplayNode().GetApplyThreshold()


def test_a_result_without_it_says_how_to_get_it(scene, result, sources) -> None:
    nodes = outputs.add_outputs(scene, result, *sources)
    assert "share" not in nodes.parts
    with pytest.raises(InputError, match="no map 'Share of the fixed volume'") as caught:
        Inspection(scene).map_overlay(nodes, Map.SHARE, 0.5, 1.0)
    assert "ask for it under Fusion" in caught.value.remedy


def test_a_new_look_of_this_session_brings_its_own(scene, nodes, made) -> None:
    changed = finish(Look(scene).steps(Outcome(nodes, made), 0.4, 0.99))
    assert np.array_equal(array_of(nodes.parts["share"]), made.with_look(0.4, 0.99).share.array)
    assert changed.nodes.parts["share"] is nodes.parts["share"]
    assert nodes.parts["share"].GetAttribute("WDualMine.strength") == "0.4"


def test_a_loaded_scene_keeps_that_of_its_look(loaded, made) -> None:
    _, nodes = loaded
    result = finish(recover_steps(nodes))
    assert result.settings.share
    assert np.array_equal(result.share.array, made.share.array)


def test_a_new_look_of_a_loaded_scene_removes_it_with_a_note(loaded) -> None:
    scene, nodes = loaded
    share = nodes.parts["share"]
    changed = finish(Look(scene).steps(Outcome(nodes, None), 0.4, 0.99))
    assert not scene.IsNodePresent(share) and "share" not in changed.nodes.parts
    assert any("was removed" in note for note in changed.result.notes)
    assert nodes.fused.GetAttribute("WDualMine.share") == "False"
    (again,) = outputs.results_in(scene)
    assert set(again.parts) == set(changed.nodes.parts)
    assert Results().of(again).share is None


def test_a_run_without_it_leaves_no_share_of_another_run(scene, nodes, result, sources) -> None:
    """The earlier map stays where it is, but is no part of the new result."""
    second = outputs.add_outputs(scene, result, *sources, targets=dict(nodes.parts))
    assert second.fused is nodes.fused and scene.IsNodePresent(nodes.parts["share"])
    (found,) = outputs.results_in(scene)
    assert "share" not in found.parts and "share" not in second.parts
    assert found.fused.GetAttribute("WDualMine.share") == "False"
