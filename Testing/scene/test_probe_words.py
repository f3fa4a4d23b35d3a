"""What the data probe says over a result: meanings, and the sources' values in their units."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")
from dataclasses import replace

from WDualMineLib.scene.application.probe_words import describe, extend
from WDualMineLib.scene.application.window_presets import offer_windows
from WDualMineLib.scene.result.result_nodes import add_outputs, write_record
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of


@pytest.fixture
def nodes(scene, pair, result):
    sources = [add_volume(scene, volume) for volume in pair]
    nodes = add_outputs(scene, result, *sources)
    record = result.record
    moving = replace(record.moving.window, units="Bq/ml", suv_factor=0.01)
    fixed = replace(record.fixed.window, units="HU")
    write_record(
        nodes.fused,
        replace(
            record,
            fixed=replace(record.fixed, window=fixed),
            moving=replace(record.moving, window=moving),
        ),
    )
    return nodes, sources


def test_over_the_fused_volume_both_sources_are_read_in_their_units(nodes) -> None:
    parts, (fixed, moving) = nodes
    array_of(fixed)[6, 10, 8], array_of(moving)[6, 10, 8] = 38.2, 512.0
    array_of(parts.fused)[6, 10, 8] = 0.5234
    said = describe(parts.fused, (8, 10, 6))
    assert said == "0.523, no unit; Fixed 38.2 HU; Moving 512 Bq/ml (SUV 5.12)"


def test_a_moving_volume_that_was_shifted_is_read_where_it_lies_now(nodes, scene) -> None:
    import vtk

    parts, (_, moving) = nodes
    array_of(moving)[:] = 0
    array_of(moving)[6, 10, 8] = 77
    matrix = vtk.vtkMatrix4x4()
    moving.GetIJKToRASMatrix(matrix)
    shift = vtk.vtkMatrix4x4()
    for row in range(3):
        shift.SetElement(row, 3, 2 * matrix.GetElement(row, 0))  # two voxels along I
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(shift)
    moving.SetAndObserveTransformNodeID(transform.GetID())
    assert "Moving 77" in describe(parts.fused, (10, 10, 6))
    assert "Moving outside" in describe(parts.fused, (0, 10, 6))


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("reliability_fixed", 0.12, "0.12: fault in Fixed 88 % likely"),
        ("reliability_fixed", 0.5, "0.50: nothing suspected"),
        ("reliability_fixed", 0.9, "0.90: fault in Moving 90 % likely"),
        ("reliability_moving", 0.12, "0.12: fault in Moving 88 % likely"),
        ("arbitration", 0.7, "0.70: spatial expert 70 %"),
    ],
)
def test_maps_say_what_their_values_mean(nodes, part, value, said) -> None:
    node = nodes[0].parts[part]
    array_of(node)[3, 4, 5] = value
    assert describe(node, (5, 4, 3)) == said


def test_colours_other_volumes_and_places_outside(nodes) -> None:
    parts, (fixed, _) = nodes
    assert describe(parts.colour, (5, 4, 3)).startswith("RGB ")
    assert describe(fixed, (5, 4, 3)) == ""
    assert describe(parts.fused, (-1, 0, 0)) == "" == describe(parts.fused, (99, 0, 0))


def test_the_probe_says_it_for_results_and_its_own_for_the_rest(nodes) -> None:
    parts, (fixed, _) = nodes
    probe = SimpleNamespace(generateIJKPixelValueDescription=lambda ijk, layer: "<b>its own</b>")

    def said(node):
        layer = SimpleNamespace(GetVolumeNode=lambda: node)
        return probe.generateIJKPixelValueDescription((5, 4, 3), layer)

    extend(probe)
    extend(probe)  # the module was reloaded
    assert said(fixed) == "<b>its own</b>" == said(None)
    assert "no unit" in said(parts.fused) and said(parts.fused).count("<b>") == 1
    parts.fused.SetAttribute("WDualMine.strength", "damaged")
    assert said(parts.fused) == "<b>its own</b>"


def test_results_declare_that_they_have_no_unit(nodes) -> None:
    units = nodes[0].arbitration.GetVoxelValueUnits()
    assert (units.GetCodeValue(), units.GetCodingSchemeDesignator()) == ("1", "UCUM")


def test_a_ct_offers_the_windows_it_is_fused_in_beside_those_of_dicom(nodes) -> None:
    _, (fixed, moving) = nodes
    display = fixed.GetDisplayNode()
    display.AddWindowLevelPreset(80.0, 40.0)  # of DICOM, and one of ours
    for _ in range(2):
        offer_windows(fixed, "HU")
    presets = [
        (display.GetWindowPreset(n), display.GetLevelPreset(n))
        for n in range(display.GetNumberOfWindowLevelPresets())
    ]
    assert presets == [(80.0, 40.0), (2000.0, 500.0), (400.0, 40.0)]
    offer_windows(moving, "Bq/ml")
    assert moving.GetDisplayNode().GetNumberOfWindowLevelPresets() == 0
    assert np.isfinite(presets).all()
