"""Which volumes are chosen when the module is opened."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.application.choices import COLOUR_OF_PAIR, WINDOWS_OF_PAIR, Pair
from WDualMineLib.scene.application.defaults import default_pair, guessed_modality
from WDualMineLib.scene.result.result_nodes import add_outputs, item_of
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of, modality_of
from WDualMineLib.volumes.volume import Volume

LEAN_LIMB = -80.0  # HU of fat, in too little of the volume to tell by itself


@pytest.fixture
def named(scene, pair):
    def add(name: str, modality: str = ""):
        return add_volume(scene, Volume(pair[0].array, pair[0].geometry, name, modality))

    return add


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("CTBrain", "CT"),
        ("MRBrainT1", "MR"),
        ("MRHead", "MR"),
        ("Simulated FDG-PET", "PT"),
        ("brain_spect", "NM"),
        ("3: T2 FLAIR", "MR"),
        ("Object", ""),
        ("Spectrum", ""),
    ],
)
def test_names_tell_the_modality_where_nothing_else_does(named, name, modality) -> None:
    assert guessed_modality(named(name)) == modality


def test_the_scene_is_believed_more_than_the_name(named) -> None:
    assert guessed_modality(named("CT of the head", "MR")) == "MR"


def test_the_modality_of_a_dicom_import_is_found_at_the_hierarchy(scene, named) -> None:
    import slicer

    node = named("Series 7")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    hierarchy.SetItemAttribute(item_of(hierarchy, node), "DICOM.Modality", "PT")
    assert modality_of(node) == "PT"


@pytest.mark.parametrize(
    ("names", "preset"),
    [
        (("CTBrain", "MRBrainT1", "MRBrainT2"), Pair.MR_CT_BRAIN),
        (("PET", "MR"), Pair.MR_PET),
        (("PET", "CT"), Pair.CT_PET),
        (("Other", "MR"), Pair.DISPLAY),
    ],
)
def test_what_shows_most_detail_is_fixed(scene, named, names, preset) -> None:
    for name in names:
        named(name)
    fixed, moving, suggested = default_pair(scene)
    assert suggested is preset
    if preset is Pair.MR_CT_BRAIN:
        assert (fixed.GetName(), moving.GetName()) == ("MRBrainT1", "CTBrain")


def test_one_modality_or_only_results_suggest_nothing(scene, named, result) -> None:
    assert default_pair(scene) is None
    first, second = named("MR 1"), named("MR 2")
    assert default_pair(scene) is None
    add_outputs(scene, result, first, second)
    assert default_pair(scene) is None


def test_every_preset_has_windows_and_functional_ones_colours() -> None:
    assert set(WINDOWS_OF_PAIR) == set(Pair)
    assert set(COLOUR_OF_PAIR) == {p for p in Pair if "PET" in p.name or "SPECT" in p.name}


@pytest.mark.parametrize(
    ("name", "preset"),
    [("CT thigh", Pair.MR_CT_SOFT), ("CT", Pair.MR_CT_SOFT), ("CT head", Pair.MR_CT_BRAIN)],
)
def test_only_a_head_gets_the_brain_window(scene, named, name, preset) -> None:
    """A thigh or a pelvis from 0 to 80 HU is white muscle and streaks."""
    named("MR")
    array_of(named(name))[:1] = LEAN_LIMB
    assert default_pair(scene)[2] is preset


def test_the_body_part_that_dicom_tells_is_asked_for(scene, named, monkeypatch) -> None:
    import slicer
    from WDualMineLib.scene.result.dicom_origin import INSTANCES

    told = {"1.2.3": "HEAD"}
    database = SimpleNamespace(
        isOpen=True, fileForInstance=lambda uid: uid, fileValue=lambda path, tag: told.get(path)
    )
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    named("MR")
    node = named("Series 4", "CT")
    array_of(node)[:1] = LEAN_LIMB
    assert default_pair(scene)[2] is Pair.MR_CT_SOFT
    node.SetAttribute(INSTANCES, "1.2.3 1.2.4")
    assert default_pair(scene)[2] is Pair.MR_CT_BRAIN
    told.clear()
    assert default_pair(scene)[2] is Pair.MR_CT_SOFT
