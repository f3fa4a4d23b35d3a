"""Volumes to nodes and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from WDualMineLib.volumes.volume import Volume

from .conftest import GEOMETRY

pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.result.volume_nodes import add_volume, update_volume, volume_of

LEFT_HANDED = replace(GEOMETRY, direction=tuple(-x for x in GEOMETRY.direction))


@pytest.mark.parametrize("geometry", [GEOMETRY, LEFT_HANDED], ids=["right", "left"])
def test_geometry_and_voxels_come_back_to_the_last_bit(scene, pair, geometry) -> None:
    array = pair[0].array
    back = volume_of(add_volume(scene, Volume(array, geometry, "Fixed", "MR")))
    assert back.geometry == geometry
    assert np.array_equal(back.array, array) and back.array.dtype == np.float32
    assert (back.name, back.modality) == ("Fixed", "MR")


def test_the_node_places_voxels_where_the_volume_has_them(scene, pair) -> None:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    add_volume(scene, pair[0]).GetIJKToRASMatrix(matrix)
    ras = np.array(matrix.MultiplyPoint((3, 5, 7, 1)))
    lps = GEOMETRY.ijk_to_lps @ [3, 5, 7, 1]
    assert ras == pytest.approx(lps * [-1, -1, 1, 1])


def test_a_colour_volume_becomes_a_vector_volume(scene) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*GEOMETRY.array_shape, 3)).astype(np.uint8)
    node = add_volume(scene, Volume(rgb, GEOMETRY, "Colour"))
    assert node.IsA("vtkMRMLVectorVolumeNode") and node.GetDisplayNode()
    assert np.array_equal(volume_of(node).array, rgb)


def test_names_stay_unique_and_an_update_refreshes_once(scene, pair) -> None:
    node, other = add_volume(scene, pair[0]), add_volume(scene, pair[0])
    assert node.GetName() != other.GetName()
    refreshed = []
    node.AddObserver("ModifiedEvent", lambda *_: refreshed.append(1))
    update_volume(node, pair[0].with_array(pair[0].array + 1))
    assert len(refreshed) == 1
    assert np.array_equal(volume_of(node).array, pair[0].array + 1)
