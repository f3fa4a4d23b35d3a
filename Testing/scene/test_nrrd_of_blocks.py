"""3D Slicer's own NRRD reader takes what is compressed in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")

from WDualMineLib.volumes import blocked_gzip
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume
from WDualMineLib.volumes.writing import write_volume


def test_every_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vtk.util.numpy_support import vtk_to_numpy

    monkeypatch.setattr(blocked_gzip, "_BLOCK", 4096)
    array = np.random.default_rng(0).random((20, 30, 40), dtype=np.float32)
    array[:5] = 0.5
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    volume = Volume(array, Geometry((40, 30, 20), (1.0,) * 3, (0.0,) * 3, identity), "blocks")
    path = write_volume(volume, tmp_path / "blocks.nrrd")

    reader = slicer.vtkTeemNRRDReader()
    reader.SetFileName(str(path))
    reader.Update()

    scalars = reader.GetOutput().GetPointData().GetScalars()
    np.testing.assert_array_equal(vtk_to_numpy(scalars).reshape(array.shape), array)
