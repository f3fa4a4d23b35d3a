"""Whatever a user gives to ``wdualmine fuse``: one line, exit code 2, and no file."""

from __future__ import annotations

import os

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.cli.main import main


@pytest.fixture
def fuse_refused(refused, weights, tmp_path):
    """Fuse must fail, say every word, and leave the folder as it was."""

    def fuse_refused(fixed, moving, *options, words: tuple[str, ...]) -> None:
        before = sorted(tmp_path.rglob("*"))
        weight = () if "--weights" in options else ("--weights", weights)
        message = refused("fuse", fixed, moving, "-o", tmp_path / "out", *weight, *options)
        for word in words:
            assert word in message
        assert sorted(tmp_path.rglob("*")) == before

    return fuse_refused


@pytest.mark.parametrize("missing", ["fixed", "moving"])
def test_missing(fuse_refused, save, tmp_path, missing):
    there, absent = save("there.nrrd"), tmp_path / "absent.nii.gz"
    pair = (absent, there) if missing == "fixed" else (there, absent)
    fuse_refused(*pair, words=("absent.nii.gz", "does not exist"))


def test_unreadable(fuse_refused, save, monkeypatch):
    path = save("locked.nrrd")
    opened = type(path).open

    def denied(self, *args, **options):
        if self.name == "locked.nrrd":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **options)

    monkeypatch.setattr(type(path), "open", denied)
    fuse_refused(path, save("mr.nrrd"), words=("locked.nrrd", "permission denied"))


def test_not_an_image(fuse_refused, save, tmp_path):
    path = tmp_path / "letter.nii"
    path.write_text("Dear colleague")
    fuse_refused(path, save("mr.nrrd"), words=("letter.nii", "not an image", "NIfTI"))


def test_empty_and_truncated(fuse_refused, save, tmp_path):
    whole = save("whole.nii.gz")
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(whole.read_bytes()[:-200])
    fuse_refused(cut, save("mr.nrrd"), words=("cut.nii.gz", "cut short"))
    cut.write_bytes(b"")
    fuse_refused(save("ct.nrrd"), cut, words=("cut.nii.gz", "is empty"))


def test_libraries_add_no_lines_of_their_own(save, tmp_path, capfd):
    cut = tmp_path / "cut.mha"
    cut.write_bytes(save("whole.mha").read_bytes()[:-200])
    assert main(["fuse", str(cut), str(cut), "-o", str(tmp_path / "out")]) == 2
    message = capfd.readouterr().err
    assert "cut.mha" in message and "cut short" in message
    assert message.count("\n") == 1


def test_folder_without_images(fuse_refused, save, tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "readme.txt").write_text("nothing")
    fuse_refused(tmp_path / "documents", save("mr.nrrd"), words=("documents",))


def test_two_dimensional(fuse_refused, save, tmp_path):
    path = tmp_path / "slice.png"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((20, 24), np.uint8)), str(path))
    fuse_refused(path, save("mr.nrrd"), words=("slice.png", "2-D", "fuse-images"))


def test_four_dimensional(fuse_refused, save, tmp_path):
    path = tmp_path / "dynamic.nii"
    frames = [sitk.GetImageFromArray(np.zeros((5, 20, 24), np.float32))] * 3
    sitk.WriteImage(sitk.JoinSeries(frames), str(path))
    fuse_refused(save("ct.nrrd"), path, words=("dynamic.nii", "4-D", "Extract one"))


def test_colour_as_scalar(fuse_refused, save, tmp_path):
    path = tmp_path / "rgb.nrrd"
    rgb = sitk.GetImageFromArray(np.zeros((5, 20, 24, 3), np.uint8), isVector=True)
    sitk.WriteImage(rgb, str(path))
    fuse_refused(save("ct.nrrd"), path, words=("rgb.nrrd", "3 components", "scalar"))


def test_no_overlap(fuse_refused, save):
    far = save("far.nrrd", origin=(5000.0, 0.0, 0.0))
    fuse_refused(save("ct.nrrd"), far, words=("far", "overlap", "Register"))


def test_constant(fuse_refused, save):
    flat = save("flat.nrrd", np.full((6, 20, 24), 7, np.float32))
    fuse_refused(flat, save("mr.nrrd"), words=("flat", "constant", "7"))
    fuse_refused(save("ct.nrrd", seed=1), flat, words=("flat", "constant"))


def test_nothing_finite(fuse_refused, save):
    empty = save("empty.nrrd", np.full((6, 20, 24), np.nan, np.float32))
    fuse_refused(empty, save("mr.nrrd"), words=("empty", "NaN"))


@pytest.mark.parametrize(
    "option,value,words",
    [
        ("--fixed-window", "ct-brian", ("ct-brian", "ct-brain")),
        ("--moving-window", "80,0", ("80,0", "LO,HI")),
        ("--moving-window", "9000,9001", ("9000", "window")),
        ("--device", "gpu7", ("gpu7", "cpu")),
        ("--precision", "int8", ("int8", "float16")),
        ("--axis", "diagonal", ("diagonal", "coronal")),
        ("--strength", "7", ("7", "0 to 2")),
        ("--correlation-floor", "1", ("floor", "below 1")),
        ("--colour", "no-such-table", ("no-such-table", "PET-Heat")),
        ("--registration", "rigit", ("rigit", "does not exist")),
        ("--fixed-series", "1.2.3", ("ct.nrrd", "DICOM")),
    ],
)
def test_unknown_option_values(fuse_refused, save, option, value, words):
    pair = save("ct.nrrd"), save("mr.nrrd", seed=1)
    fuse_refused(*pair, option, value, words=words)


@pytest.mark.parametrize("kind", ["missing", "corrupt", "truncated", "mismatching", "pickle"])
def test_weights(fuse_refused, save, weights, tmp_path, kind):
    import torch

    path = tmp_path / "weights.pt"
    if kind == "corrupt":
        path.write_bytes(b"PK\x03\x04 these are no weights")
    elif kind == "truncated":
        path.write_bytes(weights.read_bytes()[:-500])
    elif kind == "mismatching":
        content = torch.load(weights, weights_only=True)
        content["state"].popitem()
        torch.save(content, path)
    elif kind == "pickle":
        torch.save({"format": 1, "config": {}, "state": os.getcwd}, path)
    pair = save("ct.nrrd"), save("mr.nrrd", seed=1)
    fuse_refused(*pair, "--weights", path, words=("weights.pt",))


def test_destination_is_a_file(fuse_refused, save, tmp_path):
    (tmp_path / "out").write_text("mine")
    fuse_refused(save("ct.nrrd"), save("mr.nrrd", seed=1), words=("out is a file",))


def test_no_room_on_the_disk(fuse_refused, save, little_room):
    pair = save("ct.nrrd", size=(40, 40, 8)), save("mr.nrrd", size=(40, 40, 8), seed=1)
    with little_room(20_000):
        fuse_refused(*pair, words=("no room on the disk", "out/", ".nrrd", "Free some space"))


def test_no_room_for_the_picture(fuse_refused, save, little_room):
    pair = save("ct.nrrd", size=(6, 6, 6)), save("mr.nrrd", size=(6, 6, 6), seed=1)
    with little_room(20_000):
        fuse_refused(*pair, words=("no room on the disk", "out/overview.png"))


@pytest.mark.parametrize(
    "stage",
    [
        "pipeline.job.fuse_aligned_steps",
        "cli.pictures.fusion_overview.write_overview",
        "pipeline.folder.write_report",
    ],
)
def test_interrupt_leaves_nothing(run, save, weights, tmp_path, monkeypatch, stage):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    pair = save("ct.nrrd"), save("mr.nrrd", seed=1)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(f"WDualMineLib.{stage}", interrupted)
    outcome = run("fuse", *pair, "-o", tmp_path / "a" / "out", "--weights", weights)
    assert outcome.code == 130
    assert "stopped" in outcome.err
    assert sorted(tmp_path.rglob("*")) == before
