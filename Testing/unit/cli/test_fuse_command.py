"""``wdualmine fuse`` on volumes that it must take, and what it leaves on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from WDualMineLib.cli.fuse import seconds_of
from WDualMineLib.pipeline.folder import load
from WDualMineLib.pipeline.folder import save as save_result

OUTPUTS = [
    "arbitration.nrrd",
    "fused.nrrd",
    "overview.png",
    "reliability_fixed.nrrd",
    "reliability_moving.nrrd",
    "report.json",
]
SHARED = Path(
    os.environ.get("WDUALMINE_SHARED", Path(__file__).resolve().parents[3].parent / "shared")
)
TURN = Rotation.from_euler("zyx", (10, 25, -15), degrees=True).as_matrix()
SHEAR = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.35], [0.0, 0.0, 1.0]])
SHEAR = SHEAR / np.linalg.norm(SHEAR, axis=0)


@pytest.fixture
def fuse(run, weights, tmp_path):
    """Fuse into ``out`` with the untrained network; must succeed."""

    def fuse(fixed: Path, moving: Path, *options: object) -> tuple[dict, str]:
        out = tmp_path / "out"
        arguments = ("fuse", fixed, moving, "-o", out, "--weights", weights, "--device", "cpu")
        outcome = run(*arguments, *options)
        assert outcome.code == 0, outcome.err
        assert not list(tmp_path.rglob("*.partial*")) + list(tmp_path.rglob(".partial*"))
        return json.loads((out / "report.json").read_text()), outcome.out + outcome.err

    return fuse


def voxels(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_everything_is_written(fuse, save, tmp_path, weights, geometry_of):
    fixed, moving = save("ct.nrrd"), save("mr.nrrd", seed=1)
    report, out = fuse(fixed, moving)
    folder = tmp_path / "out"
    assert sorted(os.listdir(folder)) == OUTPUTS
    for name in OUTPUTS:
        assert name in out
    assert any(line.startswith("Look at") and "overview.png" in line for line in out.splitlines())
    for name in OUTPUTS:
        if name.endswith(".nrrd"):
            assert geometry_of(folder / name) == geometry_of(fixed)
            assert voxels(folder / name).dtype == np.float32
            assert 0 <= voxels(folder / name).min() <= voxels(folder / name).max() <= 1
    total = voxels(folder / "reliability_fixed.nrrd") + voxels(folder / "reliability_moving.nrrd")
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert report["fixed"]["sha256"] == hashlib.sha256(fixed.read_bytes()).hexdigest()
    assert report["weights"]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert report["fixed"]["geometry"]["size"] == [24, 20, 6]
    assert report["measures"]["cc_over_bound"] >= 0.985
    assert report["measures"]["mi"] > 0
    assert set(report["seconds"]) == {"reading", "registration", "fusion", "measuring", "writing"}
    assert report["settings"]["correlation_floor"] == 0.985
    assert report["libraries"]["SimpleITK"]


def test_with_the_share_of_the_fixed_volume(fuse, run, weights, save, tmp_path, geometry_of):
    fixed, moving = save("ct.nrrd"), save("mr.nrrd", seed=1)
    report, out = fuse(fixed, moving, "--share")
    folder = tmp_path / "out"
    assert sorted(os.listdir(folder)) == sorted([*OUTPUTS, "share_fixed.nrrd"])
    assert "share_fixed.nrrd" in out and report["settings"]["share"] is True
    share = voxels(folder / "share_fixed.nrrd")
    assert geometry_of(folder / "share_fixed.nrrd") == geometry_of(fixed)
    assert share.dtype == np.float32 and 0 <= share.min() < share.max() <= 1
    loaded = load(folder)
    assert loaded.settings.share and np.array_equal(loaded.share.array, share)
    assert load(save_result(loaded, tmp_path / "again")).record == loaded.record
    # It would pass for the share of the new result.
    arguments = ("fuse", fixed, moving, "-o", folder, "--weights", weights, "--force")
    outcome = run(*arguments)
    assert outcome.code == 2 and "share_fixed.nrrd, of another result" in outcome.err


def test_the_floor_holds_for_what_is_on_the_disk(fuse, save, tmp_path):
    fuse(save("ct.nrrd"), save("mr.nrrd", seed=1), "--correlation-floor", 0.998, "--strength", 2)
    image = sitk.ReadImage(str(tmp_path / "out" / "fused.nrrd"))
    fused = sitk.GetArrayFromImage(image).ravel()
    sources = []
    for role, name in (("fixed", "ct"), ("moving", "mr")):
        low, high = (float(image.GetMetaData(f"{role}_window_{end}")) for end in ("low", "high"))
        values = (voxels(tmp_path / f"{name}.nrrd") - np.float32(low)) / (high - low)
        sources.append(np.clip(values, 0, 1).ravel())
    correlations = np.corrcoef([fused, *sources])
    ratio = (correlations[0, 1] + correlations[0, 2]) / 2 / np.sqrt((1 + correlations[1, 2]) / 2)
    assert ratio >= 0.998 - 1e-6


def test_colour(fuse, save, tmp_path, geometry_of):
    fixed = save("t1.nrrd")
    fuse(fixed, save("pet.nrrd", seed=1), "--colour", "PET-Heat")
    colour = tmp_path / "out" / "fused_colour.nrrd"
    assert voxels(colour).shape == (6, 20, 24, 3)
    assert voxels(colour).dtype == np.uint8
    assert geometry_of(colour) == geometry_of(fixed)


def test_windows_are_taken_with_a_negative_end(fuse, save):
    report, _ = fuse(
        save("ct.nrrd"), save("mr.nrrd", seed=1), "--fixed-window", "-20,90.5",
        "--moving-window", "-.5,200",
    )  # fmt: skip
    assert [report["fixed"]["window"][end] for end in ("low", "high")] == [-20, 90.5]
    assert report["moving"]["window"]["low"] == -0.5


@pytest.mark.parametrize("direction", [SHEAR, TURN @ SHEAR, TURN * [1, 1, -1]])
def test_sheared_and_mirrored_grids(fuse, save, tmp_path, geometry_of, direction):
    fixed = save("fixed.nrrd", direction=direction)
    centre = direction @ (np.array([1.0, 1.25, 3.0]) * [11.5, 9.5, 2.5]) + [-11.5, -12.0, 8.0]
    moving = save(
        "moving.nrrd", seed=1, size=(30, 30, 20), spacing=(1.0, 1.0, 1.0),
        origin=tuple((centre - [14.5, 14.5, 9.5]).tolist()),
    )  # fmt: skip
    report, _ = fuse(fixed, moving, "--axis", "three-plane")
    assert geometry_of(tmp_path / "out" / "fused.nrrd") == geometry_of(fixed)
    assert any("resampled" in note for note in report["notes"])


@pytest.mark.parametrize("size", [(16, 16, 16), (24, 20, 1), (3, 2, 2), (1, 20, 24)])
def test_small_volumes(fuse, save, size, tmp_path):
    rng = np.random.default_rng(0)
    arrays = (rng.random(size[::-1], dtype=np.float32) for _ in range(2))
    fuse(*(save(f"{n}.nrrd", array) for n, array in enumerate(arrays)))
    assert voxels(tmp_path / "out" / "fused.nrrd").shape == size[::-1]


def test_the_time_that_is_told_is_that_of_all_stages(fuse, save):
    report, out = fuse(save("ct.nrrd"), save("mr.nrrd", seed=1))

    told = float(re.search(r"; ([\d.]+) s on cpu", out).group(1))
    stages = [v for k, v in report["measures"].items() if k.startswith("seconds_")]
    stages += report["seconds"].values()
    assert told == pytest.approx(sum(stages), abs=0.06)
    assert len(stages) > 3
    with_alignment = report | {"registration": {"seconds": {"aligning": 7.0}}}
    assert seconds_of(with_alignment) == pytest.approx(sum(stages) + 7)


def test_voxels_that_are_not_finite_are_replaced_and_reported(fuse, save, tmp_path):
    array = voxels(save("good.nrrd")).copy()
    array[2, 3, 4:6] = np.nan, np.inf
    report, out = fuse(save("bad.nrrd", array), save("mr.nrrd", seed=1))
    note = next(note for note in report["notes"] if "NaN" in note)
    assert "2 voxels of bad" in note and note in out
    assert np.isfinite(voxels(tmp_path / "out" / "fused.nrrd")).all()


def test_notes_of_reading_reach_the_user(fuse, save, tmp_path):
    image = sitk.ReadImage(str(save("plain.nrrd")))
    path = tmp_path / "tilt.nii"
    sitk.WriteImage(image, str(path))
    raw = bytearray(path.read_bytes())
    rows = np.frombuffer(raw, "<f4", 12, 280).reshape(3, 4).copy()
    rows[1, 2] = 0.9
    raw[280:328] = rows.tobytes()
    path.write_bytes(raw)
    report, out = fuse(path, save("mr.nrrd", seed=1))
    assert any("sheared" in note for note in report["notes"])
    assert "sheared" in out


def test_replaced_only_with_force(fuse, refused, save, tmp_path, weights):
    fixed, moving = save("ct.nrrd"), save("mr.nrrd", seed=1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("{}")
    message = refused("fuse", fixed, moving, "-o", out, "--weights", weights)
    assert "report.json" in message and "--force" in message
    assert os.listdir(out) == ["report.json"] and (out / "report.json").read_text() == "{}"
    fuse(fixed, moving, "--force")
    assert sorted(os.listdir(out)) == OUTPUTS


def test_two_runs_give_the_same_bytes(fuse, save, tmp_path):
    fixed, moving = save("ct.nrrd"), save("mr.nrrd", seed=1)
    fuse(fixed, moving)
    first = {p.name: p.read_bytes() for p in (tmp_path / "out").glob("*.nrrd")}
    fuse(fixed, moving, "--force")
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "out").glob("*.nrrd")}


def test_a_given_transform_is_applied_and_kept(fuse, save, tmp_path):
    fixed = save("ct.nrrd", size=(40, 40, 20), spacing=(2.0, 2.0, 3.0))
    moved = save(
        "moved.nrrd", voxels(fixed), spacing=(2.0, 2.0, 3.0), origin=(-11.5 + 20, -12.0, 8.0)
    )
    transform = sitk.TranslationTransform(3, (20.0, 0.0, 0.0))
    sitk.WriteTransform(transform, str(tmp_path / "shift.tfm"))
    report, _ = fuse(fixed, moved, "--registration", tmp_path / "shift.tfm")
    assert report["registration"]["verdict"] in ("good", "doubtful")
    kept = sitk.ReadTransform(str(tmp_path / "out" / "transform.tfm"))
    np.testing.assert_allclose(kept.TransformPoint((1.0, 2.0, 3.0)), (21.0, 2.0, 3.0), atol=1e-6)
    assert report["measures"]["cc_bound"] > 0.99


@pytest.mark.parametrize(
    "fixed,moving",
    [("OldNorm_T1.nii", "OldNorm_PET.nii"), ("OldNorm_SPECT.nii", "OldNorm_T1.nii")],
)
def test_real_volumes_keep_their_geometry_to_the_last_bit(
    fuse, tmp_path, geometry_of, fixed, moving
):
    folder = SHARED / "data" / "volumes" / "spm12"
    if not folder.is_dir():
        pytest.skip(f"no SPM templates in {folder} (set WDUALMINE_SHARED)")
    # Every third slice is enough here, and each is read, fused and written as the whole would be.
    small = [tmp_path / f"{name}.nrrd" for name in (fixed, moving)]
    for name, path in zip((fixed, moving), small, strict=True):
        image = sitk.ReadImage(str(folder / name), sitk.sitkFloat32)
        sitk.WriteImage(image[::2, ::2, ::6], str(path))
    fuse(*small)
    for name in OUTPUTS:
        if name.endswith(".nrrd"):
            assert geometry_of(tmp_path / "out" / name) == geometry_of(small[0])


def test_dicom_series_of_one_folder(fuse, refused, tmp_path, weights):
    from WDualMineLib.dicom.read import list_series

    folder = SHARED / "data" / "dicom" / "sts_008_ct_pt_mr"
    if not folder.is_dir():
        pytest.skip(f"no CT, PET and MR of one patient in {folder} (set WDUALMINE_SHARED)")
    message = refused("fuse", folder, folder, "-o", tmp_path / "out", "--weights", weights)
    assert "3 series" in message
    uids = {series.modality: series.uid for series in list_series(folder)}
    series = ("--fixed-series", uids["PT"], "--moving-series", uids["CT"])
    report, _ = fuse(folder, folder, *series, "--colour", "hot")
    assert [report[role]["modality"] for role in ("fixed", "moving")] == ["PT", "CT"]
    assert report["moving"]["window"]["units"] == "HU"
    assert voxels(tmp_path / "out" / "fused_colour.nrrd").shape[:3] == (51, 29, 30)
