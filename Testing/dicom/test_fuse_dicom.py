"""``wdualmine fuse --dicom``: from two series to a folder that a PACS takes, or to nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.cli.main import main
from WDualMineLib.dicom.read import read_series
from WDualMineLib.dicom.series import object_names
from WDualMineLib.pipeline.parts import PARTS
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume

SLICES = 4
FILES = {
    "arbitration.nrrd",
    "dicom",
    "fused.nrrd",
    "overview.png",
    "reliability_fixed.nrrd",
    "reliability_moving.nrrd",
    "report.json",
}


@pytest.fixture
def fused_too_early(monkeypatch) -> None:
    """The work must not begin."""

    def begun(*_arguments: object, **_options: object) -> None:
        raise AssertionError("fusing began")

    monkeypatch.setattr("WDualMineLib.pipeline.job.align_steps", begun)
    monkeypatch.setattr("WDualMineLib.pipeline.job.fuse_aligned_steps", begun)


@pytest.fixture
def ct(synthetic, tmp_path: Path) -> Path:
    return synthetic().write(tmp_path / "ct")


@pytest.fixture
def make_mr(synthetic, tmp_path: Path) -> Callable[..., Path]:
    """An MR on the grid of the CT, of the same patient unless told otherwise."""
    values = np.random.default_rng(3).integers(0, 900, (SLICES, 6, 5)).astype(np.int16)

    def make(**changes: object) -> Path:
        series = synthetic("MR", seed="moving", values=values, changes=changes)
        return series.write(tmp_path / "mr")

    return make


@pytest.fixture
def nrrd(tmp_path: Path) -> Callable[[str, int], Path]:
    """An image file, on the grid of the synthetic series."""
    grid = Geometry((5, 6, 4), (0.5, 0.8, 2.5), (10, -20, 30), (1, 0, 0, 0, 1, 0, 0, 0, 1))

    def make(name: str, seed: int) -> Path:
        values = np.random.default_rng(seed).random(grid.array_shape, dtype=np.float32)
        return write_volume(Volume(values, grid), tmp_path / name)

    return make


def test_beside_the_other_files(fuse, ct: Path, make_mr, all_objects, dciodvfy) -> None:
    report, said = fuse(ct, make_mr(), "--dicom", "--colour", "PET-Heat")
    assert set(os.listdir(fuse.out)) == FILES | {"fused_colour.nrrd", "dicom"}
    folder = fuse.out / "dicom"
    written = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    there = [part.series for part in PARTS if not part.optional or part.name == "colour"]
    assert written == set(object_names(SLICES, there)), "nothing was registered"
    assert report["dicom"]["objects"] == len(written) == 4 + 4 + 3
    assert report["dicom"]["series"] == ["fused", "fused_colour", "maps"]
    assert "dicom/" in report["outputs"] and "dicom/" in said
    assert report["seconds"]["dicom"] >= 0
    objects = all_objects(folder)
    source = pydicom.dcmread(ct / "000.dcm")
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert {str(item[keyword].value) for item in objects} == {str(source[keyword].value)}
    for path in folder.rglob("*.dcm"):
        assert not [line for line in dciodvfy(path) if line.startswith("Error")], path


def test_says_the_same_as_the_volumes_do(fuse, ct: Path, make_mr) -> None:
    fuse(ct, make_mr(), "--dicom", "--strength", 1.5)
    fused = sitk.ReadImage(str(fuse.out / "fused.nrrd"))
    back = read_series(fuse.out / "dicom" / "fused").volume
    assert back.geometry.size == fused.GetSize()
    np.testing.assert_allclose(back.geometry.origin, fused.GetOrigin(), atol=1e-4)
    stored = np.rint(sitk.GetArrayFromImage(fused) * 65535.0)
    assert np.array_equal(np.rint(back.array * 65535.0), stored)
    first = pydicom.dcmread(fuse.out / "dicom" / "fused" / "0001.dcm")
    assert "strength=1.5" in first.DerivationDescription
    for name in ("reliability_fixed", "reliability_moving", "arbitration"):
        kept = sitk.GetArrayFromImage(sitk.ReadImage(str(fuse.out / f"{name}.nrrd")))
        path = fuse.out / "dicom" / "maps" / f"{name}.dcm"
        assert np.array_equal(read_series([path]).volume.array, kept)


def test_a_registration_goes_out_from_moving_to_fixed(fuse, synthetic, tmp_path: Path) -> None:
    positions = [(10.0, -20.0, 30.0 + 2.0 * k) for k in range(16)]
    k, j, i = np.indices((16, 24, 24))
    shape = np.hypot(np.hypot(i - 11.5, j - 11.5), (k - 7.5) * 1.4) < 9
    texture = 200 + 100 * np.sin(i / 2) * np.cos(j / 3) * np.sin(k / 2 + 1)
    head = np.where(shape, texture, 0).astype(np.int16)
    grid = {"shape": (24, 24), "spacing": (2.0, 2.0), "values": head}
    frames = {"ct": "1.2.826.0.1.3680043.8.498.1", "mr": "1.2.826.0.1.3680043.8.498.2"}
    series = {
        name: synthetic(
            "MR",
            seed=name,
            positions=[(x + shift, y, z) for x, y, z in positions],
            changes={"FrameOfReferenceUID": frames[name]},
            **grid,
        ).write(tmp_path / name)
        for name, shift in (("ct", 0.0), ("mr", 6.0))
    }
    moved = tmp_path / "shift.tfm"
    sitk.WriteTransform(sitk.TranslationTransform(3, (6.0, 0.0, 0.0)), str(moved))
    fuse(series["ct"], series["mr"], "--dicom", "--registration", moved)
    item = pydicom.dcmread(fuse.out / "dicom" / "registration" / "registration.dcm")
    assert item.FrameOfReferenceUID == frames["ct"]
    matrices = {
        each.FrameOfReferenceUID: np.array(
            each.MatrixRegistrationSequence[0]
            .MatrixSequence[0]
            .FrameOfReferenceTransformationMatrix,
            float,
        ).reshape(4, 4)
        for each in item.RegistrationSequence
    }
    np.testing.assert_allclose(matrices[frames["mr"]][:3, 3], (-6, 0, 0), atol=1e-6)


def test_only_the_fixed_volume_is_dicom(fuse, ct: Path, nrrd, all_objects) -> None:
    report, _ = fuse(ct, nrrd("mr.nrrd", 1), "--dicom")
    assert report["dicom"]["series"] == ["fused", "maps"]
    assert {item.PatientID for item in all_objects(fuse.out / "dicom")} == {"P-17"}


def test_nothing_is_dicom(fuse, nrrd, all_objects, dciodvfy) -> None:
    report, said = fuse(nrrd("ct.nrrd", 0), nrrd("mr.nrrd", 1), "--dicom", "--patient-id", "7")
    assert "PLACEHOLDER" in said
    assert any("PLACEHOLDER" in note for note in report["notes"])
    for item in all_objects(fuse.out / "dicom"):
        assert item.PatientID == "7" and "PLACEHOLDER" in str(item.PatientName)
    for path in (fuse.out / "dicom").rglob("*.dcm"):
        assert not [line for line in dciodvfy(path) if line.startswith("Error")], path


def test_nothing_of_the_moving_patient_goes_out(fuse, make_mr, nrrd) -> None:
    fuse(nrrd("ct.nrrd", 0), make_mr(), "--dicom")
    for path in (fuse.out / "dicom").rglob("*.dcm"):
        raw = path.read_bytes()
        for secret in ("P-17", "ller^J", "19560102", "House^Gregory", "Synthetic MR"):
            assert secret.encode() not in raw, path


def test_anonymised(fuse, ct: Path, make_mr, all_objects) -> None:
    report, _ = fuse(ct, make_mr(), "--dicom", "--anonymise")
    assert report["dicom"]["anonymised"] is True
    assert {item.PatientIdentityRemoved for item in all_objects(fuse.out / "dicom")} == {"YES"}


def test_two_patients_are_refused_before_any_work(fuse, ct: Path, make_mr, fused_too_early) -> None:
    message = fuse.refused(ct, make_mr(PatientID="P-99"), "--dicom")
    assert "patient ID differ" in message and "--different-patients" in message


def test_options_for_dicom_need_dicom(fuse, ct: Path, make_mr) -> None:
    message = fuse.refused(ct, make_mr(), "--anonymise", "--patient-id", "7")
    assert "--patient-id and --anonymise" in message and "Add --dicom" in message


def test_sheared_grids_are_refused_before_any_work(
    fuse, make_mr, tmp_path: Path, fused_too_early
) -> None:
    grid = Geometry((5, 6, 4), (1, 1, 1), (0, 0, 0), (1, 0, 0, 0, 1, 0.6, 0, 0, 0.8))
    values = np.random.default_rng(0).random(grid.array_shape, dtype=np.float32)
    path = write_volume(Volume(values, grid), tmp_path / "tilted.nrrd")
    assert "is sheared" in fuse.refused(path, make_mr(), "--dicom")


def test_replaced_only_with_force_and_never_mixed(
    fuse, ct: Path, make_mr, fused_too_early, monkeypatch
) -> None:
    mr = make_mr()
    (fuse.out / "dicom" / "fused").mkdir(parents=True)
    old = fuse.out / "dicom" / "fused" / "0001.dcm"
    old.write_bytes(b"old")
    message = fuse.refused(ct, mr, "--dicom")
    assert "0001.dcm exists already" in message and "--force" in message
    longer = old.with_name("0099.dcm")
    longer.write_bytes(b"older")
    message = fuse.refused(ct, mr, "--dicom", "--force")
    assert "0099.dcm" in message and "Move or remove" in message
    longer.unlink()
    monkeypatch.undo()
    fuse(ct, mr, "--dicom", "--force")
    assert pydicom.dcmread(old).PatientID == "P-17"


@pytest.mark.parametrize("remains", ["dicom", "fused_colour.nrrd", "transform.tfm"])
def test_nothing_of_an_earlier_run_passes_for_a_result_of_this_one(
    fuse, ct: Path, make_mr, tmp_path: Path, remains: str
) -> None:
    mr = make_mr()
    fuse(ct, mr, "--dicom", "--colour", "PET-Heat")
    sitk.WriteTransform(sitk.TranslationTransform(3), str(fuse.out / "transform.tfm"))
    for name in {"dicom", "fused_colour.nrrd", "transform.tfm"} - {remains}:
        (fuse.out / name).rename(tmp_path / name)
    message = fuse.refused(ct, mr, "--force")
    assert f"{fuse.out / remains}, of another result, would stay beside" in message
    assert "Move or remove it" in message
    (fuse.out / remains).rename(tmp_path / remains)
    fuse(ct, mr, "--force")
    assert set(os.listdir(fuse.out)) == FILES - {"dicom"}


def test_all_or_nothing(fuse, ct: Path, make_mr, monkeypatch) -> None:
    from WDualMineLib.dicom import files

    written = []

    def interrupted(dataset: pydicom.Dataset, path: Path) -> None:
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        files.write_file(dataset, path)

    monkeypatch.setattr("WDualMineLib.dicom.export.write_file", interrupted)
    message = fuse.refused(ct, make_mr(), "--dicom")
    assert "no room on the disk" in message and ".partial" not in message
    assert len(written) == 3
    assert not list(fuse.out.parent.rglob(".partial*"))


def test_which_option_chooses_one_of_several_series(
    fuse, synthetic, tmp_path: Path, capsys
) -> None:
    both = tmp_path / "both"
    synthetic().write(both / "ct")
    synthetic("MR", seed="moving").write(both / "mr")
    assert "Choose one with --fixed-series UID" in fuse.refused(both, both)
    uid = read_series(both / "ct").context.series_uid
    message = fuse.refused(both, both, "--fixed-series", uid)
    assert "Choose one with --moving-series UID" in message
    words = ["dicom", "export", str(tmp_path), "-o", str(tmp_path / "x")]
    assert main([*words, "--fixed-series", str(both)]) == 2
    assert "Choose one with --fixed-uid UID" in capsys.readouterr().err


def test_what_a_pet_window_is_in_suv(fuse, ct: Path, synthetic, tmp_path: Path) -> None:
    """70 kg and 350 MBq, corrected to the injection: SUV = Bq/ml * 70 000 / 350e6."""
    drug = pydicom.Dataset()
    drug.RadionuclideTotalDose = "350000000"
    changes = {
        "Units": "BQML",
        "DecayCorrection": "ADMIN",
        "PatientWeight": "70",
        "RadiopharmaceuticalInformationSequence": [drug],
        "RescaleSlope": "50",
        "RescaleIntercept": "0",
    }
    pet = synthetic("PT", seed="pet", changes=changes).write(tmp_path / "pet")
    report, said = fuse(ct, pet, "--moving-window", "0,10000", "--dicom")
    window = report["moving"]["window"]
    assert (window["units"], window["high"]) == ("BQML", 10000)
    assert window["suv_factor"] == pytest.approx(2e-4)
    assert report["fixed"]["window"]["suv_factor"] is None
    assert "0 to 1e+04 BQML (SUV 0 to 2)" in said
    fused = sitk.ReadImage(str(fuse.out / "fused.nrrd"))
    assert float(fused.GetMetaData("moving_suv_factor")) == pytest.approx(2e-4)
    assert "fixed_suv_factor" not in fused.GetMetaDataKeys()
