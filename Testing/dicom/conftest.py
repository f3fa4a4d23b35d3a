"""What the DICOM tests share: synthetic series, the shared data, and the tools from Debian."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from WDualMineLib.cli.main import main
from WDualMineLib.dicom import kinds
from WDualMineLib.dicom.context import SeriesContext
from WDualMineLib.dicom.export import ResultVolumes
from WDualMineLib.dicom.files import write_file
from WDualMineLib.pipeline.parts import MAPS
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

SHARED = Path(os.environ.get("WDUALMINE_SHARED", Path(__file__).parents[3] / "shared"))
CLASSES = {"CT": kinds.CT, "MR": kinds.MR, "PT": kinds.PET}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.fixture(scope="session")
def dicom_data() -> Path:
    """The folder of real series."""
    folder = SHARED / "data" / "dicom"
    if not folder.is_dir():
        pytest.skip(f"no DICOM data in {folder} (set WDUALMINE_SHARED to the folder that has it)")
    return folder


def require_tool(name: str, package: str) -> str:
    """The path of a program from Debian; without it a skip, on a build server a failure."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        reason = f"{name} is not installed (apt-get install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture
def needed_program() -> Callable[[str, str], str]:
    """:func:`require_tool`, for the test of it."""
    return require_tool


@pytest.fixture(scope="session")
def dciodvfy() -> Callable[[Path], list[str]]:
    """Checks one file against the standard; its error and warning lines."""
    program = require_tool("dciodvfy", "dicom3tools")

    def check(path: Path) -> list[str]:
        done = subprocess.run([program, "-new", str(path)], capture_output=True, text=True)
        lines = (done.stderr + done.stdout).splitlines()
        return [line for line in lines if line.startswith(("Error", "Warning"))]

    return check


@pytest.fixture(scope="session")
def orthanc_program() -> str:
    return require_tool("Orthanc", "orthanc")


@pytest.fixture(scope="session")
def openssl() -> str:
    return require_tool("openssl", "openssl")


@dataclass
class SyntheticSeries:
    """A series to be written: one file a slice, values 100 k + 10 row + column by default.

    ``changes`` go into every data set, ``slice_changes[k]`` into one; None deletes.
    """

    modality: str = "CT"
    shape: tuple[int, int] = (6, 5)
    positions: list[tuple[float, float, float]] = field(
        default_factory=lambda: [(10.0, -20.0, 30.0 + 2.5 * k) for k in range(4)]
    )
    orientation: tuple[float, ...] = AXIAL
    spacing: tuple[float, float] = (0.8, 0.5)
    """Between rows, between columns."""
    values: np.ndarray | None = None
    changes: dict[str, object] = field(default_factory=dict)
    slice_changes: dict[int, dict[str, object]] = field(default_factory=dict)
    seed: str = "series"

    def datasets(self) -> list[Dataset]:
        values = self.stored()
        return [self._dataset(k, values[k]) for k in range(len(self.positions))]

    def stored(self) -> np.ndarray:
        if self.values is not None:
            return self.values
        k, row, column = np.indices((len(self.positions), *self.shape))
        return (100 * k + 10 * row + column).astype(np.int16)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for k, dataset in enumerate(self.datasets()):
            write_file(dataset, folder / f"{k:03d}.dcm")
        return folder

    def _dataset(self, k: int, pixels: np.ndarray) -> Dataset:
        dataset = Dataset()
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.SOPClassUID = CLASSES[self.modality]
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[self.seed, str(k)])
        dataset.Modality = self.modality
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.PatientName, dataset.PatientID = "Müller^Jürgen", "P-17"
        dataset.PatientBirthDate, dataset.PatientSex = "19560102", "M"
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
        dataset.StudyDate, dataset.StudyTime = "20240229", "101112"
        dataset.StudyID, dataset.AccessionNumber = "S1", "A1"
        dataset.ReferringPhysicianName = "House^Gregory"
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[self.seed])
        dataset.SeriesNumber, dataset.SeriesDescription = 3, f"Synthetic {self.modality}"
        dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
        dataset.PositionReferenceIndicator = ""
        dataset.Manufacturer, dataset.ManufacturerModelName = "ACME", "Scan 1"
        dataset.BodyPartExamined, dataset.PatientPosition = "HEAD", "HFS"
        dataset.InstanceNumber = k + 1
        dataset.ImagePositionPatient = [f"{x:.10g}" for x in self.positions[k]]
        dataset.ImageOrientationPatient = [f"{x:.10g}" for x in self.orientation]
        dataset.PixelSpacing = [f"{x:.10g}" for x in self.spacing]
        dataset.SliceThickness = "2.5"
        dataset.Rows, dataset.Columns = self.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.PixelRepresentation = 1
        if self.modality != "MR":
            dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
        dataset.PixelData = np.ascontiguousarray(pixels, dtype="<i2").tobytes()
        dataset["PixelData"].VR = "OW"
        for keyword, value in {**self.changes, **self.slice_changes.get(k, {})}.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        return dataset


@pytest.fixture(scope="session")
def synthetic() -> type[SyntheticSeries]:
    return SyntheticSeries


@pytest.fixture(scope="session")
def make_result() -> Callable[..., ResultVolumes]:
    """A fusion result with all its parts, random but seeded, on a grid."""

    def make(geometry: Geometry, transform: sitk.Transform | None = None) -> ResultVolumes:
        generator = np.random.default_rng(7)
        shape = geometry.array_shape

        def scalar(name: str) -> Volume:
            values = generator.random(shape, dtype=np.float32)
            values[0, 0, 0], values[-1, -1, -1] = 0.0, 1.0
            return Volume(values, geometry, name)

        colour = generator.integers(0, 256, (*shape, 3), dtype=np.uint8)
        return ResultVolumes(
            fused=scalar("fused"),
            maps={p.series: scalar(p.name) for p in MAPS if not p.optional},
            colour=Volume(colour, geometry, "fused_colour"),
            transform=transform,
            settings={"strength": 1.0, "axis": "axial", "weights": "/home/jmueller/w.safetensors"},
        )

    return make


@pytest.fixture(scope="session")
def contexts(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[SeriesContext, SeriesContext]]:
    """The contexts of a synthetic CT (fixed) and MR (moving), by default of one patient."""
    from WDualMineLib.dicom.read import read_series

    def make(**moving_changes: object) -> tuple[SeriesContext, SeriesContext]:
        folder = tmp_path_factory.mktemp("sources")
        fixed = SyntheticSeries("CT").write(folder / "ct")
        moving = SyntheticSeries("MR", seed="moving", changes=moving_changes)
        return read_series(fixed).context, read_series(moving.write(folder / "mr")).context

    return make


@pytest.fixture(autouse=True)
def quiet_pydicom():
    """pydicom warns of the flaws that these files are here for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pydicom")
        warnings.filterwarnings("ignore", module="highdicom")
        yield


def read_all(folder: Path) -> list[pydicom.FileDataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]


@pytest.fixture(scope="session")
def all_objects() -> Callable[[Path], list[pydicom.FileDataset]]:
    """Every object in a folder."""
    return read_all


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A weights file of the shipped architecture, untrained."""
    import torch
    from WDualMineLib.network.model import DualMineNetwork
    from WDualMineLib.network.weights import save_weights

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    save_weights(DualMineNetwork(), path)
    return path


@dataclass
class Fuse:
    """Runs ``wdualmine fuse`` into ``out``."""

    out: Path
    weights: Path
    capsys: pytest.CaptureFixture

    def __call__(self, fixed: Path, moving: Path, *options: object) -> tuple[dict, str]:
        """It must succeed: report.json, and what was said on both streams."""
        code, out, err = self._run(fixed, moving, *options)
        assert code == 0, err
        return json.loads((self.out / "report.json").read_text()), out + err

    def refused(self, fixed: Path, moving: Path, *options: object) -> str:
        """It must fail with exit code 2 and one line, and leave everything as it was."""
        before = _state(self.out)
        code, out, err = self._run(fixed, moving, *options)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert _state(self.out) == before
        return err

    def _run(self, fixed: Path, moving: Path, *options: object) -> tuple[int, str, str]:
        words = ["fuse", fixed, moving, "-o", self.out, "--weights", self.weights]
        words += ["--device", "cpu", *options]
        self.capsys.readouterr()
        return main([str(word) for word in words]), *self.capsys.readouterr()


def _state(folder: Path) -> dict[str, bytes] | None:
    if not folder.exists():
        return None
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


@pytest.fixture
def fuse(tmp_path: Path, weights: Path, capsys) -> Fuse:
    return Fuse(tmp_path / "out", weights, capsys)
