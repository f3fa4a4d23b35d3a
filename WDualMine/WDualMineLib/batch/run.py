"""A plan carried out: outcomes kept as they come, reports written while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..progress import Progress
from . import study as kinds
from .bids_derivatives import describe_dataset
from .crate import write_crate
from .html_report import write_report
from .places import Places
from .plan import Plan, result_of
from .study import DONE, FAILED, FAILED_BEFORE, WAITING, Outcome, Study
from .summary import Summary, write_tables
from .task import Job, carry_out
from .whole_results import describe_inputs, put_back

# Reports are written again at most this often, and may take this part of the time.
_REPORT_EVERY_S, _REPORT_SHARE = 2.0, 0.05
# Failures that say nothing of the study: it is tried again in the next run without being asked.
_PASSING = (kinds.NO_ROOM, kinds.LOST, kinds.UNFIT)

Outcomes = Iterable[tuple[Study, Outcome] | None]


@dataclass
class Run:
    """One run of a batch.

    Attributes:
        plan: what to do, and how it stands.
        places: where.
        about: of the run, for its reports.
        memory: the memory limit that the user gave, for what failed for it.
        progress: told how far it is.
        stopped: why it ended before its end, in words; "" where it did not.
    """

    plan: Plan
    places: Places
    about: Mapping[str, Any] = field(default_factory=dict)
    memory: int | None = None
    progress: Callable[[Progress], None] = lambda _: None
    stopped: str = ""

    def __post_init__(self) -> None:
        self.summary = Summary(
            self.places, self.plan.studies, self.plan.outcomes, datetime.now(UTC), self.about
        )
        self._begun = time.monotonic()
        self._written_at, self._took = float("-inf"), 0.0
        self._to_do = len(self.waiting)
        self.report_trouble = ""

    @property
    def waiting(self) -> list[Study]:
        """What has not been come to."""
        return self.plan.in_state(WAITING)

    def prepare(self) -> None:
        """Tidy up after killed runs, and write what stands at the top of a BIDS dataset.

        Raises:
            OSError: no room.
        """
        put_back(self.places.studies)
        bids = next((study.bids for study in self.plan.studies if study.bids is not None), None)
        if bids is not None:
            describe_dataset(self.places.root, bids.root)

    def take(self, outcomes: Outcomes) -> None:
        """Keep ``outcomes`` as they come, until all are there or the disk is full."""
        try:
            self._write_reports()
            self._tell()
            for item in outcomes:
                if item is not None:
                    self._keep(*item)
                    if item[1].kind == kinds.NO_ROOM:
                        self.stopped = item[1].words
                        return
                self._tell()
                self._write_reports_if_due()
        finally:
            close = getattr(outcomes, "close", None)
            if close is not None:
                close()
            self.finish()

    def finish(self) -> None:
        """Tidy up and write the last reports, whatever ended the run."""
        put_back(self.places.studies)
        for study in self.waiting:
            # A worker may have ended it, and nobody was there any more to be told.
            outcome = result_of(study, DONE, verify=True)
            if outcome is not None:
                self._keep(study, outcome)
        self.summary.ended = datetime.now(UTC)
        self._write_reports(at_the_end=True)

    def exit_code(self) -> int:
        """0 all done, 4 some not, 1 none."""
        done = sum(outcome.is_done for outcome in self.plan.outcomes.values())
        if done == len(self.plan.studies):
            return 0
        return 4 if done else 1

    def _keep(self, study: Study, outcome: Outcome) -> None:
        self.plan.outcomes[study.name] = outcome
        told = None
        if outcome.state == FAILED and outcome.kind not in _PASSING:
            told = self._failure(study, outcome)
        try:
            self.places.write_failure(study.name, told)
        except OSError as error:
            self.report_trouble = str(error)

    def _failure(self, study: Study, outcome: Outcome) -> dict[str, Any] | None:
        try:
            inputs = describe_inputs(study.inputs)
        except OSError:
            return None  # an input is gone: whatever comes next is another study
        return {
            "study": study.name,
            "kind": outcome.kind,
            "words": outcome.words,
            "attempts": outcome.attempts,
            "recipe": study.recipe,
            "inputs": inputs,
            "limits": [study.timeout, self.memory],
        }

    def _tell(self) -> None:
        counts = self.summary.counts
        ended = self._to_do - counts[WAITING]
        words = f"{ended} of {self._to_do} studies"
        failed = counts[FAILED] + counts[FAILED_BEFORE]
        if failed:
            words += f", {failed} failed"
        if ended:
            left = (time.monotonic() - self._begun) / ended * counts[WAITING]
            words += f", about {_in_words(left)} left"
        self.progress(Progress(ended / self._to_do if self._to_do else 1.0, words))

    def _write_reports_if_due(self) -> None:
        pause = max(_REPORT_EVERY_S, self._took / _REPORT_SHARE)
        if time.monotonic() - self._written_at > pause:
            self._write_reports()

    def _write_reports(self, at_the_end: bool = False) -> None:
        started = time.monotonic()
        try:
            rows = self.summary.rows()
            write_tables(self.summary, rows)
            write_report(self.summary, rows)
            if at_the_end:
                write_crate(self.summary)
            self.report_trouble = ""
        except OSError as error:
            # Results count for more than reports of them; said at the end.
            self.report_trouble = f"{error.filename or self.places.root}: {error.strerror}"
        self._written_at = time.monotonic()
        self._took = self._written_at - started


def one_after_the_other(
    studies: Sequence[Study], job_of: Callable[[Study, int], Job], threads: int
) -> Iterator[tuple[Study, Outcome]]:
    """Studies done in this process, without Dask."""
    for study in studies:
        outcome = carry_out(job_of(study, threads))
        yield study, Outcome(**{**vars(outcome), "attempts": 1})


def counted(summary: Summary) -> str:
    """The counts in words."""
    counts = {state: n for state, n in summary.counts.items() if n}
    names = {DONE: "done", "kept": "done before", WAITING: "not come to"}
    return ", ".join(f"{n} {names.get(state, state)}" for state, n in counts.items())


def reports_in(root: Path) -> list[Path]:
    """What to look at."""
    return [root / name for name in ("report.html", "summary.csv") if (root / name).exists()]


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
