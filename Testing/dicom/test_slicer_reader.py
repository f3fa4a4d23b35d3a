"""Slicer's own reader (vtkITK behind a MRML storage node) on exported images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from WDualMineLib.dicom.export import ResultVolumes, export_result
from WDualMineLib.dicom.read import read_series
from WDualMineLib.volumes.geometry import Geometry

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

_TURNED = (0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1)
GRIDS = {
    "axial": Geometry(
        (6, 5, 4), (0.488281, 0.488281, 2.5), (-125.5, -101.25, 30.1), (1, 0, 0, 0, 1, 0, 0, 0, 1)
    ),
    "oblique": Geometry((6, 5, 4), (0.5, 0.8, 1.23456789), (-83.90625, 91.2, -100.5), _TURNED),
    "sagittal": Geometry((6, 5, 4), (1, 1.2, 0.6), (7.2, -161, 130), (0, 0, -1, 1, 0, 0, 0, -1, 0)),
}


@pytest.fixture(scope="module", params=GRIDS)
def written(request, make_result, tmp_path_factory):
    result = make_result(GRIDS[request.param])
    folder = tmp_path_factory.mktemp("slicer") / "out"
    export_result(result, folder)
    return result, folder


def _read(folder: Path, node_class: str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (K, J, I[, 3]) and IJK to LPS, as Slicer has them."""
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass(node_class)
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    scene.AddNode(storage)
    files = sorted(str(path) for path in folder.iterdir())
    storage.SetFileName(files[0])
    for name in files:
        storage.AddFileName(name)
    storage.SetSingleFile(0)
    assert storage.ReadData(node) == 1
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    to_ras = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
    image = node.GetImageData()
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    shape = image.GetDimensions()[::-1]
    channels = image.GetNumberOfScalarComponents()
    array = values.reshape(*shape, channels) if channels > 1 else values.reshape(shape)
    return array, np.diag([-1.0, -1.0, 1.0, 1.0]) @ to_ras


def test_gray(written) -> None:
    result, folder = written
    array, to_lps = _read(folder / "fused", "vtkMRMLScalarVolumeNode")
    assert np.abs(to_lps - result.fused.geometry.ijk_to_lps).max() < 1e-4
    assert np.abs(array / 65535 - result.fused.array).max() <= 1 / 65535


@pytest.mark.parametrize(
    "name", ["d2n_hitachi_anatomical_001", "d2n_failing/gantrytilting", "sts_008_ct_pt_mr/PET"]
)
def test_on_the_grid_of_real_series(dicom_data: Path, make_result, tmp_path: Path, name) -> None:
    context = read_series(dicom_data / name).context
    result = make_result(context.geometry)
    export_result(ResultVolumes(result.fused), tmp_path / "out", context)
    array, to_lps = _read(tmp_path / "out" / "fused", "vtkMRMLScalarVolumeNode")
    i, j, k = np.subtract(context.geometry.size, 1)
    ends = np.array([[0, 0, 0, 1], [i, 0, 0, 1], [0, j, 0, 1], [0, 0, k, 1], [i, j, k, 1]]).T
    assert np.abs((to_lps - context.geometry.ijk_to_lps) @ ends).max() < 1e-4
    assert np.abs(array / 65535 - result.fused.array).max() <= 1 / 65535


def test_colour(written) -> None:
    result, folder = written
    array, to_lps = _read(folder / "fused_colour", "vtkMRMLVectorVolumeNode")
    assert np.abs(to_lps - result.fused.geometry.ijk_to_lps).max() < 1e-4
    assert np.array_equal(array, result.colour.array)
