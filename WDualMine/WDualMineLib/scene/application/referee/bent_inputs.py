"""An input under a transform that is not linear: Apply goes off at once, and says why."""

from __future__ import annotations

from .bench import Bench


def bend(bench: Bench) -> None:
    """No parameter changes: the panel has to notice by itself."""
    ui, checks = bench.ui, bench.checks
    before = bench.moving.GetTransformNodeID()
    bent = bench.scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "Bent")
    bench.moving.SetAndObserveTransformNodeID(bent.GetID())
    bench.hands.settle()
    checks.that(not ui.applyButton.enabled, "Apply is off while an input is bent")
    checks.that("not linear" in ui.applyButton.toolTip, "and says why", ui.applyButton.toolTip)
    checks.that("not linear" in ui.reasonLabel.text, "in the panel, too", ui.reasonLabel.text)
    bench.moving.SetAndObserveTransformNodeID(before)
    bench.scene.RemoveNode(bent)
    bench.hands.settle()
    checks.that(ui.applyButton.enabled, "Apply is on again without it", ui.applyButton.toolTip)
