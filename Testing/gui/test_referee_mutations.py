"""The referee is no rubber stamp: for each misbehaviour of the module there is a sentence.

Every mutation brings back a defect that was seen in a real 3D Slicer, or one of its kind.
"""

from __future__ import annotations

import contextlib
import time

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("slicer", reason="slicer-core is not installed")

from . import test_self_test

referee = test_self_test.referee

FIRST = ("every control", "Apply")


def nothing(*_args, **_options) -> None:
    return None


def patch(monkeypatch, where: str, replacement) -> None:
    """Replace ``module:Class.method`` or ``module:function`` of the package."""
    module, name = where.split(":")
    monkeypatch.setattr(f"WDualMineLib.{module}.{name}", replacement)


def slow_commit(monkeypatch) -> None:
    from WDualMineLib.scene.result.workflow import FusionWorkflow

    commit = FusionWorkflow._commit

    def slowly(self, *args):
        time.sleep(2.5)
        return commit(self, *args)

    monkeypatch.setattr(FusionWorkflow, "_commit", slowly)


def forgets_layers(monkeypatch) -> None:
    from WDualMineLib.gui.session import Session

    monkeypatch.setattr(Session, "connecting", lambda self: contextlib.nullcontext())


def keeps_texts(monkeypatch) -> None:
    from WDualMineLib.gui.session import Session

    forget = Session.forget

    def silently(self):
        self.forgotten.emit = nothing
        forget(self)

    monkeypatch.setattr(Session, "forget", silently)


def simple(where: str, replacement=nothing):
    return lambda monkeypatch: patch(monkeypatch, where, replacement)


MUTATIONS = {
    "every CT is a head": (
        simple("scene.application.defaults:shows_a_head", lambda _: True), (),
        "MR and CT of a thigh are suggested with the soft tissue window",
    ),
    "side by side stands at 0": (
        simple("scene.views.slice_views:SliceViews._cut_at"), ("Side by side",),
        "stands where Red stood",
    ),
    "side by side is cropped": (
        simple("scene.views.slice_views:SliceViews._fit"), ("Side by side",),
        "shows the whole volume and little else",
    ),
    "the layout is not given back": (
        simple("scene.views.borrowed:Borrowed.give_back"), ("Side by side", "Inspect"),
        "The usual layout is back",
    ),
    "legends do not notice": (
        simple("scene.views.slice_views:SliceViews.renew_legends"), ("Maps and their legends",),
        "The only legend in",
    ),
    "the look waits for the mouse to be let go": (
        simple("scene.result.look:Look.show_slices"), ("Look",), "is repainted while",
    ),
    "re-entering chooses for the user": (
        forgets_layers, ("Leaving and returning",), "After re-entering",
    ),
    "transforms of the inputs are not observed": (
        simple("scene.application.input_watch:InputWatch.watch"), ("An input that is bent",),
        "Apply is off while an input is bent",
    ),
    "Discard does nothing": (
        simple("scene.result.workflow:FusionWorkflow.discard"), ("A doubtful alignment",),
        "Discard leaves no transform behind",
    ),
    "texts of the patient before stay": (
        keeps_texts, ("Measure", "Closing the scene"), "nothing is left of region",
    ),
    "the application stands still": (slow_commit, (), "lets the application stand still"),
    "the views are black": (
        simple("scene.views.slice_views:SliceViews.fit"),
        (),
        "is not black",
    ),
    "a page that is not written": (
        simple("casereport.case_file:write_case"), ("The page of the case",),
        "The page of the case is a PDF",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_module_that_misbehaves_is_told_so_in_a_sentence(
    name,
    referee,
    monkeypatch,
) -> None:
    from WDualMineLib.scene.application import self_test

    mutate, steps, sentence = MUTATIONS[name]
    wanted = (*FIRST, *steps)
    chosen = tuple(step for step in self_test.STEPS if step[0] in wanted)
    assert {step[0] for step in chosen} == set(wanted), "a step was renamed"
    monkeypatch.setattr(self_test, "STEPS", chosen)
    mutate(monkeypatch)
    found = referee()
    assert found.failed, f"{name}: the referee saw nothing"
    assert sentence in found.said, found.said
    assert any(line.startswith("FAIL") for line in found.printed.splitlines())
