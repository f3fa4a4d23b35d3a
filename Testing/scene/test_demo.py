"""``wdualmine demo`` from sources to scene, with small volumes in place of the packaged ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from WDualMineLib.cli import demo
from WDualMineLib.cli.main import main
from WDualMineLib.fusion.settings import FusionSettings
from WDualMineLib.pipeline.alignment import Alignment
from WDualMineLib.registration.registration_result import Verdict
from WDualMineLib.volumes.reading import read_volume
from WDualMineLib.volumes.volume import Volume

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from WDualMineLib.scene.application.scene_files import load_scene
from WDualMineLib.scene.result.node_placement import alignment_between
from WDualMineLib.scene.result.result_nodes import FIXED_ROLE, MOVING_ROLE, results_in


@pytest.fixture(scope="module")
def runs(pair: tuple[Volume, Volume]) -> Iterator[None]:
    """Two fusions of the small pair: one in colour, one grey with the roles exchanged."""
    one, other = (v.with_array(v.array, source="made for this test") for v in pair)
    made = [
        demo._Run("first", one, other, FusionSettings(moving_window=(0, 100), colour="PET-Heat")),
        demo._Run("second", other, one, FusionSettings(fixed_window=(0, 100))),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "_runs", lambda cache: made)
        yield


@pytest.fixture(scope="module")
def shown(runs: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder that a demo filled, and the lines that it printed."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    with redirect_stdout(StringIO()) as said:
        assert main(["demo", "-o", str(folder)]) == 0
    return folder, said.getvalue().splitlines()


def test_the_demo_leaves_what_it_promises(shown: tuple[Path, list[str]], scene) -> None:
    folder, said = shown
    for line in said:
        if line.startswith(f"  {folder}"):
            assert Path(line.strip()).is_file(), f"said to be there: {line}"
    for name in ("first", "second"):
        report = json.loads((folder / name / "report.json").read_text())
        assert all((folder / name / output).is_file() for output in report["outputs"])
        assert (folder / f"slices-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert read_volume(folder / "sources" / "fixed.nrrd").array.any()
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]

    load_scene(scene, folder / "scene.mrb")
    first, second = results_in(scene)
    assert first.colour is not None and second.colour is None
    assert first.fused.GetNodeReference(MOVING_ROLE).GetName() == "Moving"
    written = read_volume(folder / "first" / "fused.nrrd").array
    assert np.array_equal(slicer.util.arrayFromVolume(first.fused), written)


def test_the_commands_it_prints_can_be_typed(shown: tuple[Path, list[str]]) -> None:
    folder, said = shown
    command = [line for line in said if line.startswith("$ ")][1]
    before = (folder / "second" / "fused.nrrd").read_bytes()
    assert main([*command.split()[2:], "--force"]) == 0
    assert (folder / "second" / "fused.nrrd").read_bytes() == before


def test_its_scene_knows_the_verdict_on_the_alignment(scene, result, pair) -> None:
    """The panel would call the pair "Not registered yet" otherwise."""
    from WDualMineLib.cli.demo_scene import DemoPair, _fill

    transform = sitk.Euler3DTransform()
    transform.SetTranslation((1.0, 2.0, 3.0))
    alignment = Alignment("affine", transform, Verdict.GOOD, ("two starts agree",))
    _fill(scene, [DemoPair("pair", *pair, replace(result, alignment=alignment))])
    (nodes,) = results_in(scene)
    fixed, moving = (nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
    assert alignment_between(fixed, moving) == ("good", "two starts agree")


def test_it_does_not_replace_an_earlier_demo_unasked(runs: None, tmp_path, capsys) -> None:
    (tmp_path / "scene.mrb").write_bytes(b"earlier")
    assert main(["demo", "-o", str(tmp_path)]) == 2
    assert "--force" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["scene.mrb"]


def test_without_slicer_core_it_fuses_and_says_what_is_missing(
    runs: None, tmp_path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.importlib.util, "find_spec", lambda name: None)
    assert main(["demo", "-o", str(tmp_path / "out")]) == 0
    assert "slicer-core is not installed" in capsys.readouterr().out
    assert (tmp_path / "out" / "first" / "fused.nrrd").is_file()
    assert not (tmp_path / "out" / "scene.mrb").exists()
