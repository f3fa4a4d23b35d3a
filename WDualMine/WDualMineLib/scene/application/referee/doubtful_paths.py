"""A doubtful alignment: nothing is fused, until Fuse anyway; Discard puts everything back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import SimpleITK as sitk

from ....pipeline.alignment import Alignment
from ....pipeline.request import Request
from ....progress import Progress, Steps
from ....registration.registration_result import Verdict
from ...result import workflow
from .bench import Bench

_REASON = "two starts ended 7 mm apart"
_SHIFT_MM = 4.0


def discard_and_fuse_anyway(bench: Bench) -> None:
    """Both ways out of a doubt, with an alignment that is doubtful for certain."""
    ui, checks = bench.ui, bench.checks
    bench.hands.choose(ui.registrationCombo, "Rigid")
    before, fused = _transforms(bench), bench.session.nodes.fused.GetMTime()
    with _doubtful_registration():
        _register(bench)
        bench.hands.click(ui.discardAlignmentButton)
        checks.that(_transforms(bench) == before, "Discard leaves no transform behind")
        checks.that(bench.moving.GetTransformNodeID() is None, "and puts the moving volume back")
        checks.that("discarded" in ui.verdictLabel.text, "and says so", ui.verdictLabel.text)
        checks.that(not ui.fuseAnywayButton.visible, "nothing is asked any more after Discard")
        _register(bench)
        checks.that(
            bench.session.nodes.fused.GetMTime() == fused, "nothing was fused while it was asked"
        )
        bench.hands.click(ui.fuseAnywayButton)
        bench.hands.wait("Fuse anyway")
    checks.that("Fused." in ui.statusLabel.text, "Fuse anyway fuses", ui.statusLabel.text)
    placed = bench.moving.GetParentTransformNode()
    checks.that(placed is not None, "the moving volume stays where the alignment put it")
    checks.that(not ui.discardAlignmentButton.visible, "nothing is asked after Fuse anyway")
    if placed is not None:
        bench.moving.SetAndObserveTransformNodeID(None)
        bench.scene.RemoveNode(placed)
    bench.hands.choose(ui.registrationCombo, "Off")
    bench.hands.click(ui.applyButton)
    bench.hands.wait("Apply as they lie")


def register_for_real(bench: Bench) -> None:
    """Whatever the verdict, it is told; a doubt is settled by Discard."""
    ui = bench.ui
    bench.hands.choose(ui.registrationCombo, "Rigid")
    with bench.stays_alive("a registration"):
        bench.hands.click(ui.applyButton)
        bench.hands.wait("Registration")
    told = ui.verdictLabel.text + ui.statusLabel.text
    bench.checks.that("align" in told.lower(), "the verdict on a registration is told", told)
    if ui.discardAlignmentButton.visible:
        bench.hands.click(ui.discardAlignmentButton)
    bench.hands.choose(ui.registrationCombo, "Off")


def _register(bench: Bench) -> None:
    ui, checks = bench.ui, bench.checks
    bench.hands.click(ui.applyButton)
    bench.hands.wait("Registration")
    checks.that("Doubtful" in ui.verdictLabel.text, "the doubt is told", ui.verdictLabel.text)
    checks.that("7 mm apart" in ui.verdictLabel.text, "with its reason", ui.verdictLabel.text)
    checks.that(
        ui.fuseAnywayButton.visible and ui.discardAlignmentButton.visible, "both ways out are shown"
    )
    placed = bench.moving.GetParentTransformNode()
    checks.that(placed is not None, "the alignment is in the scene to be looked at")


def _transforms(bench: Bench) -> int:
    return bench.scene.GetNumberOfNodesByClass("vtkMRMLTransformNode")


@contextmanager
def _doubtful_registration() -> Iterator[None]:
    """Every registration ends in the same doubt: real ones depend on chance and machine."""

    def align_steps(request: Request) -> Steps[Alignment]:
        if request.registration not in ("rigid", "affine"):
            return (yield from usual(request))
        yield Progress(0.5, "Aligning")
        shift = sitk.AffineTransform(3)
        shift.SetTranslation((_SHIFT_MM, 0.0, 0.0))
        return Alignment(request.registration, shift, Verdict.DOUBTFUL, (_REASON,), 0.9, 0.1, 0.2)

    usual = workflow.align_steps
    workflow.align_steps = align_steps
    try:
        yield
    finally:
        workflow.align_steps = usual
