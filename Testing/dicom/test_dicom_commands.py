"""``wdualmine dicom export`` on the folder that ``wdualmine fuse`` writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.cli.dicom_export import read_dicom
from WDualMineLib.cli.main import main
from WDualMineLib.dicom.export import ResultVolumes, export_result
from WDualMineLib.errors import InputError
from WDualMineLib.pipeline.folder import load
from WDualMineLib.pipeline.parts import BY_NAME
from WDualMineLib.pipeline.to_dicom import volumes_for_dicom
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.writing import write_volume

GRID = Geometry((5, 6, 4), (0.5, 0.8, 2.5), (10, -20, 30), (1, 0, 0, 0, 1, 0, 0, 0, 1))


@pytest.fixture
def result(make_result) -> ResultVolumes:
    moved = sitk.Euler3DTransform()
    moved.SetTranslation((1.0, 0.5, 0.25))
    return make_result(GRID, moved)


@pytest.fixture
def folder(result: ResultVolumes, tmp_path: Path) -> Path:
    """What `wdualmine fuse` leaves."""
    folder = tmp_path / "result"
    folder.mkdir()
    write_volume(result.fused, folder / "fused.nrrd")
    write_volume(result.colour, folder / "fused_colour.nrrd")
    for kind, volume in result.maps.items():
        write_volume(volume, folder / BY_NAME[kind.name].file)
    sitk.WriteTransform(result.transform, str(folder / "transform.tfm"))
    (folder / "report.json").write_text(json.dumps({"settings": {"strength": 1.5, "device": "x"}}))
    return folder


def test_the_folder_is_read_as_it_was_written(folder: Path, result: ResultVolumes) -> None:
    read = volumes_for_dicom(load(folder))
    assert np.array_equal(read.fused.array, result.fused.array)
    assert np.array_equal(read.colour.array, result.colour.array)
    assert read.colour.geometry == result.fused.geometry
    assert {k: v.array.tolist() for k, v in read.maps.items()} == {
        k: v.array.tolist() for k, v in result.maps.items()
    }
    assert read.transform.TransformPoint((0.0, 0.0, 0.0)) == (1.0, 0.5, 0.25)
    assert read.settings["strength"] == "1.5"


def test_only_the_fused_volume_must_be_there(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != "fused.nrrd":
            path.unlink()
    read = volumes_for_dicom(load(folder))
    assert (read.maps, read.colour, read.transform, read.settings) == ({}, None, None, {})


@pytest.mark.parametrize("name", ["fused_colour.nrrd", "transform.tfm", "report.json"])
def test_damaged_parts_are_named(folder: Path, name: str) -> None:
    (folder / name).write_text("nonsense")
    with pytest.raises(InputError, match=name):
        load(folder)


def test_export(folder: Path, synthetic, tmp_path: Path, capsys, all_objects) -> None:
    fixed = synthetic().write(tmp_path / "ct")
    moving = synthetic("MR", seed="moving").write(tmp_path / "mr")
    arguments = ["dicom", "export", str(folder), "--fixed-series", str(fixed)]
    # The folder tells nothing of its sources, as one of other origin may.
    arguments += ["--moving-series", str(moving), "-o", str(tmp_path / "out"), "--same-patient"]
    assert main(arguments) == 0
    assert "12 DICOM objects" in capsys.readouterr().out
    objects = all_objects(tmp_path / "out")
    assert {item.PatientID for item in objects} == {"P-17"}
    assert "strength=1.5" in objects[0].DerivationDescription
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0


def test_export_without_dicom_inputs(folder: Path, tmp_path: Path, capsys, all_objects) -> None:
    arguments = ["dicom", "export", str(folder), "-o", str(tmp_path / "out"), "--kind", "CT"]
    assert main([*arguments, "--patient-name", "Doe^Jane", "--patient-id", "7"]) == 0
    assert "PLACEHOLDER" in capsys.readouterr().err
    objects = all_objects(tmp_path / "out")
    assert {(str(item.PatientName), item.PatientID) for item in objects} == {("Doe^Jane", "7")}


def test_export_refuses_other_patients_and_wrong_folders(
    folder: Path, synthetic, tmp_path: Path, capsys
) -> None:
    fixed = synthetic().write(tmp_path / "ct")
    other = synthetic("MR", seed="m", changes={"PatientID": "P-99"}).write(tmp_path / "mr")
    arguments = ["dicom", "export", str(folder), "--fixed-series", str(fixed)]
    arguments += ["--moving-series", str(other), "-o", str(tmp_path / "out")]
    assert main(arguments) == 2
    refusal = capsys.readouterr().err
    assert "Nothing tells that the fixed series" in refusal and "add --same-patient" in refusal
    assert main([*arguments, "--same-patient"]) == 2
    assert "patient ID differ" in capsys.readouterr().err
    assert main(["dicom", "export", str(tmp_path), "-o", str(tmp_path / "x")]) == 2
    assert "holds no fused.nrrd" in capsys.readouterr().err


def test_contexts_of_what_is_dicom_and_what_is_not(folder: Path, synthetic, tmp_path) -> None:
    series = synthetic().write(tmp_path / "ct")
    assert read_dicom(series).modality == "CT"
    assert read_dicom(series / "001.dcm").modality == "CT"
    assert read_dicom(folder / "fused.nrrd") is None
    assert read_dicom(None) is None
    with pytest.raises(InputError, match="does not exist"):
        read_dicom(tmp_path / "nowhere")


def test_a_fusion_that_was_just_made(tmp_path: Path, all_objects) -> None:
    from WDualMineLib.fusion.settings import FusionSettings
    from WDualMineLib.fusion.slices import slicings
    from WDualMineLib.pipeline.look import NetworkOutput
    from WDualMineLib.pipeline.pair import prepare
    from WDualMineLib.pipeline.result import assemble
    from WDualMineLib.volumes.volume import Volume

    settings = FusionSettings(fixed_window=(0, 100), moving_window=(0, 100), colour="PET-Heat")
    values = np.random.default_rng(0).uniform(0, 100, (2, *GRID.array_shape)).astype(np.float32)
    pair = prepare(
        Volume(values[0], GRID, "MR", "MR"), Volume(values[1], GRID, "PET", "PT"), settings
    )
    zeros = np.zeros(GRID.array_shape, np.float32)
    network = NetworkOutput(zeros, zeros, zeros, slicings(GRID, "axial")[0])
    fusion = assemble(pair, network, settings)
    done = export_result(volumes_for_dicom(fusion), tmp_path / "out")
    assert len(done.files) == 4 + 4 + 3
    gray = all_objects(tmp_path / "out" / "fused")
    assert np.array_equal(gray[0].pixel_array, np.rint(fusion.fused.array[0] * 65535.0))
