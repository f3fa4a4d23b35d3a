"""Files cut short are found before the server hears of the first."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless
from WDualMineLib.cli import dicom as command
from WDualMineLib.cli.main import build_parser
from WDualMineLib.dicom.export import export_result
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.send import parse_server, send
from WDualMineLib.dicom.whole_objects import whole_objects
from WDualMineLib.errors import InputError, OutputError


@pytest.fixture
def exported(contexts, make_result, tmp_path: Path) -> Path:
    """All parts of a result: images, maps, a registration."""
    import SimpleITK as sitk

    fixed, moving = contexts()
    result = make_result(fixed.geometry, sitk.TranslationTransform(3, (1.0, 0.0, 0.0)))
    export_result(result, tmp_path / "x", fixed, moving)
    return tmp_path / "x"


def test_whole_files_of_every_part_are_taken(exported):
    found = list(whole_objects(exported))
    assert len(found) == 4 + 4 + 3 + 1
    assert all(not item.left_out for item in found)


@pytest.mark.parametrize(
    "part", ["fused/0002.dcm", "maps/arbitration.dcm", "registration/registration.dcm"]
)
@pytest.mark.parametrize("left", [0.0, 0.02, 0.3, 0.6, 0.97])
def test_a_file_cut_anywhere_is_named_before_anything_connects(exported, part, left):
    path = exported / part
    raw = path.read_bytes()
    path.write_bytes(raw[: int(left * len(raw))])
    nowhere = parse_server("NONE@127.0.0.1:9")
    with pytest.raises(InputError, match=path.name):
        send(exported, nowhere)


def test_a_file_cut_between_two_elements_is_found(synthetic, tmp_path):
    path = synthetic().write(tmp_path / "s") / "002.dcm"
    dataset = pydicom.dcmread(path)
    del dataset.PixelData
    write_file(dataset, path)
    with pytest.raises(InputError, match=r"002\.dcm.*no pixels"):
        list(whole_objects(tmp_path / "s"))


def test_compressed_frames_are_counted(synthetic, tmp_path):
    folder = synthetic().write(tmp_path / "s")
    dataset = pydicom.dcmread(folder / "000.dcm")
    dataset.NumberOfFrames = 3
    dataset.PixelData = encapsulate([b"ab", b"cd"])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    write_file(dataset, folder / "000.dcm", RLELossless)
    with pytest.raises(InputError, match="fewer pieces"):
        list(whole_objects(folder))


def test_what_is_not_dicom_is_told_or_refused(synthetic, tmp_path):
    folder = synthetic().write(tmp_path / "s")
    (folder / "readme.txt").write_text("hello")
    assert "readme.txt" in next(whole_objects(folder)).left_out[0]
    (folder / "half.dcm").write_bytes(b"DICM")
    with pytest.raises(InputError, match=r"half\.dcm is no DICOM file"):
        list(whole_objects(folder))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no DICOM files"):
        list(whole_objects(tmp_path / "empty"))


def test_a_whole_folder_gets_as_far_as_the_connection(synthetic, tmp_path):
    folder = synthetic().write(tmp_path / "s")
    with pytest.raises(OutputError, match="No connection"):
        send(folder, parse_server("NONE@127.0.0.1:9"))


def test_the_words_of_an_interrupt_are_true(tmp_path):
    words = ["dicom", "send", "x", "--to", "A@b:1"]
    assert "stay on the server" in command.stopped(build_parser("dicom").parse_args(words))
    words = ["dicom", "export", "x", "-o", "y"]
    assert "no partial files" in command.stopped(build_parser("dicom").parse_args(words))
