"""Stored values to real ones: padding, inverted display, compression, mappings with units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless
from WDualMineLib.dicom import kinds
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.padding import Padding, integer_padding
from WDualMineLib.dicom.read import read_series
from WDualMineLib.dicom.real_world import mapping_of
from WDualMineLib.errors import InputError

VALUES = np.random.default_rng(4).integers(0, 900, (4, 6, 5)).astype(np.int16)


def _with(dataset: Dataset, tag: int, vr: str, value: object) -> None:
    dataset.add_new(tag, vr, value)


def _written(series, folder: Path, edit) -> Path:
    folder.mkdir(parents=True)
    for k, dataset in enumerate(series.datasets()):
        edit(dataset)
        write_file(dataset, folder / f"{k}.dcm", dataset.get("syntax", "1.2.840.10008.1.2.1"))
    return folder


# --- padding ----------------------------------------------------------------------------------


def _padded(value: int, limit: int | None = None, signed: bool = True):
    def edit(dataset: Dataset) -> None:
        dataset.PixelRepresentation = int(signed)
        vr = "SS" if signed else "US"
        _with(dataset, 0x00280120, vr, value)
        if limit is not None:
            _with(dataset, 0x00280121, vr, limit)

    return edit


@pytest.mark.parametrize(("value", "limit"), [(-2000, None), (32767, None), (-2000, -1500)])
def test_padding_is_outside_and_counts_as_the_lowest_value(synthetic, tmp_path, value, limit):
    values = VALUES.copy()
    values[:, :2] = value if limit is None else (value + limit) // 2
    series = synthetic("MR", values=values)
    volume = read_series(_written(series, tmp_path / "s", _padded(value, limit))).volume
    assert (volume.array[:, :2] == VALUES[:, 2:].min()).all()
    assert np.array_equal(volume.array[:, 2:], VALUES[:, 2:])
    assert any("33 % of the voxels are outside" in note for note in volume.notes)


def test_padding_is_gone_before_a_tilt_is_interpolated(synthetic, tmp_path):
    values = VALUES + 500
    values[:, :, 0] = -30000
    tilt = (1.0, 0.0, 0.0, 0.0, 0.94, -0.341174)
    series = synthetic("MR", values=values.astype(np.int16), orientation=tilt)
    read = read_series(_written(series, tmp_path / "s", _padded(-30000)))
    assert read.resampled
    assert read.volume.array.min() >= 500


def test_padding_written_in_the_other_sign_is_known():
    header = Dataset()
    _with(header, 0x00280120, "US", 63536)
    assert integer_padding(header, 16, signed=True) == Padding(-2000, -2000)
    header = Dataset()
    _with(header, 0x00280120, "SS", -2000)
    assert integer_padding(header, 16, signed=False) == Padding(63536, 63536)


def test_nothing_but_padding_is_refused(synthetic, tmp_path):
    series = synthetic("MR", values=np.full((4, 6, 5), 7, np.int16))
    with pytest.raises(InputError, match="nothing but padding"):
        read_series(_written(series, tmp_path / "s", _padded(7)))


# --- MONOCHROME1 and compression --------------------------------------------------------------


def _jpeg_lossless(plane: np.ndarray, folder: Path) -> bytes:
    import pydicom
    from pydicom.encaps import generate_frames

    writer = sitk.ImageFileWriter()
    path = folder / "packed.dcm"
    writer.SetFileName(str(path))
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    writer.Execute(sitk.GetImageFromArray(plane[None]))
    packed = pydicom.dcmread(path)
    assert packed.file_meta.TransferSyntaxUID == JPEGLosslessSV1
    return next(generate_frames(packed.PixelData, number_of_frames=1))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_compressed_and_inverted_pixels_are_the_stored_ones(
    synthetic, tmp_path, signed, photometric
):
    values = VALUES - (300 if signed else 0)

    def pack(dataset: Dataset) -> None:
        dataset.PhotometricInterpretation = photometric
        dataset.PixelRepresentation = int(signed)
        kind = np.int16 if signed else np.uint16
        plane = np.frombuffer(dataset.PixelData, kind).reshape(6, 5)
        dataset.PixelData = encapsulate([_jpeg_lossless(plane, tmp_path)])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True

    folder = tmp_path / "s"
    folder.mkdir()
    for k, dataset in enumerate(synthetic("MR", values=values).datasets()):
        pack(dataset)
        write_file(dataset, folder / f"{k}.dcm", JPEGLosslessSV1)
    read = read_series(folder)
    assert np.array_equal(read.volume.array, values)
    assert any("MONOCHROME1" in note for note in read.notes) == (photometric == "MONOCHROME1")


def test_frames_in_jpeg_lossless_are_decoded_one_by_one(synthetic, tmp_path):
    dataset = synthetic("MR", values=VALUES).datasets()[0]
    dataset.SOPClassUID, dataset.NumberOfFrames = "1.2.840.10008.5.1.4.1.1.4.1", 4
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(dataset, keyword)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, plane.ImageOrientationPatient = [0.8, 0.5], [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    dataset.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for k in range(4):
        place, group = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, 2 * k]
        group.PlanePositionSequence = [place]
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = groups
    codes = [_jpeg_lossless(plane, tmp_path) for plane in VALUES.astype(np.int16)]
    dataset.PixelData = encapsulate(codes)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    (tmp_path / "s").mkdir()
    write_file(dataset, tmp_path / "s" / "e.dcm", JPEGLosslessSV1)
    assert np.array_equal(read_series(tmp_path / "s").volume.array, VALUES)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless])
def test_what_no_decoder_takes_is_named(synthetic, tmp_path, syntax):
    def pack(dataset: Dataset) -> None:
        dataset.PixelData = encapsulate([b"no code at all" * 10])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True

    (tmp_path / "s").mkdir()
    for k, dataset in enumerate(synthetic("MR").datasets()):
        pack(dataset)
        write_file(dataset, tmp_path / "s" / f"{k}.dcm", syntax)
    with pytest.raises(InputError, match=r"JPEG 2000|RLE") as caught:
        read_series(tmp_path / "s")
    assert "\n" not in str(caught.value)


def test_a_claim_that_the_code_cannot_hold_is_refused_before_memory_is_taken(synthetic, tmp_path):
    (tmp_path / "s").mkdir()
    for k, dataset in enumerate(synthetic("MR").datasets()):
        dataset.Rows = dataset.Columns = 65535
        dataset.PixelData = encapsulate([b"\xff\xd8" + bytes(100)])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        write_file(dataset, tmp_path / "s" / f"{k}.dcm", JPEGLosslessSV1)
    with pytest.raises(InputError, match="cannot hold"):
        read_series(tmp_path / "s")


# --- mosaics, strangers -----------------------------------------------------------------------


def test_a_mosaic_by_image_type_or_by_its_number_of_tiles_is_refused(synthetic, tmp_path):
    kind = {"ImageType": ["DERIVED", "PRIMARY", "M", "ND", "MOSAIC"]}
    with pytest.raises(InputError, match="mosaic"):
        read_series(synthetic("MR", changes=kind).write(tmp_path / "a"))

    def tiles(dataset: Dataset) -> None:
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0A, "US", 36)

    with pytest.raises(InputError, match="mosaic"):
        read_series(_written(synthetic("MR"), tmp_path / "b", tiles))
    one = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]}
    assert read_series(synthetic("MR", changes=one).write(tmp_path / "c")).volume.array.size


@pytest.mark.parametrize(
    ("kind", "words"),
    [(kinds.SECONDARY_CAPTURE, "screen captures"), ("1.2.840.10008.5.1.4.1.1.88.67", "dose")],
)
def test_strangers_under_the_series_are_left_out_and_named(synthetic, tmp_path, kind, words):
    folder = synthetic().write(tmp_path / "s")
    stranger = synthetic(seed="series").datasets()[0]
    stranger.SOPClassUID, stranger.SOPInstanceUID = kind, "2.25.77"
    del stranger.ImagePositionPatient
    write_file(stranger, folder / "stranger.dcm")
    read = read_series(folder)
    assert read.volume.geometry.size[2] == 4
    assert any("stranger.dcm" in note and words in note.lower() for note in read.notes)


# --- real-world values ------------------------------------------------------------------------


def _mapping(slope: float, unit: str, first: int = 0, last: int = 65535, **more) -> Dataset:
    item, code = Dataset(), Dataset()
    item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, more.get("intercept", 0.0)
    item.add_new(0x00409216, "US", first)
    item.add_new(0x00409211, "US", last)
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
    item.MeasurementUnitsCodeSequence = [code]
    return item


def test_a_map_of_ms_in_ordinary_mr_images(synthetic, tmp_path):
    changes = {"RealWorldValueMappingSequence": [_mapping(0.5, "ms", intercept=-3.0)]}
    volume = read_series(synthetic("MR", values=VALUES, changes=changes).write(tmp_path)).volume
    assert volume.attributes["units"] == "ms"
    np.testing.assert_allclose(volume.array, VALUES * 0.5 - 3)


def test_values_that_are_not_mapped_are_outside(synthetic, tmp_path):
    changes = {"RealWorldValueMappingSequence": [_mapping(2.0, "%", 100, 800)]}
    values = VALUES.clip(100, 800)
    values[0, 0] = 5
    values[0, 1] = 850
    volume = read_series(synthetic("MR", values=values, changes=changes).write(tmp_path)).volume
    assert (volume.array[0, :2] == 200).all()
    assert volume.array.max() <= 1600


def test_hounsfield_units_and_activity_stay_what_the_header_says(synthetic, tmp_path):
    ct = {"RealWorldValueMappingSequence": [_mapping(1.0, "[hnsf'U]", intercept=-1024.0)]}
    volume = read_series(synthetic("CT", values=VALUES, changes=ct).write(tmp_path / "ct")).volume
    assert volume.attributes["units"] == "HU"
    assert np.array_equal(volume.array, VALUES - 1024.0)
    pet = {
        "RealWorldValueMappingSequence": [_mapping(0.001, "g/ml{SUVbw}")],
        "Units": "BQML",
        "RescaleIntercept": "0",
    }
    read = read_series(synthetic("PT", values=VALUES, changes=pet).write(tmp_path / "pt"))
    assert read.volume.attributes["units"] == "BQML"
    assert np.array_equal(read.volume.array, VALUES)


def test_two_mappings_are_told_and_pieces_refused():
    two = mapping_of([_mapping(1.0, "ms"), _mapping(2.0, "s")], signed=False)
    assert (two.units, two.others) == ("ms", ("s",))
    with pytest.raises(ValueError, match="several pieces"):
        mapping_of([_mapping(1.0, "ms", 0, 99), _mapping(2.0, "ms", 100, 200)], signed=False)
    with pytest.raises(ValueError, match="several mappings"):
        mapping_of([_mapping(1.0, "ms"), _mapping(2.0, "ms")], signed=False)
    with pytest.raises(ValueError, match="no unit"):
        mapping_of([_mapping(1.0, "")], signed=False)


def test_a_table_of_real_world_values():
    item = _mapping(1.0, "ms", 10, 12)
    del item.RealWorldValueSlope
    item.RealWorldValueLUTData = [7.0, 70.0, 700.0]
    mapping = mapping_of([item], signed=False)
    np.testing.assert_array_equal(mapping.real(np.array([9, 10, 12, 13])), [np.nan, 7, 700, np.nan])
