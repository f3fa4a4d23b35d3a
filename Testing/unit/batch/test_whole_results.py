"""What a result was made of, and whether it is whole."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
from WDualMineLib.batch.fingerprints import recipe_of
from WDualMineLib.batch.study import Study
from WDualMineLib.batch.whole_results import (
    describe_inputs,
    is_of,
    is_whole,
    read_marker,
    result_folder,
    write_marker,
)


@pytest.fixture
def study(tmp_path) -> Study:
    """A study with a transform, its files of a few bytes."""
    paths = {name: tmp_path / f"{name}.nii" for name in ("fixed", "moving", "move")}
    for name, path in paths.items():
        path.write_bytes(name.encode() * 100)
    options = argparse.Namespace(
        fixed=paths["fixed"],
        moving=paths["moving"],
        registration=str(paths["move"]),
        output=tmp_path / "out" / "study",
        weights=None,
        strength=1.0,
    )
    return Study("row 2", "study", options, "recipe")


def marker_of(study: Study) -> dict:
    return {"recipe": study.recipe, "inputs": describe_inputs(study.inputs)}


def test_another_transform_is_another_result(study):
    marker = marker_of(study)
    assert is_of(marker, study.recipe, study.inputs)
    Path(study.options.registration).write_bytes(b"other")
    assert not is_of(marker, study.recipe, study.inputs)


def test_a_slice_more_is_another_input(study, tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    (folder / "1.dcm").write_bytes(b"one")
    study.options.fixed = folder
    marker = marker_of(study)
    (folder / "2.dcm").write_bytes(b"two")
    assert not is_of(marker, study.recipe, study.inputs)


def test_voxels_that_a_header_names_are_an_input(study, tmp_path):
    header = "ObjectType = Image\nNDims = 3\nDimSize = 1 1 1\nElementType = MET_UCHAR\n"
    (tmp_path / "v.mhd").write_text(f"{header}ElementDataFile = v.raw\n")
    (tmp_path / "v.raw").write_bytes(b"a")
    study.options.moving = tmp_path / "v.mhd"
    marker = marker_of(study)
    (tmp_path / "v.raw").write_bytes(b"bb")
    assert not is_of(marker, study.recipe, study.inputs)


def test_options_and_weights_decide_and_the_device_does_not(study, monkeypatch):
    options = study.options
    options.device = "cpu"
    recipe = recipe_of(options, {})
    options.device = "cuda"
    assert recipe_of(options, {}) == recipe
    options.strength = 0.5
    assert recipe_of(options, {}) != recipe
    options.strength = 1.0
    monkeypatch.setattr("WDualMineLib.batch.fingerprints.__version__", "9.9")
    assert recipe_of(options, {}) != recipe


@pytest.mark.parametrize("damage", ["none", "cut", "gone", "marker", "empty marker", "changed"])
def test_only_what_is_whole_counts(study, damage):
    folder = study.options.output
    with result_folder(folder) as new:
        new.mkdir()
        (new / "fused.nrrd").write_bytes(b"voxels")
        write_marker(new, marker_of(study), {})
    if damage == "cut":
        (folder / "fused.nrrd").write_bytes(b"vox")
    elif damage == "gone":
        (folder / "fused.nrrd").unlink()
    elif damage == "changed":
        (folder / "fused.nrrd").write_bytes(b"VOXELS")
    elif "marker" in damage:
        (folder / "study.json").write_text("" if damage == "marker" else json.dumps({}))
    marker = read_marker(folder)
    assert (marker is not None and is_whole(folder, marker)) is (damage in ("none", "changed"))
    if damage == "changed":
        assert not is_whole(folder, marker, verify=True)


def test_a_failure_leaves_what_was_there(study):
    folder = study.options.output
    folder.mkdir(parents=True)
    (folder / "old").write_text("old")
    with pytest.raises(RuntimeError), result_folder(folder) as new:
        new.mkdir()
        (new / "half").write_text("half")
        raise RuntimeError
    assert [p.name for p in folder.parent.rglob("*")] == ["study", "old"]
