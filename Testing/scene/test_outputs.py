"""A result in the scene: named, windowed, coloured, filed, traceable; the same after a reload."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.palettes import ARBITRATION, SUSPICION, SUSPICION_OF_MOVING

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.application.scene_files import headless_scene, load_scene, save_scene
from WDualMineLib.scene.result import result_nodes as outputs
from WDualMineLib.scene.result.result_nodes import item_of
from WDualMineLib.scene.result.volume_nodes import add_volume, volume_of


@pytest.fixture
def sources(scene, pair):
    """The two inputs, the fixed one in a study of a patient."""
    fixed, moving = (add_volume(scene, volume) for volume in pair)
    fixed.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    study = hierarchy.CreateStudyItem(patient, "Study")
    hierarchy.SetItemParent(item_of(hierarchy, fixed), study)
    return fixed, moving


@pytest.fixture
def nodes(scene, result, sources) -> outputs.FusionNodes:
    return outputs.add_outputs(scene, result, *sources)


def table_of(node) -> np.ndarray:
    colours = node.GetDisplayNode().GetColorNode()
    rgba = [0.0] * 4
    rows = []
    for index in range(colours.GetNumberOfColors()):
        colours.GetColor(index, rgba)
        rows.append(tuple(rgba))
    return np.round(np.array(rows) * 255)


def assert_complete(scene, result) -> None:
    """Everything that is promised of a result in a scene, whether fresh or loaded."""
    for name, volume, table in (
        ("Fixed + Moving fused", result.fused, None),
        ("Fixed + Moving reliability of Fixed", result.reliability_fixed, SUSPICION),
        ("Fixed + Moving reliability of Moving", result.reliability_moving, SUSPICION_OF_MOVING),
        ("Fixed + Moving arbitration", result.arbitration, ARBITRATION),
    ):
        node = scene.GetFirstNodeByName(name)
        assert node is not None, f"{name} is not in the scene"
        assert np.array_equal(volume_of(node).array, volume.array)
        assert np.allclose(volume_of(node).geometry.ijk_to_lps, volume.geometry.ijk_to_lps)
        display = node.GetDisplayNode()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 1.0)
        assert not display.GetAutoWindowLevel()
        if table is not None:
            assert np.array_equal(table_of(node)[:, : table.shape[1]], table)
        assert node.GetNodeReference(outputs.FIXED_ROLE).GetName() == "Fixed"
        assert node.GetNodeReference(outputs.MOVING_ROLE).GetName() == "Moving"
        assert node.GetAttribute("WDualMine.correlation_floor") == "0.985"
        assert node.GetAttribute("WDualMine.fixed_window_high") == "100.0"
        assert node.GetAttribute("WDualMine.FixedVolume.instanceUIDs") == "1.2.3 1.2.4"
    colour = scene.GetFirstNodeByName("Fixed + Moving fused in colour")
    assert np.array_equal(volume_of(colour).array, result.colour.array)


def test_a_result_is_named_shown_and_traceable(scene, nodes, result) -> None:
    assert_complete(scene, result)
    assert len(nodes.all()) == 5


def test_it_lies_beside_the_fixed_volume_in_its_study(scene, nodes, sources) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folders = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(n)) for n in nodes.all()}
    (folder,) = folders
    assert hierarchy.GetItemName(folder) == "Fixed + Moving fusion"
    study = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(sources[0]))
    assert hierarchy.GetItemParent(folder) == study
    assert hierarchy.GetItemName(study) == "Study"


def test_a_second_result_shares_the_tables_of_the_first(scene, nodes, result, sources) -> None:
    second = outputs.add_outputs(scene, result, *sources)
    for name in ("reliability_fixed", "reliability_moving", "arbitration"):
        one, other = (each.parts[name].GetDisplayNode() for each in (nodes, second))
        assert one.GetColorNodeID() == other.GetColorNodeID()
    assert second.fused.GetName() != nodes.fused.GetName()


def test_a_failure_leaves_the_scene_as_it_was(scene, result, sources, monkeypatch) -> None:
    before = scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(outputs, "place_beside", fail)
    with pytest.raises(MemoryError):
        outputs.add_outputs(scene, result, *sources)
    assert scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode") == before
    assert not scene.IsBatchProcessing()


def test_it_survives_saving_and_loading(scene, nodes, result, tmp_path: Path) -> None:
    save_scene(scene, tmp_path / "scene.mrb")
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]
    with headless_scene() as loaded:
        load_scene(loaded, tmp_path / "scene.mrb")
        assert_complete(loaded, result)
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(loaded)
        item = hierarchy.GetItemByDataNode(loaded.GetFirstNodeByName("Fixed + Moving fused"))
        assert hierarchy.GetItemName(hierarchy.GetItemParent(item)) == "Fixed + Moving fusion"


def test_relative_paths_are_taken(scene, nodes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_scene(scene, Path("scene.mrb"))
    with headless_scene() as loaded:
        load_scene(loaded, Path("scene.mrb"))
        (found,) = outputs.results_in(loaded)
    assert found.colour is not None


def test_a_file_that_is_no_scene_is_refused(scene, tmp_path: Path) -> None:
    here = Path.cwd()
    (tmp_path / "scene.mrb").write_bytes(b"no archive")
    for name in ("scene.mrb", "absent.mrb"):
        with pytest.raises(InputError, match=name):
            load_scene(scene, tmp_path / name)
    assert Path.cwd() == here


def test_a_folder_that_cannot_be_written_is_named(scene, nodes, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="absent"):
        save_scene(scene, tmp_path / "absent" / "scene.mrb")
