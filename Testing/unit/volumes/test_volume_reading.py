"""Every kind of header that users have, and every file that is none."""

from __future__ import annotations

import gzip
import os
import struct

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from WDualMineLib.errors import InputError
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.resampling import to_image

ARRAY = np.arange(5 * 6 * 7, dtype=np.float32).reshape(5, 6, 7)
LPS = np.diag([-1.0, -1.0, 1.0])


def turn(seed: int = 0) -> np.ndarray:
    """A rotation matrix far from the axes."""
    return Rotation.from_euler(
        "zyx", (25 + 40 * seed, 35 - 50 * seed, 65), degrees=True
    ).as_matrix()


def sform(matrix: np.ndarray, offset=(10.0, -20.0, 30.0)) -> np.ndarray:
    return np.column_stack([matrix, offset])


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
def test_values_and_geometry_are_those_of_the_file(tmp_path, make_volume, suffix):
    volume = make_volume(turn())
    path = tmp_path / f"scan.v1{suffix}"
    sitk.WriteImage(to_image(volume), str(path))
    read = read_volume(path)
    reference = sitk.ReadImage(str(path))
    assert read.name == "scan.v1"
    assert read.array.dtype == np.float32
    np.testing.assert_array_equal(read.array, volume.array)
    assert read.geometry.spacing == reference.GetSpacing()
    assert read.geometry.origin == reference.GetOrigin()
    assert read.geometry.direction == reference.GetDirection()
    assert read.notes == ()


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_integers_and_label_maps_become_float32(tmp_path, suffix):
    labels = (ARRAY % 4).astype(np.uint8)
    path = tmp_path / f"labels{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(path))
    read = read_volume(path)
    assert read.array.dtype == np.float32
    np.testing.assert_array_equal(read.array, labels)


def test_not_a_number_is_kept_for_the_fusion_to_report(tmp_path):
    array = ARRAY.copy()
    array[0, 0, :2] = np.nan, np.inf
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "bad.nrrd"))
    read = read_volume(tmp_path / "bad.nrrd").array
    assert np.isnan(read[0, 0, 0]) and np.isposinf(read[0, 0, 1])


def test_big_endian(write_nifti):
    matrix = sform(np.diag([2.0, 2.0, 3.0]))
    read = read_volume(write_nifti("big.nii", ARRAY, sform=matrix, order=">", pixdim=(2, 2, 3)))
    np.testing.assert_array_equal(read.array, ARRAY)
    np.testing.assert_allclose(read.geometry.ijk_to_lps[:3], LPS @ matrix, atol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sheared_sform_is_kept_and_told(write_nifti, order):
    matrix = np.diag([2.0, 2.0, 3.0])
    matrix[1, 2] = 1.1  # a gantry tilt: J shifts with every slice
    read = read_volume(
        write_nifti("tilt.nii", ARRAY, sform=sform(matrix), order=order, pixdim=(2, 2, 3.2))
    )
    np.testing.assert_array_equal(read.array, ARRAY)
    np.testing.assert_allclose(read.geometry.ijk_to_lps[:3], LPS @ sform(matrix), atol=1e-6)
    assert "sheared" in read.notes[0]
    assert "ITK_NIFTI_SFORM_PERMISSIVE" not in os.environ


def test_negative_determinant(write_nifti):
    matrix = turn() * np.array([1.0, 1.0, -1.0])
    assert np.linalg.det(LPS @ matrix) < 0
    read = read_volume(write_nifti("mirror.nii", ARRAY, sform=sform(matrix)))
    assert np.linalg.det(read.geometry.direction_matrix) < 0
    np.testing.assert_allclose(read.geometry.ijk_to_lps[:3], LPS @ sform(matrix), atol=1e-5)


def test_sform_wins_over_a_qform_that_disagrees(write_nifti):
    matrix = sform(np.eye(3))
    path = write_nifti("two.nii", ARRAY, sform=matrix, offset=(10.0, -20.0, 156.0))
    header = bytearray(path.read_bytes())
    struct.pack_into("<2h", header, 252, 4, 4)  # codes at which ITK takes the qform
    path.write_bytes(header)
    assert sitk.ReadImage(str(path)).GetOrigin()[2] == 156.0
    read = read_volume(path)
    np.testing.assert_allclose(read.geometry.ijk_to_lps[:3], LPS @ matrix)
    assert "126.0 mm" in read.notes[0]


def test_qform_alone(write_nifti):
    read = read_volume(write_nifti("q.nii", ARRAY, offset=(1.0, 2.0, 3.0)))
    assert read.geometry.origin == (-1.0, -2.0, 3.0)
    assert read.notes == ()


def test_singular_sform_falls_back_to_the_qform(write_nifti):
    read = read_volume(write_nifti("z.nii", ARRAY, sform=np.zeros((3, 4)), offset=(1.0, 2.0, 3.0)))
    assert read.geometry.origin == (-1.0, -2.0, 3.0)


def test_no_orientation_at_all_is_told(write_nifti):
    assert "orientation" in read_volume(write_nifti("none.nii", ARRAY)).notes[0]


@pytest.mark.parametrize("unit,scale", [(1, 1000.0), (3, 0.001)])
def test_units_other_than_millimetres(write_nifti, unit, scale):
    matrix = np.eye(3)
    matrix[1, 2] = 0.3  # sheared, so that our own affine is used
    path = write_nifti("units.nii", ARRAY, sform=sform(matrix))
    raw = bytearray(path.read_bytes())
    raw[123] = unit
    path.write_bytes(raw)
    np.testing.assert_allclose(
        read_volume(path).geometry.ijk_to_lps[:3], LPS @ sform(matrix) * scale, rtol=1e-6
    )


def test_a_fourth_axis_of_one_is_no_fourth_axis(write_nifti):
    read = read_volume(write_nifti("one.nii", ARRAY[None], sform=sform(np.eye(3))))
    np.testing.assert_array_equal(read.array, ARRAY)


def test_one_slice_is_a_volume(write_nifti):
    read = read_volume(write_nifti("slice.nii", ARRAY[:1], sform=sform(np.eye(3))))
    assert read.geometry.size == (7, 6, 1)


def test_attributes_of_a_nrrd_come_along(tmp_path, make_volume):
    image = to_image(make_volume())
    image.SetMetaData("units", "HU")
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    assert read_volume(tmp_path / "a.nrrd").attributes == {"units": "HU"}


def refused(path, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        read_volume(path)
    message = str(caught.value)
    for word in (path.name, *words):
        assert word in message
    assert "\n" not in message
    return message


def test_missing(tmp_path):
    refused(tmp_path / "nowhere.nii", "does not exist")


def test_empty(tmp_path):
    (tmp_path / "empty.nii").touch()
    refused(tmp_path / "empty.nii", "is empty")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every file"
)
def test_no_permission(tmp_path):
    path = tmp_path / "secret.nrrd"
    path.write_bytes(b"NRRD0004\n")
    path.chmod(0)
    refused(path, "permission denied")


def test_no_permission_as_told_by_the_system(tmp_path, monkeypatch):
    path = tmp_path / "secret.nrrd"
    path.write_bytes(b"NRRD0004\n")

    def denied(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    refused(path, "permission denied")


@pytest.mark.parametrize("name", ["notes.txt", "notes.nii", "notes.nrrd", "notes.nii.gz"])
def test_not_an_image(tmp_path, name):
    (tmp_path / name).write_text("Dear colleague, please find the scan enclosed. " * 20)
    refused(tmp_path / name, "Give a NIfTI, NRRD or MetaImage file")


def test_dicom_is_left_to_its_own_reader(tmp_path):
    refused(tmp_path, "dicom.read.read_series")
    (tmp_path / "slice").write_bytes(bytes(128) + b"DICM" + bytes(100))
    refused(tmp_path / "slice", "dicom.read.read_series")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
@pytest.mark.parametrize("left", [0.5, 0.97])
def test_truncated(tmp_path, make_volume, suffix, left):
    path = tmp_path / f"cut{suffix}"
    sitk.WriteImage(to_image(make_volume(size=(20, 20, 20))), str(path))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole))])
    refused(path)


def test_damaged_compressed_file(write_nifti, tmp_path):
    plain = write_nifti("plain.nii", np.random.default_rng(0).random((9, 9, 9), "f4"))
    raw = bytearray(gzip.compress(plain.read_bytes()))
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "flip.nii.gz").write_bytes(raw)
    refused(tmp_path / "flip.nii.gz", "damaged")


def test_two_dimensional(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 9), np.uint8)), str(tmp_path / "p.png"))
    refused(tmp_path / "p.png", "2-D", "fuse-images")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((8, 9), np.float32)), str(tmp_path / "p.nii"))
    refused(tmp_path / "p.nii", "2-D", "fuse-images")


def test_one_dimensional(write_nifti):
    refused(write_nifti("line.nii", np.zeros(7, "f4")))


def test_damaged_number_of_axes_does_not_end_the_program(tmp_path, make_volume):
    path = tmp_path / "axes.mha"
    sitk.WriteImage(to_image(make_volume()), str(path))
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", b"NDims =83"))
    refused(path, "83 axes")


def test_four_dimensional(write_nifti):
    refused(write_nifti("time.nii", np.zeros((3, 5, 6, 7), "f4")), "4-D", "7 x 6 x 5 x 3")


def test_colour(tmp_path):
    rgb = sitk.GetImageFromArray(np.zeros((5, 6, 7, 3), np.uint8), isVector=True)
    sitk.WriteImage(rgb, str(tmp_path / "rgb.nrrd"))
    refused(tmp_path / "rgb.nrrd", "3 components", "scalar")


def test_complex(write_nifti):
    refused(
        write_nifti("k.nii", np.zeros((5, 6, 7), "c8"), sform=sform(np.eye(3)), datatype=(32, 64)),
        "complex",
    )


@pytest.mark.parametrize("present", ["pair.hdr", "pair.img"])
def test_half_of_a_pair(tmp_path, make_volume, present):
    sitk.WriteImage(to_image(make_volume()), str(tmp_path / "pair.hdr"))
    assert read_volume(tmp_path / present).geometry.size == (7, 6, 5)
    for path in tmp_path.iterdir():
        if path.name != present:
            path.unlink()
    refused(tmp_path / present, "missing")
