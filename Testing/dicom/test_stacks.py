"""Series made to be difficult: tilted, uneven, doubled, mixed, damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from WDualMineLib.dicom.files import write_file
from WDualMineLib.dicom.read import read_series
from WDualMineLib.errors import InputError

# Direction cosines of an axial plane turned about the x axis, as a gantry tilt leaves it.
_TILT = np.radians(20.0)
_TILTED = (1.0, 0.0, 0.0, 0.0, float(np.cos(_TILT)), float(-np.sin(_TILT)))


def _ramp(positions, orientation, shape, spacing) -> np.ndarray:
    """A linear function of place, 3 x - 2 y + 4 z + 500, seen by each slice; exact in integers
    only up to rounding."""
    along_i, along_j = np.array(orientation[:3]), np.array(orientation[3:])
    rows, columns = np.indices(shape)
    slices = []
    for position in positions:
        point = (
            np.array(position)
            + columns[..., None] * spacing[1] * along_i
            + rows[..., None] * spacing[0] * along_j
        )
        slices.append(np.rint(point @ [3.0, -2.0, 4.0] + 500))
    return np.array(slices).astype(np.int16)


def _expected_ramp(volume) -> np.ndarray:
    k, j, i = np.indices(volume.array.shape)
    indices = np.stack([i, j, k, np.ones_like(i)], axis=-1)
    points = indices @ volume.geometry.ijk_to_lps.T
    return points[..., :3] @ [3.0, -2.0, 4.0] + 500 - 1024


def test_a_tilt_is_undone_by_its_own_shear(synthetic, tmp_path: Path) -> None:
    positions = [(0.0, 0.0, 3.0 * k) for k in range(6)]
    values = _ramp(positions, _TILTED, (40, 6), (1.0, 1.0))
    series = synthetic(
        positions=positions, orientation=_TILTED, spacing=(1, 1), shape=(40, 6), values=values
    )
    read = read_series(series.write(tmp_path / "ct"))
    matrix = read.volume.geometry.direction_matrix
    assert np.allclose(matrix.T @ matrix, np.eye(3), atol=1e-9)
    assert read.resampled and "tilted by 20.0 degrees" in read.notes[0]
    # Beyond the acquired parallelogram there is air; inside, the ramp comes back exactly.
    inside = read.volume.array != read.volume.array.min()
    inside[:, -1], inside[:, 0] = False, False
    edge = np.roll(inside, 1, axis=1) & np.roll(inside, -1, axis=1) & inside
    difference = np.abs(read.volume.array - _expected_ramp(read.volume))[edge]
    assert edge.mean() > 0.6
    assert difference.max() <= 1.0  # the stored integers were rounded


def test_uneven_gaps_are_interpolated_where_the_slices_truly_are(synthetic, tmp_path: Path) -> None:
    positions = [(0.0, 0.0, z) for z in (0.0, 2.0, 4.0, 6.0, 6.7, 8.8, 10.8)]
    values = _ramp(positions, (1, 0, 0, 0, 1, 0), (6, 5), (0.8, 0.5))
    read = read_series(synthetic(positions=positions, values=values).write(tmp_path / "ct"))
    assert read.volume.geometry.spacing[2] == pytest.approx(2.0)
    assert read.volume.geometry.size[2] == 6
    assert np.abs(read.volume.array - _expected_ramp(read.volume)).max() <= 1.0
    assert "from 0.70 to 2.10 mm" in read.notes[0]


def test_positions_rounded_by_the_scanner_are_even(synthetic, tmp_path: Path) -> None:
    positions = [(0.0, 0.0, round(0.625 * k, 1)) for k in range(12)]
    read = read_series(synthetic(positions=positions).write(tmp_path / "ct"))
    assert not read.resampled and read.notes == []
    assert read.volume.geometry.spacing[2] == pytest.approx(0.625, abs=0.005)


def test_file_names_and_instance_numbers_do_not_decide(synthetic, tmp_path: Path) -> None:
    ordered = read_series(synthetic().write(tmp_path / "ordered"))
    mixed = tmp_path / "mixed" / "deep" / "er"
    mixed.mkdir(parents=True)
    for name, k in (("a", 2), ("b.dcm", 0), ("zz", 3), ("c.IMA", 1)):
        shutil.copy(tmp_path / "ordered" / f"{k:03d}.dcm", mixed / name)
    read = read_series(tmp_path / "mixed")
    assert np.array_equal(read.volume.array, ordered.volume.array)
    assert read.volume.geometry == ordered.volume.geometry
    assert [i.instance_number for i in read.context.instances] == [1, 2, 3, 4]


def test_slices_against_the_normal_come_out_right_handed(synthetic, tmp_path: Path) -> None:
    down = [(0.0, 0.0, -2.0 * k) for k in range(4)]
    read = read_series(synthetic(positions=down).write(tmp_path / "ct"))
    assert np.linalg.det(read.volume.geometry.direction_matrix) == pytest.approx(1)
    assert read.volume.geometry.origin == (0, 0, -6)
    assert read.volume.array[3, 0, 0] == 0 - 1024  # the first file is the topmost slice


def test_exact_copies_are_left_out_and_said(synthetic, tmp_path: Path) -> None:
    folder = synthetic().write(tmp_path / "ct")
    shutil.copy(folder / "001.dcm", folder / "copy.dcm")
    read = read_series(folder)
    assert read.volume.geometry.size == (5, 6, 4)
    assert "1 exact copies" in read.notes[0]


def test_two_images_at_a_place_are_refused_with_what_differs(synthetic, tmp_path: Path) -> None:
    folder = synthetic("MR", changes={"EchoTime": "10"}).write(tmp_path / "mr")
    second = synthetic("MR", changes={"EchoTime": "90"})
    for k, dataset in enumerate(second.datasets()):
        dataset.SOPInstanceUID += ".2"
        dataset.PixelData = bytes(len(dataset.PixelData))
        write_file(dataset, folder / f"second-{k}.dcm")
    with pytest.raises(InputError, match=r"8 different images lie at 4 positions.*EchoTime"):
        read_series(folder)


def test_a_missing_slice_is_refused(synthetic, tmp_path: Path) -> None:
    folder = synthetic(positions=[(0.0, 0.0, 2.5 * k) for k in range(6)]).write(tmp_path / "ct")
    (folder / "003.dcm").unlink()
    with pytest.raises(
        InputError, match=r"misses slices: 5\.00 mm lie between 002\.dcm and 004\.dcm"
    ):
        read_series(folder)


def test_thick_slices_beside_thin_ones_are_no_hole(synthetic, tmp_path: Path) -> None:
    heights = [0.0, 2.0, 4.0, 6.0, 11.0, 16.0]
    thick = {k: {"SliceThickness": "5"} for k in (4, 5)}
    thick[3] = {"SliceThickness": "2"}
    series = synthetic(positions=[(0.0, 0.0, z) for z in heights], slice_changes=thick)
    assert read_series(series.write(tmp_path / "ct")).resampled


@pytest.mark.parametrize(
    ("slice_changes", "words"),
    [
        ({2: {"ImageOrientationPatient": ["0", "1", "0", "0", "0", "-1"]}}, "mixes orientations"),
        ({2: {"PixelSpacing": ["0.9", "0.5"]}}, "mixes images of pixel spacing"),
        ({2: {"Rows": 5, "PixelData": bytes(50)}}, "mixes images of size"),
        ({2: {"ImagePositionPatient": ["40", "-20", "35"]}}, "not in line"),
        ({2: {"FrameOfReferenceUID": "1.2.3"}}, "more than one frame of reference"),
        ({2: {"PatientID": "another"}}, "more than one patient ID"),
        ({2: {"StudyInstanceUID": "1.2.4"}}, "more than one study"),
        ({2: {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}}, "secondary captures"),
    ],
)
def test_mixtures_are_refused(synthetic, tmp_path: Path, slice_changes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_series(synthetic(slice_changes=slice_changes).write(tmp_path / "ct"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ImagePositionPatient": None}, "no position"),
        ({"ImageOrientationPatient": None, "PixelSpacing": None}, "no orientation and no pixel"),
        ({"PixelSpacing": ["0", "1"]}, "pixel spacing is 0 x 1"),
        ({"ImageOrientationPatient": ["1", "0", "0", "1", "0", "0"]}, "perpendicular"),
        ({"RescaleSlope": "0"}, "rescale slope is 0"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "in colour"),
        ({"PixelData": None}, "holds no pixels"),
        ({"HighBit": 11}, "highest bit"),
        ({"BitsAllocated": 12}, "not a layout"),
        ({"NumberOfFrames": "4"}, "several frames"),
        ({"SeriesInstanceUID": None}, "names no series"),
    ],
)
def test_headers_that_say_too_little_are_refused(synthetic, tmp_path: Path, changes, words) -> None:
    with pytest.raises(InputError, match=words):
        read_series(synthetic(changes=changes).write(tmp_path / "ct"))


@pytest.mark.parametrize("keep", [100, 131, 400, 900, -1, -30])
def test_truncated_files_are_refused_by_name(synthetic, tmp_path: Path, keep: int) -> None:
    folder = synthetic().write(tmp_path / "ct")
    data = (folder / "002.dcm").read_bytes()
    (folder / "002.dcm").write_bytes(data[:keep])
    with pytest.raises(InputError, match=r"002\.dcm"):
        read_series(folder)


def test_pixels_behind_the_pixels_are_refused_unless_padding(synthetic, tmp_path: Path) -> None:
    series = synthetic(positions=[(0.0, 0.0, 0.0)])
    raw = series.datasets()[0].PixelData
    series.changes = {"PixelData": raw + bytes(8)}
    assert read_series(series.write(tmp_path / "padded")).volume.array.max() == 54 - 1024
    series.changes = {"Rows": 5}
    with pytest.raises(InputError, match="go on behind the 50 bytes"):
        read_series(series.write(tmp_path / "short"))


def test_other_files_beside_the_slices_are_left_out_and_said(synthetic, tmp_path: Path) -> None:
    folder = synthetic().write(tmp_path / "ct")
    (folder / "readme.txt").write_text("hello")
    (folder / "DICOMDIR").write_bytes(b"\0" * 200)
    (folder / ".hidden").write_bytes(b"x")
    (folder / "looks-like-one").write_bytes(b"\x08\x00" * 40)
    read = read_series(folder)
    assert read.volume.geometry.size[2] == 4
    left_out = "DICOMDIR, looks-like-one, readme.txt"
    assert read.notes == [f"3 files that are not DICOM images were left out: {left_out}"]
    (folder / "junk.dcm").write_bytes(b"hello")
    with pytest.raises(InputError, match=r"junk\.dcm cannot be read"):
        read_series(folder)


def test_a_file_from_before_the_preamble_is_read(synthetic, tmp_path: Path) -> None:
    folder = synthetic().write(tmp_path / "ct")
    whole = read_series(folder)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        start = path.read_bytes().index(b"\x08\x00\x05\x00CS")
        data = path.read_bytes()[start:]
        path.unlink()
        path.with_suffix("").write_bytes(data)
        assert dataset.PixelData in data
    bare = read_series(folder)
    assert np.array_equal(bare.volume.array, whole.volume.array)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_series(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"No DICOM image was found.*0 files"):
        read_series(tmp_path)


def test_overlays_in_unused_bits_do_not_reach_the_values(synthetic, tmp_path: Path) -> None:
    series = synthetic(changes={"BitsStored": 12, "HighBit": 11})
    clean = read_series(series.write(tmp_path / "clean")).volume.array
    series.values = series.stored() | np.int16(0x2000)
    assert np.array_equal(read_series(series.write(tmp_path / "overlay")).volume.array, clean)


def test_negative_values_of_twelve_bits(synthetic, tmp_path: Path) -> None:
    series = synthetic(changes={"BitsStored": 12, "HighBit": 11})
    series.values = (series.stored() - 300).astype(np.int16) & np.int16(0x0FFF)
    assert read_series(series.write(tmp_path / "ct")).volume.array.min() == -300 - 1024


def test_the_context_says_what_the_series_says(synthetic, tmp_path: Path) -> None:
    context = read_series(synthetic().write(tmp_path / "ct")).context
    assert context.patient.name == "Müller^Jürgen"
    assert (context.patient.patient_id, context.patient.birth_date) == ("P-17", "19560102")
    assert (context.study.date, context.study.accession_number) == ("20240229", "A1")
    assert (context.modality, context.units, context.series_number) == ("CT", "HU", 3)
    assert context.body_part == "HEAD"
    assert len({i.sop_instance_uid for i in context.instances}) == 4
    assert {(i.slope, i.intercept) for i in context.instances} == {(1.0, -1024.0)}
    assert context.instances[1].position == (10.0, -20.0, 32.5)


def test_a_modality_lookup_table_is_applied(synthetic, tmp_path: Path) -> None:
    table = pydicom.Dataset()
    table.LUTDescriptor = [400, 0, 16]
    table["LUTDescriptor"].VR = "SS"
    table.ModalityLUTType = "US"
    table.LUTData = np.arange(400, dtype="<u2")[::-1].tobytes()
    table["LUTData"].VR = "OW"
    changes = {
        "ModalityLUTSequence": [table],
        "RescaleSlope": None,
        "RescaleIntercept": None,
        "PixelRepresentation": 0,
    }
    read = read_series(synthetic(changes=changes).write(tmp_path / "ct"))
    assert read.volume.array[0, 0, 0] == 399 and read.volume.array[1, 0, 0] == 299
