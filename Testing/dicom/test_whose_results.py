"""Whose volumes were fused, and under whose header a result may go out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from WDualMineLib.cli.main import main
from WDualMineLib.dicom.context import Patient
from WDualMineLib.dicom.identity import DifferentPatients
from WDualMineLib.errors import InputError, OutputError
from WDualMineLib.pipeline.alignment import register
from WDualMineLib.pipeline.folder import load, save
from WDualMineLib.pipeline.ownership import is_same, require_own_series
from WDualMineLib.pipeline.run import fuse
from WDualMineLib.pipeline.sources import read
from WDualMineLib.pipeline.to_dicom import export_dicom
from WDualMineLib.volumes.kept_inputs import refuse_overwriting
from WDualMineLib.volumes.writing import write_volume

pytestmark = pytest.mark.usefixtures("simple_network")

OTHER = {"PatientID": "P-99", "PatientName": "Meier^Anna", "PatientBirthDate": "19700101"}


@pytest.fixture
def series(synthetic, tmp_path: Path):
    """A series of random values, always on one grid, of one patient unless told otherwise."""

    def make(name: str, seed: int = 1, modality: str = "MR", **changes: object) -> Path:
        values = np.random.default_rng(seed).integers(0, 900, (4, 6, 5)).astype(np.int16)
        return synthetic(modality, seed=name, values=values, changes=changes).write(tmp_path / name)

    return make


# --- paired ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (OTHER, "patient ID, patient name, birth date differ"),
        ({"PatientBirthDate": "19560103"}, "birth date differ"),
        ({"PatientName": "Müller^Jörgen"}, "patient name differ"),
    ],
)
def test_two_patients_are_refused_wherever_they_meet(series, capsys, tmp_path, changes, words):
    fixed, moving = series("mr"), series("other", 2, **changes)
    with pytest.raises(DifferentPatients, match=words):
        fuse(fixed, moving)
    with pytest.raises(DifferentPatients, match=words):
        register(fixed, moving)
    for command in ("fuse", "register"):
        assert main([command, str(fixed), str(moving), "-o", str(tmp_path / "out")]) == 2
        said = capsys.readouterr().err
        assert words in said and "--different-patients" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "changes",
    [{"PatientName": "MÜLLER^JÜRGEN^^^"}, {"PatientBirthDate": ""}, {"PatientID": ""}],
)
def test_one_patient_written_in_two_ways_is_one(series, changes):
    assert not fuse(series("mr"), series("ct", 2, **changes)).record.different_patients


def test_two_patients_by_name_go_out_under_neither(series, tmp_path, capsys):
    fixed, moving = series("mr"), series("other", 2, **OTHER)
    result = fuse(fixed, moving, different_patients=True)
    assert any("of different patients" in note for note in result.notes)
    save(result, tmp_path / "out")
    for made in (result, load(tmp_path / "out")):
        with pytest.raises(InputError, match="made of two patients"):
            export_dicom(made, tmp_path / "x")
    words = ["dicom", "export", str(tmp_path / "out"), "-o", str(tmp_path / "x")]
    for more in ([], ["--fixed-series", str(fixed)], ["--patient-name", "A"]):
        assert main([*words, *more]) == 2
        assert "made of two patients" in capsys.readouterr().err
    words = ["fuse", str(fixed), str(moving), "-o", str(tmp_path / "z"), "--different-patients"]
    assert main([*words, "--dicom"]) == 2
    assert "under one of them" in capsys.readouterr().err
    assert not (tmp_path / "z").exists()


# --- exported ------------------------------------------------------------------------------------


@pytest.fixture
def folder(series, tmp_path) -> Path:
    return save(fuse(series("mr"), series("ct", 2, "CT")), tmp_path / "out")


def _export(folder: Path, *words: object) -> int:
    return main(["dicom", "export", str(folder), "-o", str(folder / "x"), *map(str, words)])


def test_the_record_keeps_whose_it_is(folder, tmp_path):
    told = json.loads((folder / "report.json").read_text())["fixed"]
    assert told["patient"]["patient_id"] == "P-17" and told["patient"]["name"] == "Müller^Jürgen"
    assert load(folder).record.fixed.patient == Patient(
        "P-17", "Müller^Jürgen", "19560102", "M", ""
    )
    assert (
        _export(folder, "--fixed-series", tmp_path / "mr", "--moving-series", tmp_path / "ct") == 0
    )
    assert pydicom.dcmread(folder / "x" / "fused" / "0001.dcm").PatientID == "P-17"


def test_another_patients_series_is_refused_even_with_equal_voxels(folder, series, capsys):
    twin = series("twin", 1, **OTHER)
    assert _export(folder, "--fixed-series", twin, "--same-patient") == 2
    assert "of another patient than the result" in capsys.readouterr().err
    assert _export(folder, "--moving-series", series("b", 2, "CT", **OTHER)) == 2
    assert "moving series is of another patient" in capsys.readouterr().err


def test_another_series_of_the_patient_is_refused(folder, series, capsys):
    assert _export(folder, "--fixed-series", series("later", 7)) == 2
    assert "not the one that was fused" in capsys.readouterr().err
    # The same voxels under another UID, as after a transfer, are the same.
    assert _export(folder, "--fixed-series", series("copy", 1)) == 0


def test_a_patient_typed_in_must_be_the_recorded_one(folder, capsys):
    assert _export(folder, "--patient-id", "P-99") == 2
    assert "another patient than the one given" in capsys.readouterr().err
    assert _export(folder, "--patient-id", "P-17", "--patient-name", "Müller^Jürgen") == 0


def test_files_without_identity_need_equal_voxels_or_a_word(series, tmp_path, capsys):
    dicom = read(series("mr"))
    plain = write_volume(dicom, tmp_path / "mr.nrrd")
    changed = write_volume(dicom.with_array(dicom.array + 1), tmp_path / "stripped.nrrd")
    moving = series("ct", 2, "CT")
    same = save(fuse(plain, moving), tmp_path / "a")
    assert _export(same, "--fixed-series", tmp_path / "mr") == 0
    other = save(fuse(changed, moving), tmp_path / "b")
    assert _export(other, "--fixed-series", tmp_path / "mr") == 2
    assert "--same-patient" in capsys.readouterr().err
    assert _export(other, "--fixed-series", tmp_path / "mr", "--same-patient") == 0


def test_slices_in_the_other_order_are_the_same(series):
    volume = read(series("mr"))
    record = fuse(volume, volume).record.fixed
    assert is_same(record, volume.with_array(volume.array[::-1]))
    require_own_series(record, volume, "fixed", vouched=False)


# --- nothing of the user's is overwritten --------------------------------------------------------


def test_an_output_that_is_an_input_is_refused_even_with_force(series, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    fixed = write_volume(read(series("mr")), out / "fused.nrrd")
    before = fixed.read_bytes()
    link = tmp_path / "link.nrrd"
    link.symlink_to(fixed)
    moving = series("ct", 2, "CT")
    for given in (fixed, link):
        assert main(["fuse", str(given), str(moving), "-o", str(out), "--force"]) == 2
        assert "one of the inputs" in capsys.readouterr().err
    moved = write_volume(read(moving), out / "moving_registered.nrrd")
    words = ["register", str(fixed), str(moved), "-o", str(out), "--force"]
    assert main(words) == 2 and "one of the inputs" in capsys.readouterr().err
    assert fixed.read_bytes() == before


def test_files_that_a_header_names_are_inputs_too(tmp_path):
    (tmp_path / "v.raw").write_bytes(bytes(4))
    (tmp_path / "v.nhdr").write_text(
        "NRRD0004\ntype: float\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: v.raw\n"
    )
    with pytest.raises(OutputError, match=r"v\.raw"):
        refuse_overwriting([tmp_path / "v.raw"], [tmp_path / "v.nhdr"])
    (tmp_path / "p.hdr").write_bytes(b"x")
    (tmp_path / "p.img").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"p\.img"):
        refuse_overwriting([tmp_path / "p.img"], [tmp_path / "p.hdr", None])
    refuse_overwriting([tmp_path / "new.raw", tmp_path / "p.img"], [tmp_path / "v.nhdr"])


def test_results_in_the_folder_of_a_source_are_told_apart(series, tmp_path):
    mr, ct = series("mr"), series("ct", 2, "CT")
    export_dicom(fuse(mr, ct), mr / "dicom")
    volume = read(mr)
    assert volume.context.series_description == "Synthetic MR"
    assert any("a result of WDualMine" in note for note in volume.notes)
    again = read(mr / "dicom" / "fused")
    assert "Fused" in again.context.series_description
