"""What earlier versions wrote still opens, and can still be changed, measured and exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import WDualMineLib as wd
from WDualMineLib.errors import InputError
from WDualMineLib.progress import finish

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
VERSIONS = sorted(path.name for path in FIXTURES.iterdir())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_result_folder(version: str, tmp_path: Path) -> None:
    result = wd.load(FIXTURES / version / "result")
    assert set(result.volumes) == {
        "fused", "colour", "reliability_fixed", "reliability_moving", "arbitration",
    }  # fmt: skip
    assert result.settings.colour == "PET-Heat" and result.record.moving.window.name == "pet"
    assert result.alignment.transform.TransformPoint((0.0, 0.0, 0.0)) == (2.0, 0.0, 0.0)
    assert result.alignment.verdict == "good" and result.measures["mi"] > 1
    exported = wd.export_dicom(result, tmp_path / "dicom")
    assert len(exported.files) == 2 * result.fused.geometry.size[2] + 3
    again = wd.load(wd.save(result, tmp_path / "again"))
    assert np.array_equal(again.fused.array, result.fused.array)
    assert again.measures == result.measures and again.record == result.record


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scene(version: str, scene) -> None:
    from WDualMineLib.scene.application.scene_files import load_scene
    from WDualMineLib.scene.result.look import Look
    from WDualMineLib.scene.result.measuring import Measures
    from WDualMineLib.scene.result.recovery import stored_result
    from WDualMineLib.scene.result.result_nodes import results_in
    from WDualMineLib.scene.result.workflow import Outcome

    load_scene(scene, FIXTURES / version / "scene.mrb")
    (nodes,) = results_in(scene)
    assert nodes.colour is not None and len(nodes.all()) == 5
    stored = stored_result(nodes)
    assert stored.record.moving.window.name == "pet"
    assert stored.alignment.transform.TransformPoint((0.0, 0.0, 0.0)) == pytest.approx((2, 0, 0))
    assert finish(Measures(scene).steps(nodes)).whole["CC/bound"] > 0.98
    changed = finish(Look(scene).steps(Outcome(nodes, None), 0.5, 0.99)).result
    assert changed.settings.strength == 0.5
    assert np.abs(changed.fused.array - stored.fused.array).max() > 0.01


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scene_whose_source_was_moved_since_says_so(version: str, scene) -> None:
    """Though another version made it, whose tones need not be this one's."""
    from WDualMineLib.scene.application.scene_files import load_scene
    from WDualMineLib.scene.result.recovery import recover_steps
    from WDualMineLib.scene.result.result_nodes import MOVING_ROLE, results_in

    load_scene(scene, FIXTURES / version / "scene.mrb")
    (nodes,) = results_in(scene)
    moving = nodes.fused.GetNodeReference(MOVING_ROLE)
    moving.SetOrigin(np.add(moving.GetOrigin(), (5.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="are not what MR \\+ PET fused was made of"):
        finish(recover_steps(nodes))
