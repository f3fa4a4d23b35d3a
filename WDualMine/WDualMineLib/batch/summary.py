"""How a batch stands, as tables for programs: ``summary.csv`` and ``summary.json``."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..version import __version__
from .figures import MEASURED, outliers
from .places import Places, write_whole
from .study import STATES, Outcome, Study

_FIGURES = (
    "verdict", "floor_met", "cc_over_bound", "flagged_ml", "flicker", "mi", "ssim", "qabf",
)  # fmt: skip
COLUMNS = (
    "study", "place", "state", *_FIGURES, "seconds", "attempts", "worker", "stands_out_in",
    "words", "folder", "fixed", "moving",
)  # fmt: skip


@dataclass
class Summary:
    """What every report of a batch is made of.

    Attributes:
        places: where it lies.
        studies: all, in the order of the source.
        outcomes: name of each to how it stands.
        started: when the run began.
        about: what else is to be told of the run.
        ended: when it ended; None while it goes on.
    """

    places: Places
    studies: Sequence[Study]
    outcomes: dict[str, Outcome]
    started: datetime
    about: Mapping[str, Any] = field(default_factory=dict)
    ended: datetime | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many studies are in each state."""
        counted = Counter(outcome.state for outcome in self.outcomes.values())
        return {state: counted[state] for state in STATES}

    def rows(self) -> list[dict[str, Any]]:
        """A row a study, its keys those of :data:`COLUMNS`."""
        done = [s.name for s in self.studies if self.outcomes[s.name].is_done]
        figures = [self._figures(name) for name in done]
        stands_out = dict(zip(done, outliers(figures), strict=True))
        return [self._row(study, stands_out.get(study.name, [])) for study in self.studies]

    def _figures(self, name: str) -> dict[str, Any]:
        outcome = self.outcomes[name]
        return {**outcome.figures, "seconds": outcome.seconds}

    def _row(self, study: Study, stands_out: list[str]) -> dict[str, Any]:
        outcome = self.outcomes[study.name]
        folder = study.options.output.relative_to(self.places.root).as_posix()
        return {
            "study": study.name,
            "place": study.place,
            "state": outcome.state,
            **{name: outcome.figures.get(name) for name in _FIGURES},
            "seconds": outcome.seconds or None,
            "attempts": outcome.attempts,
            "worker": outcome.worker,
            "stands_out_in": stands_out,
            "words": outcome.words,
            "folder": folder if outcome.is_done else "",
            "fixed": "" if study.is_anonymous else str(study.options.fixed),
            "moving": "" if study.is_anonymous else str(study.options.moving),
        }


def write_tables(summary: Summary, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write both tables. Raises OSError if there is no room; the old ones stay then."""
    root: Path = summary.places.root
    write_whole(root / "summary.csv", _csv(rows))
    told = {
        "program": "WDualMine",
        "version": __version__,
        "started_at": _time(summary.started),
        "written_at": _time(datetime.now(UTC)),
        "ended_at": None if summary.ended is None else _time(summary.ended),
        **summary.about,
        "counts": summary.counts,
        "compared": list(MEASURED),
        "studies": list(rows),
    }
    write_whole(root / "summary.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(value) if isinstance(value, list) else str(value)
    # What begins like this a spreadsheet takes for a formula, and runs it.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and not isinstance(value, int) else text


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
