"""``fuse --dicom --anonymise``: every byte of every file searched for every word of the source."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from WDualMineLib.cli.main import main
from WDualMineLib.dicom.files import write_file
from WDualMineLib.pipeline.anonymous import identifying_words, require_nameless_folder
from WDualMineLib.pipeline.sources import fingerprint, read, voxel_fingerprint

pytestmark = pytest.mark.usefixtures("simple_network")

WORDS = {
    "PatientName": "Zyxwalter^Quendoline",
    "PatientID": "QX-48151623",
    "PatientBirthDate": "19470311",
    "StudyDate": "20180704",
    "StudyTime": "134759",
    "SeriesDate": "20180704",
    "AcquisitionDate": "20180704",
    "ContentDate": "20180704",
    "AccessionNumber": "ACC77421",
    "StudyID": "STUDY9917",
    "StudyDescription": "Schaedel Vorstellung Zyxwalter",
    "SeriesDescription": "t1 Quendoline nativ",
    "ReferringPhysicianName": "Doktorowicz^Bolek",
    "PerformingPhysicianName": "Radiolski^Lolek",
    "OperatorsName": "Operowa^Aldona",
    "InstitutionName": "Klinikum Nirgendheim",
    "StationName": "STATION4711",
    "DeviceSerialNumber": "SER330099",
    "ProtocolName": "Protokoll Zyxwalter",
    "OtherPatientIDs": "OLD-556677",
    "PatientComments": "wohnt in Hinterposemuckel",
    "ImageComments": "Kommentar Quendoline",
    "IssuerOfPatientID": "NIRGENDHEIM-KIS",
    "BodyPartExamined": "HEAD",
}
# Words that say nothing of a person, and single ones that stand in our own sentences.
_HARMLESS = {"head", "nativ", "mr", "ct", "series", "study"}


@pytest.fixture
def sources(synthetic, tmp_path: Path) -> tuple[Path, Path]:
    """Two series of one patient whose files and folders are called after her, too."""
    folders = []
    for n, modality in enumerate(("MR", "CT")):
        values = np.random.default_rng(n).integers(0, 900, (4, 6, 5)).astype(np.int16)
        changes = WORDS | {"SeriesDescription": f"{modality} Quendoline nativ"}
        series = synthetic(modality, seed=modality, values=values, changes=changes)
        folder = tmp_path / "Zyxwalter_Q" / f"{modality}_Quendoline"
        folder.mkdir(parents=True)
        for k, dataset in enumerate(series.datasets()):
            block = dataset.private_block(0x0029, "ACME", create=True)
            block.add_new(1, "LO", "PRIVATE-ZYX-1")
            item = Dataset()
            item.PatientID = "QX-48151623"
            dataset.RequestAttributesSequence = [item]
            write_file(dataset, folder / f"Zyxwalter_{k}.dcm")
        (folder / "Notiz Zyxwalter.txt").write_text("remember")
        folders.append(folder)
    return tuple(folders)


def _needles(sources: tuple[Path, Path]) -> set[str]:
    words = {"PRIVATE-ZYX-1", "Notiz", "Zyxwalter_Q"}
    for value in WORDS.values():
        words |= {value, *value.replace("^", " ").split()}
    for folder in sources:
        words |= {folder.name, fingerprint(folder)}
        words.add(voxel_fingerprint(read(folder).array))
        for path in folder.glob("*.dcm"):
            dataset = pydicom.dcmread(path)
            words |= {
                str(e.value) for e in dataset.iterall() if e.VR == "UI" and "Class" not in e.name
            }
    words -= {str(pydicom.dcmread(next(sources[0].glob("*.dcm"))).SOPClassUID)}
    return {w for w in words if len(w) > 2 and w.lower() not in _HARMLESS}


def _readable(path: Path) -> bytes:
    """The bytes, and what is packed in them."""
    raw = path.read_bytes()
    unpacked = b""
    if path.suffix == ".nrrd":
        start = raw.index(b"\n\n") + 2
        unpacked = gzip.decompress(raw[start:])
    if path.suffix == ".png":
        text = Image.open(path).info
        unpacked = repr(text).encode()
        with_chunks = raw.split(b"IDAT")
        unpacked += b"".join(_inflated(chunk) for chunk in with_chunks[1:])
    return raw + unpacked


def _inflated(chunk: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(chunk)
    except zlib.error:
        return b""


def test_no_word_of_the_source_is_left_in_any_file_or_name(sources, tmp_path, monkeypatch):
    drawn = []
    from WDualMineLib.cli.pictures import page

    monkeypatch.setattr(page, "legible", lambda text: drawn.append(text) or text)
    out = tmp_path / "result"
    words = ["fuse", *map(str, sources), "-o", str(out), "--dicom", "--anonymise"]
    assert main([*words, "--colour", "PET-Heat"]) == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 12
    names = "\n".join(path.relative_to(out).as_posix() for path in out.rglob("*"))
    contents = {path.name: _readable(path) for path in files}
    for needle in _needles(sources):
        for form in (needle, needle.upper(), needle.lower()):
            assert form not in names
            assert not [text for text in drawn if form in text]
            for name, content in contents.items():
                assert form.encode() not in content, f"{form} in {name}"


def test_without_the_option_the_search_would_find_them(sources, tmp_path):
    out = tmp_path / "result"
    assert main(["fuse", *map(str, sources), "-o", str(out), "--dicom"]) == 0
    told = b"".join(_readable(path) for path in out.rglob("*") if path.is_file())
    found = {needle for needle in _needles(sources) if needle.encode() in told}
    assert {"QX-48151623", "MR_Quendoline", "19470311", "ACC77421"} <= found
    assert {fingerprint(folder) for folder in sources} <= found


def test_a_folder_called_after_the_patient_is_refused(sources, tmp_path, capsys):
    words = ["fuse", *map(str, sources), "--dicom", "--anonymise", "-o"]
    for name in ("zyxwalter-fused", "out QX-48151623", "Zyxwalter/deep"):
        assert main([*words, str(tmp_path / name)]) == 2
        assert "tells whose" in capsys.readouterr().err
        assert not (tmp_path / name).exists()


def test_identity_does_not_come_back(sources, tmp_path, capsys):
    out = tmp_path / "result"
    assert main(["fuse", *map(str, sources), "-o", str(out), "--dicom", "--anonymise"]) == 0
    export = ["dicom", "export", str(out), "-o", str(tmp_path / "x")]
    for more in ([], ["--fixed-series", str(sources[0])], ["--patient-name", "A^B"]):
        assert main([*export, *more]) == 2
        assert "identity was removed" in capsys.readouterr().err
    assert main([*export, "--anonymise"]) == 0


def test_words_of_a_file_are_its_name_and_folder(tmp_path, sources):
    volume = read(sources[0])
    words = identifying_words([volume])
    assert {"zyxwalter", "quendoline", "qx-48151623", "zyxwalter_0.dcm"} <= words
    assert not {"", "m", "mr"} & words
    require_nameless_folder(tmp_path / "plain", [volume])
