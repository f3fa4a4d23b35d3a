"""Python, command line, panel, preview and a loaded scene do one job: the same comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("slicer", reason="slicer-core is not installed")

import SimpleITK as sitk
import WDualMineLib as wd
from WDualMineLib.cli.main import main
from WDualMineLib.pipeline.result import Result
from WDualMineLib.progress import finish
from WDualMineLib.quality.volume_measures import VOLUME_METRICS
from WDualMineLib.volumes.geometry import Geometry
from WDualMineLib.volumes.volume import Volume

# Rounding of 32 bits, twice resampled; nothing that anyone could see.
_SAME = 1e-5
# A loaded scene keeps the network's part in 16 bits.
_LOADED = 1e-4
_MEASURES = (
    "cc_over_bound",
    "cc_over_bound_in_head",
    "cc_over_bound_in_colour",
    "floor_kept",
    "flicker",
    "mi",
    "ssim",
    "qabf",
)
_SETTINGS = wd.FusionSettings("mr", "pet", colour="PET-Heat", device="cpu")

pytestmark = pytest.mark.usefixtures("simple_network")


def head(name: str, size, spacing, origin, seed: int) -> Volume:
    """Texture within an ellipsoid, seen by one of two scanners."""
    axes = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    grid = Geometry(size, spacing, origin, axes)
    k, j, i = np.indices(grid.array_shape)
    x, y, z = (o + s * n for o, s, n in zip(origin, spacing, (i, j, k), strict=True))
    inside = (x / 22) ** 2 + (y / 26) ** 2 + (z / 24) ** 2 < 1
    noise = np.random.default_rng(seed).normal(0, 3, inside.shape)
    texture = 300 + 180 * np.cos(x / (3 + seed)) * np.cos(y / 5 + seed) + noise
    return Volume(np.where(inside, texture, 5 + noise).astype(np.float32), grid, name)


@pytest.fixture(scope="module")
def pair() -> tuple[Volume, Volume]:
    """An MR, and a PET that sees two thirds of it, lies 4 mm aside and has a hot spot."""
    mr = head("mr", (28, 32, 24), (2.0, 2.0, 2.5), (-27.0, -31.0, -28.75), 0)
    pet = head("pet", (18, 20, 12), (3.0, 3.0, 3.3), (-21.5, -28.5, -26.0), 1)
    pet.array[4:7, 9:12, 8:11] = 1500
    return mr, pet


@pytest.fixture(scope="module")
def transform() -> sitk.Transform:
    found = sitk.Euler3DTransform()
    found.SetRotation(0.02, -0.03, 0.05)
    found.SetTranslation((4.0, -1.0, 2.0))
    return found


@pytest.fixture
def files(pair, transform, tmp_path) -> tuple[Path, Path, Path]:
    """The same on the disk: MR, PET and transform."""
    mr, pet = (wd.write_volume(v, tmp_path / f"{v.name}.nrrd") for v in pair)
    sitk.WriteTransform(transform, str(tmp_path / "aside.tfm"))
    return mr, pet, tmp_path / "aside.tfm"


@pytest.fixture
def wanted(files) -> Result:
    """What the Python interface gives, measured."""
    mr, pet, aside = files
    result = wd.fuse(mr, pet, _SETTINGS, registration=aside)
    return result.with_measures(finish(result.measure_steps()))


@pytest.fixture
def panel(pair, transform, scene, driver, session, shown_widget):
    """The panel with the same pair chosen."""
    from WDualMineLib.scene.result.node_placement import add_registration
    from WDualMineLib.scene.result.volume_nodes import add_volume

    for volume in pair:
        add_volume(scene, volume)
    node = add_registration(scene, transform, "aside")
    shown_widget[1].enter()
    assert driver.ui.pairCombo.currentText() == "MR + PET", "by their names"
    driver.choose("registrationCombo", "An existing transform")
    session.parameters.transform = node
    return driver


def applied(panel, session) -> Result:
    panel.click("applyButton")
    panel.wait_until(lambda: not session.running)
    assert session.outcome is not None, panel.text("statusLabel")
    return session.outcome.result


def windows_of(result: Result) -> list[tuple]:
    windows = (result.record.fixed.window, result.record.moving.window)
    return [(w.name, pytest.approx(w.low), pytest.approx(w.high), w.units) for w in windows]


def assert_agree(found: Result, wanted: Result, within: float = _SAME) -> None:
    """Windows, notes, voxels and, as far as there are, measures."""
    assert windows_of(found) == windows_of(wanted)
    assert found.notes == wanted.notes
    assert found.volumes.keys() == wanted.volumes.keys()
    for name, volume in wanted.volumes.items():
        tolerance = 1 if name == "colour" else within  # a grey level of 8 bits, for rounding
        difference = np.abs(found.volumes[name].array.astype(float) - volume.array)
        assert difference.max() <= tolerance, name
        assert np.allclose(found.volumes[name].geometry.corners(), volume.geometry.corners())
    measures = {key: found.measures.get(key) for key in _MEASURES}
    assert measures == pytest.approx({key: wanted.measures[key] for key in _MEASURES}, abs=2e-3)


def test_the_pair_is_one_that_can_disagree(wanted) -> None:
    """Else the other tests would hold for nothing."""
    assert any("lies inside pet" in note for note in wanted.notes)
    assert any("was resampled" in note for note in wanted.notes)
    assert wanted.colour is not None and wanted.record.functional == "moving"
    assert wanted.alignment.verdict is not None
    assert wanted.measures["floor_kept"] < 1, "the floor acts"


def test_the_command_line_agrees(files, wanted, tmp_path) -> None:
    mr, pet, aside = map(str, files)
    options = ["--registration", aside, "--fixed-window", "mr", "--moving-window", "pet"]
    options += ["--colour", "PET-Heat", "--device", "cpu", "-o", str(tmp_path / "out")]
    assert main(["fuse", mr, pet, *options]) == 0
    found = wd.load(tmp_path / "out")
    assert_agree(found, wanted)
    assert found.alignment.verdict is wanted.alignment.verdict


def test_what_is_saved_in_python_agrees(wanted, tmp_path) -> None:
    assert_agree(wd.load(wd.save(wanted, tmp_path / "out")), wanted, 0.0)


def test_the_panel_agrees(panel, session, wanted) -> None:
    result = applied(panel, session)
    assert_agree(result.with_measures(finish(result.measure_steps())), wanted)
    words = {"good": "Good alignment", "doubtful": "Doubtful alignment"}
    assert panel.text("verdictLabel").startswith(words[wanted.alignment.verdict.value])


def test_its_measures_agree(panel, session, wanted) -> None:
    """With the luminance of the colours, which is what was fused."""
    applied(panel, session)
    panel.click("measureButton")
    panel.wait_until(lambda: not session.running)
    table = panel.ui.measuresTable
    shown = {name: float(table.item(row, 0).text()) for row, name in enumerate(VOLUME_METRICS)}
    figures = finish(wanted.measure_steps()).whole
    assert shown == pytest.approx(figures, abs=2e-3)


def test_the_preview_agrees(panel, session, scene, wanted) -> None:
    from WDualMineLib.fusion.slices import slicings
    from WDualMineLib.scene.views.live_preview import LivePreview

    request = session.request()
    # The floor is that of a slice in the one, and of the volume in the other.
    request = replace(request, settings=replace(request.settings, correlation_floor=0.0))
    shown = LivePreview(scene).fuse(request)
    without_floor = wanted.with_look(correlation_floor=0.0)
    slicing = slicings(wanted.fused.geometry, "axial")[0]
    index = wanted.fused.geometry.size[2] // 2

    def slice_of(array: np.ndarray) -> np.ndarray:
        return slicing.stack(np.take(array, [index], slicing.permutation[0]))[0]

    pair = wanted.pair
    assert (shown.pair.fixed_window, shown.pair.moving_window) == (
        pair.fixed_window,
        pair.moving_window,
    )
    assert list(shown.pair.notes) == wanted.notes[: len(shown.pair.notes)]
    for found, whole in ((shown.pair.fixed, pair.fixed), (shown.pair.moving, pair.moving)):
        assert slicing.stack(found)[0] == pytest.approx(slice_of(whole), abs=_SAME)
    assert shown.fused == pytest.approx(slice_of(without_floor.fused.array), abs=1e-3)
    coloured = slice_of(without_floor.colour.array).astype(int)
    assert np.abs(shown.picture - coloured).max() <= 1, "in colour, where colour is chosen"


def test_a_loaded_scene_agrees(panel, session, scene, wanted, tmp_path) -> None:
    from WDualMineLib.scene.application.scene_files import headless_scene, load_scene, save_scene
    from WDualMineLib.scene.result.recovery import recover_steps, stored_result
    from WDualMineLib.scene.result.result_nodes import results_in

    applied(panel, session)
    save_scene(scene, tmp_path / "scene.mrb")
    with headless_scene() as other:
        load_scene(other, tmp_path / "scene.mrb")
        (nodes,) = results_in(other)
        result = finish(recover_steps(nodes))
        assert_agree(result.with_measures(finish(result.measure_steps())), wanted, _LOADED)
        stored = stored_result(nodes)
    assert np.abs(stored.fused.array - wanted.fused.array).max() <= _SAME
    assert stored.record.described() == wanted.record.described(), "the words of DICOM objects"
    matrix = stored.record.moving_to_fixed
    assert np.allclose(matrix, wanted.record.moving_to_fixed, atol=1e-9)
