"""Apply, Cancel, progress, the verdict on the alignment, and errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import WDualMineError
from ..progress import Progress
from ..scene.application.choices import Registration
from ..scene.result.requests import PARAMETER_OF_PART
from .messages import BAD, DOUBTFUL, GOOD, QUIET, coloured, of_error, of_notes
from .protocols import FusionLogic
from .session import Session
from .widgets import Hint, say

_VERDICTS = {
    "good": (GOOD, "Good alignment"),
    "doubtful": (DOUBTFUL, "Doubtful alignment: look at it before you go on"),
    "failed": (BAD, "No alignment found"),
}
_REGISTERED = (Registration.RIGID, Registration.AFFINE)
TASK = "Fusion"


class RunSection:
    """Starts runs and shows how they go."""

    def __init__(self, ui: Any, session: Session, logic: FusionLogic) -> None:
        self._ui = ui
        self._session = session
        self._logic = logic
        self._doubtful: Any = None
        self._unchosen: Any = None
        self._told_of: tuple = ()
        self._apply = Hint(ui.applyButton)
        self._cancel = Hint(ui.cancelButton)
        self._settling = [Hint(ui.fuseAnywayButton), Hint(ui.discardAlignmentButton)]
        ui.applyButton.clicked.connect(self.apply)
        ui.cancelButton.clicked.connect(self.cancel)
        ui.fuseAnywayButton.clicked.connect(self.fuse_anyway)
        ui.discardAlignmentButton.clicked.connect(self.discard)
        session.changed.connect(self.update)
        session.started.connect(self._on_started)
        session.progressed.connect(self._on_progress)
        session.stopped.connect(self._on_stopped)
        session.failed.connect(self.show_error)
        session.forgotten.connect(self._forget)

    def apply(self, *_: Any) -> None:
        """Align and fuse what is chosen."""
        self._settle(None)
        request = self._session.attempt(self._session.request, self.show_error)
        if request is not None:
            self._session.run(TASK, self._logic.steps(request), self._on_finished)

    def cancel(self, *_: Any) -> None:
        self._session.cancel()

    def fuse_anyway(self, *_: Any) -> None:
        """Fuse with the doubtful alignment, which the moving volume observes already."""
        self._settle(None)
        request = self._session.attempt(self._session.request, self.show_error)
        if request is not None:
            as_it_lies = replace(request, registration=Registration.OFF)
            self._session.run(TASK, self._logic.steps(as_it_lies), self._on_finished)

    def discard(self, *_: Any) -> None:
        """Put the moving volume back where it was before the doubtful alignment."""
        self._logic.discard(self._doubtful)
        self._settle(None)
        self._note_alignment()
        say(self._ui.verdictLabel, coloured("The alignment was discarded.", QUIET))
        say(self._ui.statusLabel, "")
        self._session.changed.emit()

    def show_error(self, error: WDualMineError) -> None:
        self._ui.progressBar.value = 0
        say(self._ui.statusLabel, of_error(error))

    def update(self) -> None:
        self._choose_outputs()
        self._tell_alignment()
        reason = self._session.reason_not_ready()
        self._apply.enable_unless(reason)
        # In the panel too: over a button that is off, hardly anyone waits for a tooltip.
        shown = reason if reason and not self._session.running else ""
        say(self._ui.reasonLabel, coloured(shown, QUIET) if shown else "")
        self._cancel.enable_unless("" if self._session.running else "Nothing is running.")
        for hint in self._settling:
            hint.enable_unless(f"{self._session.task} is running." if self._session.running else "")

    def _on_started(self, task: str) -> None:
        self._ui.progressBar.value = 0
        say(self._ui.statusLabel, coloured(f"{task} ...", QUIET))

    def _on_progress(self, progress: Progress) -> None:
        self._ui.progressBar.value = round(1000 * progress.fraction)
        say(self._ui.statusLabel, coloured(f"{progress.message} ...", QUIET))

    def _on_stopped(self, message: str) -> None:
        self._ui.progressBar.value = 0
        say(self._ui.statusLabel, coloured(message, QUIET) if message else "")

    def _on_finished(self, outcome: Any) -> None:
        if outcome.alignment is not None and outcome.alignment.verdict is not None:
            self._show_verdict(outcome.alignment)
        if outcome.nodes is None:
            self._settle(outcome)
            say(
                self._ui.statusLabel,
                coloured("Nothing was fused yet: see Registration above.", DOUBTFUL),
            )
            return
        self._session.outcome = self._unchosen = outcome
        self._choose_outputs()
        self._session.fused.emit()
        self._ui.progressBar.value = 1000
        text = coloured(_summary(outcome.result), GOOD, "Fused.")
        notes = of_notes(outcome.result.notes)
        say(self._ui.statusLabel, f"{text}<br/>{notes}" if notes else text)

    def _choose_outputs(self) -> None:
        """Make the new nodes the outputs of the next run; later, if the module is closed now."""
        parameters, outcome = self._session.parameters, self._unchosen
        if parameters is None or outcome is None:
            return
        self._unchosen = None  # first, for each choice is a change that comes back here
        for part, name in PARAMETER_OF_PART.items():
            node = outcome.nodes.parts.get(part)
            if node is not None and node.GetScene() is not None:
                setattr(parameters, name, node)

    def _tell_alignment(self) -> None:
        """What is known of the alignment of the two that are chosen, whenever they change."""
        parameters = self._session.parameters
        if parameters is None or not self._note_alignment():
            return
        if parameters.registration not in _REGISTERED:
            say(self._ui.verdictLabel, "")
            return
        known = self._logic.alignment(parameters.fixedVolume, parameters.movingVolume)
        if known is None:
            say(self._ui.verdictLabel, coloured("Not registered yet.", QUIET))
            return
        colour, title = _VERDICTS[known[0]]
        reasons = known[1][:1].upper() + known[1][1:]
        say(self._ui.verdictLabel, coloured(f"{reasons}." if reasons else "", colour, f"{title}."))

    def _note_alignment(self) -> bool:
        """Remember what there is to be told of the alignment; whether it is something new."""
        parameters = self._session.parameters
        if parameters is None:
            return False
        chosen = parameters.fixedVolume, parameters.movingVolume
        # With the answer: a scene that is loaded gives other nodes the IDs of those before.
        known = self._logic.alignment(*chosen)
        of = (parameters.registration, known, *(n.GetID() if n else "" for n in chosen))
        before, self._told_of = self._told_of, of
        return of != before

    def _show_verdict(self, alignment: Any) -> None:
        colour, title = _VERDICTS[alignment.verdict.value]
        reasons = "; ".join(alignment.reasons)
        figures = (
            f"Overlap {100 * alignment.overlap:.0f} %, mutual information "
            f"{alignment.mi_before:.2f} before, {alignment.mi_after:.2f} after."
        )
        reasons = reasons[:1].upper() + reasons[1:]
        said = f"{reasons}. {figures}" if reasons else figures
        say(self._ui.verdictLabel, coloured(said, colour, f"{title}."))
        self._note_alignment()  # or it would be told again, without the figures

    def _forget(self) -> None:
        """Nothing of the scene that is being closed stays, nor is asked."""
        self._settle(None)
        self._unchosen, self._told_of = None, ()
        self._ui.progressBar.value = 0
        for label in (self._ui.statusLabel, self._ui.verdictLabel):
            say(label, "")

    def _settle(self, doubtful: Any) -> None:
        """Ask about a doubtful alignment, or stop asking."""
        self._doubtful = doubtful
        self._ui.fuseAnywayButton.visible = doubtful is not None
        self._ui.discardAlignmentButton.visible = doubtful is not None
        if doubtful is not None:
            self._ui.registrationSection.collapsed = False


def _summary(result: Any) -> str:
    """One line of figures on a result."""
    measures = result.measures
    parts = []
    if measures.get("cc_over_bound") is not None:
        parts.append(f"Correlation {100 * measures['cc_over_bound']:.1f} % of the highest possible")
    if "device" in measures:
        seconds = sum(v for k, v in measures.items() if k.startswith("seconds_"))
        device = measures["device"]
        parts.append(f"{seconds:.1f} s on {'the CPU' if device == 'cpu' else device}")
    return ", ".join(parts)
