"""Save, close, load: voxels and verdict come back, and nothing of a patient stays in the panel."""

from __future__ import annotations

import numpy as np

from ...result.result_nodes import results_in
from ...result.volume_nodes import array_of
from ..scene_files import load_scene, save_scene
from .bench import Bench

LABELS = (
    "status", "verdict", "look", "region", "export", "doubts", "case", "suggestion", "preview",
)  # fmt: skip


def note_texts(bench: Bench) -> None:
    """What the panel says before there is anything."""
    bench.kept["texts"] = {name: getattr(bench.ui, f"{name}Label").text for name in LABELS}


def save_and_close(bench: Bench) -> None:
    """After closing, the panel says what it says over an empty scene."""
    checks = bench.checks
    bench.kept["voxels"] = array_of(bench.session.nodes.fused).copy()
    bench.kept["scene"] = bench.folder / "scene.mrb"
    save_scene(bench.scene, bench.kept["scene"])
    bench.scene.Clear(0)
    bench.hands.settle()
    checks.that(bench.session.nodes is None, "a closed scene is not known any more")
    for name in LABELS:
        text = getattr(bench.ui, f"{name}Label").text
        fresh = not text or text == bench.kept["texts"][name]
        checks.that(fresh, f"after closing the scene nothing is left of {name}", repr(text))
    checks.that(not bench.ui.doubtsTable.rowCount, "nor in the list of doubtful regions")
    for name in ("fuseAnywayButton", "discardAlignmentButton"):
        checks.that(not getattr(bench.ui, name).visible, f"{name} asks nothing any more")


def load(bench: Bench) -> None:
    """A loaded result can be measured and takes another look."""
    checks, ui = bench.checks, bench.ui
    load_scene(bench.scene, bench.kept["scene"])
    found = results_in(bench.scene)
    if not checks.that(len(found) == 1, "the result is in the loaded scene", len(found)):
        return
    same = np.array_equal(array_of(found[0].fused), bench.kept["voxels"])
    checks.that(same, "its voxels are what they were")
    bench.widget.enter()
    bench.hands.wait("Loading")
    checks.that(
        ui.measureButton.enabled, "a loaded result can be measured", ui.measureButton.toolTip
    )
    ui.strengthSlider.value = 0.5
    bench.hands.wait("changing the look of a loaded result")
    told = found[0].fused.GetAttribute("WDualMine.strength")
    checks.that(told == "0.5", "a loaded result takes another look", ui.lookLabel.text)
