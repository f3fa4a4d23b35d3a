"""Every file of the shared DICOM data: what must come out of it, or why nothing may."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.read import list_series, read_series
from WDualMineLib.errors import InputError


@dataclass(frozen=True)
class Comes:
    """A series that is read: (I, J, K) size, spacing in mm, lowest and highest value."""

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    low: float
    high: float
    modality: str
    notes: tuple[str, ...] = ()
    resampled: bool = False


@dataclass(frozen=True)
class Refused:
    """A series that is not: words of the reason."""

    words: tuple[str, ...]


def comes(size, spacing, low, high, modality, *notes, resampled=False) -> Comes:
    return Comes(size, spacing, low, high, modality, notes, resampled)


def refused(*words: str) -> Refused:
    return Refused(words)


_TILT = "gantry was tilted by"
_MR_SMALL = comes((64, 64, 1), (0.3125, 0.3125, 0.8), 127, 2145, "MR")
_NO_VOLUME = "colour secondary captures"

# A path of one file means that file alone, without its neighbours.
CASES = {
    "ct_head_ge_gantrytilt": comes(
        (512, 611, 37),
        (0.48828, 0.48828, 4.00193),
        -1023,  # what is marked as padding, -1500, counts as outside
        2119.5264,
        "CT",
        f"{_TILT} 18.5 degrees",
        "pixel padding",
        "from 1.08 to 7.00 mm",
        resampled=True,
    ),
    "ct_monai_4slices": refused("misses slices", "202.50 mm", "7106 and 7136"),
    "d2n_failing/gantrytilting": comes(
        (512, 521, 4),
        (0.41797, 0.41797, 4.85148),
        -1024,
        -770,
        "CT",
        f"{_TILT} 14.0 degrees",
        resampled=True,
    ),
    "d2n_failing/notavolume": refused("4 different images lie at 1 positions", "AcquisitionNumber"),
    "d2n_failing/slicecount": comes((256, 256, 2), (1, 1, 1), 0, 254, "MR", "2 files that are not"),
    "d2n_failing/sliceincrement": refused("There are 2 series here", "by its series UID"),
    "d2n_failing/sliceincrement/001": refused("misses slices", "10.00 mm", "where 5.00 mm"),
    "d2n_failing/sliceincrement/002": refused("misses slices", "1.50 mm", "where 0.75 mm"),
    "d2n_failing/sliceorientation": refused("mixes orientations", "2 sagittal, 2 axial"),
    "d2n_ge_anatomical_001": comes((256, 256, 4), (1, 1, 1.00001), 0, 254, "MR"),
    "d2n_hitachi_anatomical_001": comes((64, 64, 4), (2.34375, 2.34375, 4), 0, 1537, "MR"),
    "d2n_hyperfine_anatomical_001": comes((112, 138, 8), (1.59, 1.61, 5), 0, 254, "MR"),
    "d2n_philips_anatomical_001": comes((240, 240, 4), (1.04167, 1.04167, 0.6), 0, 254, "MR"),
    "d2n_philips_enhanced_anatomical_001": comes((256, 256, 8), (1, 1, 1.2), 0, 1081.74847, "MR"),
    "d2n_siemens_anatomical_001": comes((256, 256, 4), (1, 1, 1), 0, 254, "MR"),
    "sc_rgb_nogeometry_ct_mr/CT": refused(_NO_VOLUME, "without a place in the patient"),
    "sc_rgb_nogeometry_ct_mr/T1-MRI": refused(_NO_VOLUME, "without a place in the patient"),
    "sts_008_ct_pt_mr": refused("There are 3 series here", "MR_T1_image", "PET_image"),
    "sts_008_ct_pt_mr/CT": comes(
        (141, 137, 51), (0.97656, 0.97656, 3.27), -1000, 1479, "CT", "contours (RT structure set)"
    ),
    "sts_008_ct_pt_mr/MR_T1": comes(
        (77, 79, 28), (0.97656, 0.97656, 3.26996), 0, 1140, "MR", "contours (RT structure set)"
    ),
    "sts_008_ct_pt_mr/PET": comes(
        (30, 29, 51), (4.6875, 4.6875, 3.27), 0, 6.50178, "PT", "contours (RT structure set)"
    ),
    "pydicom_small": refused("There are 4 series here"),
    "pydicom_small/CT_small.dcm": comes((128, 128, 1), (0.66147, 0.66147, 5), -896, 1167, "CT"),
    "pydicom_small/MR_small.dcm": _MR_SMALL,
    "pydicom_small/MR_small_RLE.dcm": _MR_SMALL,
    "pydicom_small/MR_small_bigendian.dcm": _MR_SMALL,
    "pydicom_small/MR_small_expb.dcm": _MR_SMALL,
    "pydicom_small/MR_small_implicit.dcm": _MR_SMALL,
    "pydicom_small/MR_small_jp2klossless.dcm": _MR_SMALL,
    "pydicom_small/MR_small_jpeg_ls_lossless.dcm": _MR_SMALL,
    "pydicom_small/MR_small_padded.dcm": _MR_SMALL,
    "pydicom_small/SC_jpeg_no_color_transform.dcm": refused(_NO_VOLUME),
    "pydicom_small/SC_jpeg_no_color_transform_2.dcm": refused(_NO_VOLUME),
    "pydicom_small/eCT_Supplemental.dcm": comes(
        (512, 512, 2), (0.38867, 0.38867, 10), -1024, 172, "CT"
    ),
    "pydicom_small/emri_small.dcm": refused("no usable place", "0 of its 10 frames"),
    "pydicom_small/examples_palette.dcm": refused("colour ultrasound"),
    "pydicom_small/examples_rgb_color.dcm": refused("colour ultrasound"),
    "pydicom_small/examples_ybr_color.dcm": refused("colour ultrasound"),
    "pydicom_small/liver_1frame.dcm": refused("a segmentation"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_comes_out(dicom_data: Path, name: str) -> None:
    path, expected = dicom_data / name, CASES[name]
    source = [path] if path.is_file() else path
    if isinstance(expected, Refused):
        with pytest.raises(InputError) as caught:
            read_series(source)
        for words in expected.words:
            assert words in str(caught.value)
        return
    series = read_series(source)
    geometry, array = series.volume.geometry, series.volume.array
    assert geometry.size == expected.size
    assert geometry.spacing == pytest.approx(expected.spacing, abs=1e-5)
    assert array.dtype == np.float32
    assert (array.min(), array.max()) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert series.volume.modality == series.context.modality == expected.modality
    assert series.resampled == expected.resampled
    for words in expected.notes:
        assert words in " ".join(series.notes)
    assert len(series.notes) == len(expected.notes)
    assert np.linalg.det(geometry.direction_matrix) == pytest.approx(1.0, abs=1e-6)


def test_every_file_has_a_case(dicom_data: Path) -> None:
    covered = [dicom_data / name for name in CASES]
    for path in dicom_data.rglob("*"):
        if path.is_file():
            assert any(path == case or case in path.parents for case in covered), path


_UNTOUCHED = [n for n, case in CASES.items() if isinstance(case, Comes) and not case.resampled]


@pytest.mark.parametrize("name", _UNTOUCHED)
def test_every_stored_pixel_lies_where_its_header_says(dicom_data: Path, name: str) -> None:
    """Slice by slice against pydicom, where nothing was resampled; the rest is tested below."""
    path = dicom_data / name
    series = read_series([path] if path.is_file() else path)
    to_index = np.linalg.inv(series.volume.geometry.ijk_to_lps)
    seen = set()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        try:
            dataset = pydicom.dcmread(file)
        except (pydicom.errors.InvalidDicomError, IsADirectoryError, PermissionError):
            continue
        if dataset.get("SeriesInstanceUID") != series.context.series_uid:
            continue
        try:
            pixels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
        except (RuntimeError, OverflowError) as error:
            pytest.skip(f"pydicom itself cannot decode it here: {error}")
        for index, stored in enumerate(pixels):
            position, slope, intercept = _frame(dataset, index)
            i, j, k = (to_index @ [*position, 1.0])[:3]
            assert (i, j, k) == pytest.approx((0, 0, round(k)), abs=1e-3)
            seen.add(round(k))
            assert np.array_equal(
                series.volume.array[round(k)],
                (stored * np.float64(slope) + intercept).astype(np.float32),
            )
    assert seen == set(range(series.volume.geometry.size[2]))


def _frame(dataset: pydicom.Dataset, index: int) -> tuple[list[float], float, float]:
    """Position, slope and intercept of a frame, by hand."""
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        slope, intercept = dataset.get("RescaleSlope") or 1, dataset.get("RescaleIntercept") or 0
        return dataset.ImagePositionPatient, float(slope), float(intercept)
    own = dataset.PerFrameFunctionalGroupsSequence[index]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    holder = own if "PixelValueTransformationSequence" in own else shared
    values = holder.PixelValueTransformationSequence[0]
    position = own.PlanePositionSequence[0].ImagePositionPatient
    return position, float(values.RescaleSlope), float(values.RescaleIntercept)


def test_two_slices_equal_their_ground_truth(dicom_data: Path) -> None:
    folder = dicom_data / "d2n_failing" / "slicecount"
    truth = sitk.ReadImage(str(folder / "001_ground_truth.nii.gz"))
    volume = read_series(folder / "001").volume
    for index in [(0, 0, 0), (255, 255, 1), (100, 120, 0), (30, 200, 1)]:
        point = (volume.geometry.ijk_to_lps @ [*index, 1.0])[:3]
        there = truth.TransformPhysicalPointToIndex(tuple(map(float, point)))
        assert truth.GetPixel(*there) == volume.array[index[::-1]]


@pytest.mark.parametrize("name", ["ct_head_ge_gantrytilt", "d2n_failing/gantrytilting"])
def test_tilted_slices_stay_in_their_place(dicom_data: Path, name: str) -> None:
    """Where a plane of the grid is an acquired one, its pixels are those of the slice, moved
    within the plane: interpolated at the stored pixel centres they give the stored values back
    to within what linear interpolation costs, and far better than without the shear."""
    series = read_series(dicom_data / name)
    volume = series.volume
    to_index = np.linalg.inv(volume.geometry.ijk_to_lps)
    errors, naive = [], []
    for file in sorted((dicom_data / name).rglob("*.dcm")):
        dataset = pydicom.dcmread(file)
        stored = dataset.pixel_array * float(dataset.RescaleSlope)
        stored = stored + float(dataset.RescaleIntercept)
        i, j, k = (to_index @ [*dataset.ImagePositionPatient, 1.0])[:3]
        assert i == pytest.approx(0, abs=1e-3)
        plane = round(k)
        if abs(k - plane) > 1e-3 or j == pytest.approx(0, abs=1e-3):
            continue
        rows = np.arange(dataset.Rows) + j
        below = np.floor(rows).astype(int)
        part = (rows - below)[:, None]
        above = np.minimum(below + 1, volume.array.shape[1] - 1)
        here = volume.array[plane, below] * (1 - part) + volume.array[plane, above] * part
        errors.append(np.abs(here - stored).mean())
        naive.append(np.abs(volume.array[plane, : dataset.Rows] - stored).mean())
    assert errors and np.mean(errors) < 0.5 * np.mean(naive)


def test_the_first_slice_of_a_tilted_stack_is_untouched(dicom_data: Path) -> None:
    folder = dicom_data / "ct_head_ge_gantrytilt"
    volume = read_series(folder).volume
    first = pydicom.dcmread(folder / "01.dcm")
    index = np.linalg.inv(volume.geometry.ijk_to_lps) @ [*first.ImagePositionPatient, 1.0]
    assert index[:3] == pytest.approx(np.round(index[:3]), abs=1e-3)
    i, j, k = np.round(index[:3]).astype(int)
    there = volume.array[k, j : j + 512, i : i + 512]
    stored = first.pixel_array.astype(np.float32)
    stored[stored == first.PixelPaddingValue] = -1023
    assert np.array_equal(there, stored)


def test_one_file_stands_for_its_series(dicom_data: Path) -> None:
    path = dicom_data / "sts_008_ct_pt_mr" / "CT" / "image" / "000007.dcm"
    assert read_series(path).volume.geometry.size == (141, 137, 51)
    small = read_series(dicom_data / "pydicom_small" / "MR_small.dcm")
    assert small.volume.geometry.size == (64, 64, 1)
    assert "7 exact copies" in small.notes[0]


def test_the_series_of_a_folder_can_be_listed_and_chosen(dicom_data: Path) -> None:
    found = list_series(dicom_data / "sts_008_ct_pt_mr")
    assert [s.modality for s in found if not s.refusal] == ["CT", "MR", "PT"]
    assert [s.refusal for s in found][3:] == ["contours (RT structure set)"] * 3
    pet = next(s for s in found if s.modality == "PT")
    series = read_series(dicom_data / "sts_008_ct_pt_mr", pet.uid)
    assert series.volume.attributes["units"] == "GML"
    assert series.volume.attributes["suv_factor"] == 1.0
    with pytest.raises(InputError, match=r"There is no series 1\.2\.3"):
        read_series(dicom_data / "sts_008_ct_pt_mr", "1.2.3")


def test_pet_slices_keep_their_own_slopes(dicom_data: Path) -> None:
    series = read_series(dicom_data / "sts_008_ct_pt_mr" / "PET")
    slopes = {instance.slope for instance in series.context.instances}
    assert len(slopes) == 51
    shared = {s.frame_of_reference_uid for s in (series.context,)}
    for other in ("CT", "MR_T1"):
        shared.add(
            read_series(dicom_data / "sts_008_ct_pt_mr" / other).context.frame_of_reference_uid
        )
    assert len(shared) == 1
