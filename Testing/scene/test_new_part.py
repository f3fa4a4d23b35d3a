"""A new map is one row of the table: files, pictures, nodes, overlays and DICOM follow from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed")

PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from WDualMineLib import palettes
from WDualMineLib.dicom.series import SeriesKind
from WDualMineLib.pipeline import parts

# One hue a source, transparent in the middle.
ramp = np.linspace(-1, 1, 256)
palettes.PALETTES["warmth"] = np.stack(
    [255 * (ramp > 0), 0 * ramp, 255 * (ramp < 0), 255 * np.abs(ramp)], axis=1
).astype(np.uint8)
row = parts.Part(
    "warmth", "{pair} warmth", "Warmth", "warmth.nrrd",
    SeriesKind("warmth", 107, "Warmth of {fixed} and {moving}", "maps", "WARMTH",
               "Warmth of either source", (-1.0, 1.0)),
    "warmth", ("of the fixed volume", "of the moving volume"), shown_from=None, optional=True,
)
parts.PARTS += (row,)
parts.MAPS += (row,)
parts.BY_NAME[row.name] = row
parts.BY_CONTENT_LABEL[row.series.label] = row

import WDualMineLib as wd
from WDualMineLib.fusion.slices import slicings
from WDualMineLib.pipeline.pair import prepare
from WDualMineLib.pipeline.look import NetworkOutput
from WDualMineLib.pipeline.result import assemble
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

folder = Path(sys.argv[1])
grid = Geometry((12, 14, 6), (2, 2, 3), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
rng = np.random.default_rng(0)
one, other = (Volume(rng.uniform(0, 100, grid.array_shape).astype(np.float32), grid, n)
              for n in ("MR", "CT"))
settings = wd.FusionSettings((0, 100), (0, 100))
pair = prepare(one, other, settings)
half = np.full(grid.array_shape, 0.5, np.float32)
result = assemble(pair, NetworkOutput(0 * half, half, half, slicings(grid, "axial")[0]), settings)
warmth = np.linspace(-1, 1, half.size, dtype=np.float32).reshape(half.shape)
result = replace(result, volumes={**result.volumes, "warmth": Volume(warmth, grid, "s")})

loaded = wd.load(wd.save(result, folder / "result"))
assert np.array_equal(loaded.part("warmth").array, warmth)
written = [f.relative_to(folder / "dicom").as_posix()
           for f in wd.export_dicom(loaded, folder / "dicom").files]
assert "maps/warmth.dcm" in written
back = wd.read(folder / "dicom" / "maps" / "warmth.dcm").array
assert np.array_equal(back, warmth)

from WDualMineLib.cli.pictures.fusion_overview import draw_overview

titles = [text.get_text() for text in draw_overview(result).axes[0].texts]
assert "Warmth\\nover the fused volume" in titles

from WDualMineLib.scene.application.choices import Map
from WDualMineLib.scene.application.scene_files import headless_scene
from WDualMineLib.scene.result.result_nodes import add_outputs, results_in
from WDualMineLib.scene.result.volume_nodes import add_volume, array_of
from WDualMineLib.scene.views.inspection import Inspection

assert Map.WARMTH.label() == "Warmth"
with headless_scene() as scene:
    add_outputs(scene, result, add_volume(scene, one), add_volume(scene, other))
    (nodes,) = results_in(scene)
    node = nodes.parts["warmth"]
    assert node.GetName() == "MR + CT warmth" and np.array_equal(array_of(node), warmth)
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-1, 1)
    rgba = [0.0] * 4
    display.GetColorNode().GetColor(128, rgba)
    assert rgba[3] < 0.01, "transparent in the middle"
    Inspection(scene).map_overlay(nodes, Map.WARMTH, 0.55, 1.0)
    assert not display.GetApplyThreshold()
"""


def test_a_row_is_all_that_a_map_needs(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
