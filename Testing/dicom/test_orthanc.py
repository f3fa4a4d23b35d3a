"""Round trip through a real Orthanc: what comes back is what was sent, to the last byte."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.cli.main import main
from WDualMineLib.dicom.export import export_result
from WDualMineLib.dicom.read import read_series
from WDualMineLib.dicom.send import parse_server, send
from WDualMineLib.errors import OutputError

_START_SECONDS = 60


@dataclass(frozen=True)
class Orthanc:
    """A running server, known to take objects of WDUALMINE from this machine only."""

    http: int
    dicom: int

    @property
    def address(self) -> str:
        return f"ORTHANC@127.0.0.1:{self.dicom}"

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=20) as answer:
            return answer.read()

    def instances(self) -> list[pydicom.Dataset]:
        found = json.loads(self.get("/instances"))
        return [pydicom.dcmread(BytesIO(self.get(f"/instances/{i}/file"))) for i in found]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def orthanc(orthanc_program: str, tmp_path_factory) -> Iterator[Orthanc]:
    folder = tmp_path_factory.mktemp("orthanc")
    server = Orthanc(_free_port(), _free_port())
    settings = {
        "Name": "WDualMine test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [],
        "HttpPort": server.http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": server.dicom,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": {"sender": ["WDUALMINE", "127.0.0.1", _free_port()]},
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen(
            [orthanc_program, str(configuration)], stdout=log, stderr=log, cwd=folder
        )
    try:
        _wait(server, process, folder / "orthanc.log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Orthanc, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            server.get("/system")
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"Orthanc did not answer in {_START_SECONDS} s: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def stored(orthanc, contexts, make_result, tmp_path_factory):
    """A result exported, sent, and fetched back: (sent, fetched) by SOP instance UID, result."""
    fixed, moving = contexts()
    moved = sitk.Euler3DTransform()
    moved.SetTranslation((0.5, 0.25, 1.0))
    result = make_result(fixed.geometry, moved)
    folder = tmp_path_factory.mktemp("sent") / "out"
    done = export_result(result, folder, fixed, moving)
    report = send(folder, parse_server(orthanc.address))
    assert (report.count, report.notes) == (len(done.files), [])
    sent = {item.SOPInstanceUID: item for item in map(pydicom.dcmread, done.files)}
    fetched = {item.SOPInstanceUID: item for item in orthanc.instances()}
    return sent, fetched, result


def test_every_object_comes_back(stored) -> None:
    sent, fetched, _ = stored
    assert set(fetched) == set(sent) and len(sent) == 12


def test_every_element_comes_back(stored) -> None:
    sent, fetched, _ = stored
    for uid, item in sent.items():
        assert pydicom.Dataset(fetched[uid]) == pydicom.Dataset(item)
        assert fetched[uid].file_meta.TransferSyntaxUID == item.file_meta.TransferSyntaxUID


def test_pixels_and_positions_come_back(stored, tmp_path: Path) -> None:
    _, fetched, result = stored
    for item in fetched.values():
        if item.Modality == "CT":
            item.save_as(tmp_path / f"{item.InstanceNumber}.dcm")
    volume = read_series(tmp_path).volume
    geometry = result.fused.geometry
    assert np.abs(volume.geometry.corners() - geometry.corners()).max() < 1e-4
    assert np.abs(volume.array - result.fused.array).max() <= 1 / 65535
    for item in fetched.values():
        if item.SOPClassUID.name == "Parametric Map Storage":
            path = tmp_path / f"{item.ContentLabel}.dcm"
            item.save_as(path)
            read = read_series([path]).volume.array
            assert any(np.array_equal(read, expected.array) for expected in result.maps.values())


@pytest.mark.parametrize(
    ("fixed", "moving", "count"),
    [
        ("sts_008_ct_pt_mr/PET", "sts_008_ct_pt_mr/CT", 51 * 2 + 3),
        ("d2n_philips_enhanced_anatomical_001", "d2n_siemens_anatomical_001", 8 * 2 + 3),
    ],
)
def test_results_of_real_series_come_back(
    orthanc, dicom_data: Path, make_result, tmp_path: Path, fixed: str, moving: str, count: int
) -> None:
    contexts = [read_series(dicom_data / name).context for name in (fixed, moving)]
    result = make_result(contexts[0].geometry)
    done = export_result(result, tmp_path / "out", *contexts)
    assert send(tmp_path / "out", parse_server(orthanc.address)).count == len(done.files) == count
    fetched = {item.SOPInstanceUID: item for item in orthanc.instances()}
    for path, uid in zip(done.files, done.instances, strict=True):
        assert pydicom.Dataset(fetched[uid]) == pydicom.Dataset(pydicom.dcmread(path))


def test_orthanc_files_them_under_the_fixed_study(orthanc, stored) -> None:
    studies = json.loads(orthanc.get("/studies?expand"))
    (study,) = [s for s in studies if s["PatientMainDicomTags"]["PatientID"] == "P-17"]
    assert study["PatientMainDicomTags"]["PatientName"] == "Müller^Jürgen"
    assert study["MainDicomTags"]["AccessionNumber"] == "A1"
    assert len(study["Series"]) == 6


def test_the_command(orthanc, make_result, contexts, tmp_path: Path, capsys) -> None:
    fixed, _ = contexts()
    export_result(make_result(fixed.geometry), tmp_path / "out", fixed)
    assert main(["dicom", "send", str(tmp_path / "out"), "--to", orthanc.address]) == 0
    assert "ORTHANC has all 11 objects" in capsys.readouterr().out


def test_a_sender_that_orthanc_does_not_know(orthanc, make_result, contexts, tmp_path) -> None:
    fixed, _ = contexts()
    export_result(make_result(fixed.geometry), tmp_path / "out", fixed)
    before = len(json.loads(orthanc.get("/instances")))
    with pytest.raises(OutputError, match="ORTHANC"):
        send(tmp_path / "out", parse_server(orthanc.address, own_title="STRANGER"))
    assert len(json.loads(orthanc.get("/instances"))) == before


def test_a_title_that_is_not_orthancs(orthanc, make_result, contexts, tmp_path) -> None:
    fixed, _ = contexts()
    export_result(make_result(fixed.geometry), tmp_path / "out", fixed)
    wrong = f"OTHER@127.0.0.1:{orthanc.dicom}"
    with pytest.raises(OutputError, match="refused the association: called ae title"):
        send(tmp_path / "out", parse_server(wrong))
