"""Written volumes read back the same, and a failed write leaves nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from WDualMineLib.errors import OutputError
from WDualMineLib.volumes import partials
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.reading import geometry_of, read_volume
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.whole_files import atomic_path
from WDualMineLib.volumes.writing import write_volume


def turn(seed: int = 0) -> np.ndarray:
    """A rotation matrix far from the axes."""
    return Rotation.from_euler(
        "zyx", (25 + 40 * seed, 35 - 50 * seed, 65), degrees=True
    ).as_matrix()


SHEAR = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
SHEAR = SHEAR / np.linalg.norm(SHEAR, axis=0)
MIRROR = np.diag([1.0, -1.0, 1.0])


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("direction", [np.eye(3), turn(), SHEAR, MIRROR, turn() @ SHEAR])
def test_round_trip(tmp_path, make_volume, suffix, compress, direction):
    volume = make_volume(direction)
    path = write_volume(volume, tmp_path / f"v{suffix}", compress=compress)
    read = read_volume(path)
    np.testing.assert_array_equal(read.array, volume.array)
    np.testing.assert_allclose(
        read.geometry.ijk_to_lps, volume.geometry.ijk_to_lps, rtol=0, atol=4e-15
    )
    assert read.geometry.origin == volume.geometry.origin


def test_mha_keeps_geometry_to_the_last_bit(tmp_path, make_volume):
    volume = make_volume(turn() @ SHEAR)
    assert read_volume(write_volume(volume, tmp_path / "v.mha")).geometry == volume.geometry


def test_nrrd_keeps_the_geometry_of_a_nrrd_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(3)
    image = sitk.Image((2, 2, 2), sitk.sitkFloat32)
    first, second = str(tmp_path / "first.nrrd"), tmp_path / "second.nrrd"
    for seed in range(20):
        image.SetSpacing(rng.uniform(0.3, 5, 3))
        image.SetOrigin(rng.uniform(-300, 300, 3))
        image.SetDirection((turn(seed) @ (SHEAR if seed % 2 else MIRROR)).ravel())
        sitk.WriteImage(image, first)
        volume = read_volume(first)
        write_volume(volume, second, force=True)
        assert geometry_of(sitk.ReadImage(str(second))) == volume.geometry


def test_nrrd_keeps_usual_spacings_to_the_last_bit(tmp_path):
    for spacing in (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0):
        geometry = Geometry(
            (2, 2, 2), (spacing,) * 3, (0.1, -90.0, 1 / 3), (1, 0, 0, 0, -1, 0, 0, 0, -1)
        )
        path = write_volume(
            Volume(np.zeros((2, 2, 2), "f4"), geometry), tmp_path / f"{spacing}.nrrd"
        )
        assert read_volume(path).geometry == geometry


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_keeps_geometry_to_float32(tmp_path, make_volume, suffix):
    volume = make_volume(turn())
    read = read_volume(write_volume(volume, tmp_path / f"v{suffix}"))
    np.testing.assert_array_equal(read.array, volume.array)
    np.testing.assert_allclose(
        read.geometry.ijk_to_lps, volume.geometry.ijk_to_lps, rtol=1e-6, atol=1e-5
    )


def test_nifti_refuses_a_sheared_grid(tmp_path, make_volume):
    with pytest.raises(OutputError, match="sheared"):
        write_volume(make_volume(SHEAR), tmp_path / "v.nii")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8", ">f4"])
def test_voxel_types(tmp_path, make_volume, dtype):
    volume = make_volume()
    array = (volume.array * 100).astype(dtype)
    path = write_volume(volume.with_array(array), tmp_path / "v.nrrd")
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert read.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
def test_colour(tmp_path, make_volume, suffix):
    volume = make_volume()
    rgb = np.random.default_rng(0).integers(0, 256, (*volume.array.shape, 3), dtype=np.uint8)
    path = write_volume(volume.with_array(rgb), tmp_path / f"c{suffix}")
    image = sitk.ReadImage(str(path))
    assert image.GetNumberOfComponentsPerPixel() == 3
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), rgb)
    np.testing.assert_allclose(image.GetSpacing(), volume.geometry.spacing, rtol=1e-6)


def test_attributes_survive(tmp_path, make_volume):
    attributes = {"units": "1", "path": "a\\b\nc := d", "window": [0.0, 80.0], "größe": "µm"}
    volume = make_volume()
    path = write_volume(volume.with_array(volume.array, **attributes), tmp_path / "v.nrrd")
    assert read_volume(path).attributes == attributes | {"window": "[0.0, 80.0]"}
    path = write_volume(volume.with_array(volume.array, **attributes), tmp_path / "v.mha")
    image = sitk.ReadImage(str(path))
    assert image.GetMetaData("window") == "[0.0, 80.0]"
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.array)


def test_nothing_is_overwritten_unless_asked(tmp_path, make_volume):
    path = tmp_path / "v.nrrd"
    path.write_text("precious")
    with pytest.raises(OutputError, match="--force"):
        write_volume(make_volume(), path)
    assert path.read_text() == "precious"
    write_volume(make_volume(), path, force=True)
    assert read_volume(path).geometry.size == (7, 6, 5)
    assert os.listdir(tmp_path) == ["v.nrrd"]


def test_unknown_suffix(tmp_path, make_volume):
    with pytest.raises(OutputError, match=r"\.nrrd"):
        write_volume(make_volume(), tmp_path / "v.jpeg")


def test_missing_folder(tmp_path, make_volume):
    with pytest.raises(OutputError, match="does not exist"):
        write_volume(make_volume(), tmp_path / "nowhere" / "v.nrrd")


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt, ValueError, MemoryError, ConnectionResetError, RuntimeError]
)
def test_any_exception_leaves_the_old_file(tmp_path, failure):
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(failure), atomic_path(path, force=True) as partial:
        partial.write_text("ne")
        raise failure
    assert os.listdir(tmp_path) == ["report.json"]
    assert path.read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("compress", [True, False])
def test_full_disk(tmp_path, make_volume, monkeypatch, compress):
    monkeypatch.setattr(partials.secrets, "token_hex", lambda _n: "0")
    (tmp_path / ".partial-0.nrrd").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"no room on the disk.*v\.nrrd"):
        write_volume(make_volume(), tmp_path / "v.nrrd", compress=compress)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii", ".nii.gz"])
@pytest.mark.parametrize("compress", [True, False])
def test_disk_that_fills_in_mid_file(tmp_path, make_volume, little_room, suffix, compress):
    with little_room(10_000), pytest.raises(OutputError, match=rf"no room .*v{suffix}"):
        write_volume(make_volume(size=(30, 20, 10)), tmp_path / f"v{suffix}", compress=compress)
    assert not list(tmp_path.iterdir())
