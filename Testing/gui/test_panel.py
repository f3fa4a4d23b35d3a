"""The panel over logics that answer at once: what it does with their answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")

from WDualMineLib.errors import DeviceError, WDualMineError
from WDualMineLib.progress import Progress
from WDualMineLib.registration.registration_result import Verdict


class Fusion:
    """Answers as it is told, step by step."""

    def __init__(self) -> None:
        self.requests, self.discarded, self.closed = [], [], 0
        self.answer = None
        self.error = None
        self.steps_left = 3

    def steps(self, request):
        self.requests.append(request)
        try:
            for step in range(self.steps_left):
                message = f"Fused {step} of {self.steps_left} axial slices"
                yield Progress(step / self.steps_left, message)
            if self.error is not None:
                raise self.error
        except GeneratorExit:
            self.closed += 1
            raise
        return self.answer

    def discard(self, outcome) -> None:
        self.discarded.append(outcome)

    def alignment(self, fixed, moving):
        return None

    def recover(self, fused):
        return None


@pytest.fixture
def fusion(shown_widget, volumes, driver):
    """A made-up logic in place of the real one, in the real panel."""
    from WDualMineLib.gui.run_section import RunSection

    shown_widget[1].enter()
    panel = shown_widget[1].panel
    (section,) = (s for s in panel.sections if isinstance(s, RunSection))
    fusion = section._logic = Fusion()
    return fusion


@pytest.fixture
def session(shown_widget):
    return shown_widget[1].panel.session


def alignment(verdict: Verdict) -> SimpleNamespace:
    return SimpleNamespace(
        verdict=verdict,
        reasons=["two starts ended 3.1 mm apart"],
        overlap=0.93,
        mi_before=0.21,
        mi_after=0.48,
    )


def run(driver, session) -> None:
    driver.click("applyButton")
    driver.wait_until(lambda: not session.running)


def test_progress_is_shown_step_by_step(fusion, driver, session) -> None:
    fusion.steps_left, fusion.error = 500, WDualMineError("Enough", "Stop")
    driver.click("applyButton")
    driver.wait_until(lambda: driver.ui.progressBar.value() > 500)
    assert "Fused 2" in driver.text("statusLabel")
    driver.screenshot("panel-running")
    driver.wait_until(lambda: not session.running)


def test_an_error_is_told_with_its_remedy(fusion, driver, session) -> None:
    fusion.error = DeviceError("There is too little memory for one slice", "Crop the volumes")
    run(driver, session)
    text = driver.text("statusLabel")
    assert "too little memory for one slice." in text and "Crop the volumes." in text
    assert driver.ui.progressBar.value() == 0 and driver.ui.applyButton.isEnabled()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "too little memory"),
        (ZeroDivisionError("division by zero"), "Something unexpected failed (ZeroDivisionError"),
    ],
)
def test_other_failures_are_told_in_words_too(fusion, driver, session, error, words) -> None:
    fusion.error = error
    run(driver, session)
    assert words in driver.text("statusLabel")


def test_names_cannot_smuggle_markup_into_the_panel(fusion, driver, session) -> None:
    fusion.error = WDualMineError("The volume <img src=x> is bad", "Rename <b>it</b>")
    run(driver, session)
    assert "The volume <img src=x> is bad." in driver.text("statusLabel")


def test_a_doubtful_alignment_asks_before_it_fuses(fusion, driver, session) -> None:
    from WDualMineLib.gui.legible import legible
    from WDualMineLib.gui.messages import DOUBTFUL
    from WDualMineLib.scene.application.choices import Registration

    doubtful = SimpleNamespace(nodes=None, result=None, alignment=alignment(Verdict.DOUBTFUL))
    fusion.answer = doubtful
    run(driver, session)
    assert "Doubtful alignment" in driver.text("verdictLabel")
    assert "Two starts ended 3.1 mm apart" in driver.text("verdictLabel")
    assert legible(DOUBTFUL) in driver.ui.verdictLabel.text(), "amber"
    assert driver.ui.fuseAnywayButton.isVisible() and driver.ui.discardAlignmentButton.isVisible()
    assert session.outcome is None
    driver.screenshot("panel-doubtful")
    fusion.error = WDualMineError("Enough", "Stop")
    driver.click("fuseAnywayButton")
    assert fusion.requests[-1].registration is Registration.OFF
    driver.wait_until(lambda: not session.running)
    assert not driver.ui.fuseAnywayButton.isVisible()
    fusion.error = None
    run(driver, session)
    driver.click("discardAlignmentButton")
    assert fusion.discarded == [doubtful]
    assert not driver.ui.discardAlignmentButton.isVisible()


def test_cancel_does_not_wait_for_a_step_that_takes_long(fusion, driver, session) -> None:
    fusion.steps_left = 10**6
    driver.click("applyButton")
    driver.settle()
    driver.click("cancelButton")
    assert not session.running
    driver.wait_until(lambda: fusion.closed == 1, seconds=2)


def test_work_that_runs_turns_everything_else_off_with_the_reason(fusion, driver, session) -> None:
    fusion.steps_left = 10**6
    driver.click("applyButton")
    for name in ("applyButton", "measureButton", "exportButton", "strengthSlider"):
        widget = getattr(driver.ui, name)
        assert not widget.isEnabled() and "Fusion is running" in widget.toolTip(), name
    driver.click("cancelButton")


def test_signals_call_each_slot_once() -> None:
    from WDualMineLib.gui.signal import Signal

    heard: list = []
    signal = Signal()
    signal.connect(heard.append)
    signal.connect(heard.append)
    signal.emit(1)
    signal.disconnect(heard.append)
    signal.emit(2)
    assert heard == [1]
