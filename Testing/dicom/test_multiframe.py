"""Enhanced multi-frame and nuclear medicine objects, where one file holds many slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from WDualMineLib.dicom import kinds
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.read import read_series
from WDualMineLib.errors import InputError

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def _group(**macros: dict[str, object]) -> Dataset:
    group = Dataset()
    for name, elements in macros.items():
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        setattr(group, name, [item])
    return group


def _enhanced(synthetic, heights: list[float], slopes: list[float] | None = None) -> Dataset:
    """One enhanced MR object made of the slices of a single-frame series."""
    series = synthetic("MR", positions=[(1.0, 2.0, z) for z in heights])
    dataset = series.datasets()[0]
    dataset.SOPClassUID = ENHANCED_MR
    dataset.NumberOfFrames = len(heights)
    dataset.PixelData = series.stored().astype("<i2").tobytes()
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, keyword)
    dataset.SharedFunctionalGroupsSequence = [
        _group(
            PixelMeasuresSequence={"PixelSpacing": ["0.8", "0.5"], "SliceThickness": "2"},
            PlaneOrientationSequence={"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]},
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        _group(
            PlanePositionSequence={"ImagePositionPatient": ["1", "2", f"{z:g}"]},
            PixelValueTransformationSequence={
                "RescaleSlope": f"{(slopes or [1.0] * len(heights))[k]:g}",
                "RescaleIntercept": "0",
            },
        )
        for k, z in enumerate(heights)
    ]
    return dataset


def _read(dataset: Dataset, tmp_path: Path):
    write_file(dataset, tmp_path / "object.dcm")
    return read_series(tmp_path)


def test_enhanced_frames_are_placed_and_scaled_one_by_one(synthetic, tmp_path: Path) -> None:
    dataset = _enhanced(synthetic, [6.0, 0.0, 4.0, 2.0], slopes=[1.0, 2.0, 3.0, 4.0])
    read = _read(dataset, tmp_path)
    assert read.volume.geometry.size == (5, 6, 4)
    assert read.volume.geometry.spacing == (0.5, 0.8, 2.0)
    assert read.volume.geometry.origin == (1.0, 2.0, 0.0)
    # Frames 2, 4, 3, 1 from below; stored value of frame k is 100 k, times its slope.
    assert read.volume.array[:, 0, 0].tolist() == [200.0, 1200.0, 600.0, 0.0]
    assert [i.frame_number for i in read.context.instances] == [2, 4, 3, 1]
    assert len({i.sop_instance_uid for i in read.context.instances}) == 1


def test_enhanced_object_with_several_time_points_is_refused(synthetic, tmp_path: Path) -> None:
    dataset = _enhanced(synthetic, [0.0, 2.0, 0.0, 2.0])
    for k, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        content = Dataset()
        content.TemporalPositionIndex = 1 + k // 2
        content.FrameAcquisitionNumber = 1 + k // 2
        group.FrameContentSequence = [content]
    with pytest.raises(InputError, match=r"4 different images lie at 2 positions.*Temporal"):
        _read(dataset, tmp_path)


@pytest.mark.parametrize("frames", [3, 5, 0, 2**31 - 1])
def test_a_wrong_number_of_frames_is_refused(synthetic, tmp_path: Path, frames: int) -> None:
    dataset = _enhanced(synthetic, [0.0, 2.0, 4.0, 6.0])
    dataset.NumberOfFrames = frames
    with pytest.raises(InputError, match=r"object\.dcm"):
        _read(dataset, tmp_path)


def _nuclear(synthetic, spacing: str, image_type: list[str]) -> Dataset:
    series = synthetic("MR")
    dataset = series.datasets()[0]
    dataset.SOPClassUID, dataset.Modality = kinds.NUCLEAR_MEDICINE, "NM"
    dataset.ImageType = image_type
    dataset.NumberOfFrames = 4
    dataset.PixelData = series.stored().astype("<i2").tobytes()
    dataset.SpacingBetweenSlices = spacing
    detector = Dataset()
    detector.ImagePositionPatient = dataset.ImagePositionPatient
    detector.ImageOrientationPatient = dataset.ImageOrientationPatient
    dataset.DetectorInformationSequence = [detector]
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    dataset.FrameIncrementPointer = pydicom.tag.Tag(0x0054, 0x0080)
    dataset.SliceVector = [1, 2, 3, 4]
    return dataset


_TOMO = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]


@pytest.mark.parametrize(("spacing", "origin", "values"), [
    ("4.5", 30.0, [0, 100, 200, 300]),
    ("-4.5", 30.0 - 13.5, [300, 200, 100, 0]),
])  # fmt: skip
def test_reconstructed_nm_slices(synthetic, tmp_path: Path, spacing, origin, values) -> None:
    read = _read(_nuclear(synthetic, spacing, _TOMO), tmp_path)
    assert read.volume.modality == "NM"
    assert read.volume.geometry.origin == pytest.approx((10, -20, origin))
    assert read.volume.geometry.spacing == pytest.approx((0.5, 0.8, 4.5))
    assert read.volume.array[:, 0, 0].tolist() == values


def test_planar_nm_is_refused(synthetic, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"WHOLE BODY.*not a reconstructed tomogram"):
        _read(
            _nuclear(synthetic, "4.5", ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]), tmp_path
        )


def test_nm_without_spacing_is_refused(synthetic, tmp_path: Path) -> None:
    dataset = _nuclear(synthetic, "4.5", _TOMO)
    del dataset.SpacingBetweenSlices
    with pytest.raises(InputError, match="how far apart"):
        _read(dataset, tmp_path)


def test_float_pixels_are_read_exactly(synthetic, tmp_path: Path) -> None:
    dataset = _enhanced(synthetic, [0.0, 2.0])
    values = np.linspace(0, 1, 60, dtype="<f4").reshape(2, 6, 5)
    dataset.SOPClassUID = kinds.PARAMETRIC_MAP
    del dataset.PixelData
    dataset.FloatPixelData = values.tobytes()
    dataset.BitsAllocated = 32
    assert np.array_equal(_read(dataset, tmp_path).volume.array, values)
