"""Written objects read by other programs: the fixed grid within 1e-4 mm, the values within one
quantisation step, maps exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from WDualMineLib.dicom.export import ResultVolumes, export_result
from WDualMineLib.dicom.read import read_series
from WDualMineLib.pipeline.parts import BY_NAME
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

STEP = 1 / 65535
PLACE_MM = 1e-4

_COS, _SIN = float(np.cos(0.3)), float(np.sin(0.3))
GRIDS = {
    "axial": Geometry(
        (6, 5, 4), (0.488281, 0.488281, 2.5), (-125.5, -101.25, 30.1), (1, 0, 0, 0, 1, 0, 0, 0, 1)
    ),
    "sagittal": Geometry((6, 5, 4), (1, 1.2, 0.6), (7.2, -161, 130), (0, 0, -1, 1, 0, 0, 0, -1, 0)),
    "coronal": Geometry((5, 7, 3), (1, 1.2, 3.3), (7, -161, 130), (1, 0, 0, 0, 0, 1, 0, -1, 0)),
    "oblique": Geometry(
        (6, 5, 4),
        (0.3333333333, 0.7, 1.23456789),
        (-83.90625, 91.2, -1000.123456),
        (_COS, -_SIN, 0, _SIN, _COS, 0, 0, 0, 1),
    ),
    "left-handed": Geometry((6, 5, 4), (1, 1, 2), (90, -126, -72), (-1, 0, 0, 0, 1, 0, 0, 0, 1)),
}


@pytest.fixture(scope="module", params=GRIDS)
def written(request, make_result, tmp_path_factory) -> tuple[ResultVolumes, Path]:
    result = make_result(GRIDS[request.param])
    folder = tmp_path_factory.mktemp("written") / "out"
    export_result(result, folder)
    return result, folder


def same_place(expected: Volume, array: np.ndarray, ijk_to_lps: np.ndarray, step: float) -> None:
    """Every voxel of ``array`` lies where ``expected`` has one, of the same value.

    Slices may come in the opposite order; then the grid ends where the other begins.
    """
    assert array.shape == expected.array.shape
    k_last = array.shape[0] - 1
    flipped = (
        np.linalg.det(expected.geometry.direction_matrix) * np.linalg.det(ijk_to_lps[:3, :3]) < 0
    )
    turn = np.eye(4)
    if flipped:
        turn[2, 2], turn[2, 3] = -1, k_last
        array = array[::-1]
    size = np.array(expected.geometry.size)
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    corners[:, :3] *= size - 1
    there = (corners @ (ijk_to_lps @ turn).T)[:, :3]
    assert np.abs(there - (corners @ expected.geometry.ijk_to_lps.T)[:, :3]).max() < PLACE_MM
    difference = np.abs(array.astype(np.float64) - expected.array.astype(np.float64))
    assert difference.max() <= step


def _itk(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image), matrix


def test_gray_by_simpleitk(written) -> None:
    result, folder = written
    array, matrix = _itk(folder / "fused")
    same_place(result.fused, array * STEP, matrix, STEP)


def test_colour_by_simpleitk(written) -> None:
    result, folder = written
    array, matrix = _itk(folder / "fused_colour")
    same_place(result.colour, array, matrix, 0)


def test_gray_by_pydicom(written) -> None:
    result, folder = written
    to_index = np.linalg.inv(result.fused.geometry.ijk_to_lps)
    for path in (folder / "fused").iterdir():
        item = pydicom.dcmread(path)
        index = to_index @ [*map(float, item.ImagePositionPatient), 1.0]
        k = round(index[2])
        assert np.abs(index[:3] - (0, 0, k)).max() < PLACE_MM / 0.3
        assert np.abs(item.pixel_array * STEP - result.fused.array[k]).max() <= STEP


def test_gray_by_our_own_reader(written) -> None:
    result, folder = written
    series = read_series(folder / "fused")
    assert series.notes == []
    matrix = series.volume.geometry.ijk_to_lps
    # Through the Real World Value Mapping that every fused image carries.
    assert series.volume.attributes["units"] == "1"
    same_place(result.fused, series.volume.array, matrix, STEP)


@pytest.mark.parametrize("key", ["reliability_fixed", "reliability_moving", "arbitration"])
def test_maps_by_highdicom(written, key: str) -> None:
    highdicom = pytest.importorskip("highdicom")
    if not hasattr(highdicom, "imread"):
        pytest.skip("this highdicom has no reader of images yet")
    result, folder = written
    image = highdicom.imread(folder / "maps" / f"{key}.dcm")
    volume = image.get_volume(apply_real_world_transform=True)
    # highdicom's axes are slice, row, column.
    matrix = volume.affine[:, [2, 1, 0, 3]]
    same_place(result.maps[BY_NAME[key].series], volume.array, matrix, 0)


@pytest.mark.parametrize("key", ["reliability_fixed", "arbitration"])
def test_maps_by_our_own_reader(written, key: str) -> None:
    result, folder = written
    series = read_series(folder / "maps" / f"{key}.dcm")
    assert series.volume.attributes["units"] == "1"
    same_place(
        result.maps[BY_NAME[key].series], series.volume.array, series.volume.geometry.ijk_to_lps, 0
    )


@pytest.mark.parametrize(
    "name",
    [
        "d2n_hitachi_anatomical_001",
        "d2n_failing/gantrytilting",
        "d2n_philips_enhanced_anatomical_001",
        "d2n_siemens_anatomical_001",
        "sts_008_ct_pt_mr/PET",
        "sts_008_ct_pt_mr/MR_T1",
        "pydicom_small/MR_small.dcm",
    ],
)
def test_on_the_grid_of_real_series(dicom_data: Path, make_result, tmp_path: Path, name) -> None:
    context = read_series(dicom_data / name).context
    result = make_result(context.geometry)
    export_result(ResultVolumes(result.fused, result.maps), tmp_path / "out", context)
    array, matrix = _itk(tmp_path / "out" / "fused")
    same_place(result.fused, array.reshape(result.fused.array.shape) * STEP, matrix, STEP)
    back = read_series(tmp_path / "out" / "maps" / "arbitration.dcm").volume
    same_place(result.maps[BY_NAME["arbitration"].series], back.array, back.geometry.ijk_to_lps, 0)
