"""What the page of a case says, in words: nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..pipeline.doubts import DOUBTFUL_BELOW, Doubt, doubtful_regions
from ..pipeline.parts import RELIABILITY_FIXED
from ..pipeline.record import Record, SourceRecord
from ..pipeline.report_file import SHIPPED
from ..pipeline.result import Result
from ..version import __version__
from ..volumes.modality import in_words

_MOST_DOUBTS = 6
_MEASURES = (
    ("cc_over_bound", "CC / bound", "{:.4f}"),
    ("cc", "CC", "{:.4f}"),
    ("mi", "MI", "{:.3f} bit"),
    ("ssim", "SSIM", "{:.3f}"),
    ("qabf", "Qabf", "{:.3f}"),
    ("flicker", "Flicker", "{:.3f}"),
)
_VERDICTS = {
    "good": "Good alignment",
    "doubtful": "DOUBTFUL alignment: look at it before use",
    "failed": "FAILED alignment",
}
_KINDS = {
    "none": "None: fused as the volumes lie",
    "rigid": "Rigid",
    "affine": "Affine",
    "transform": "A given transform",
}
NOT_FOR_DIAGNOSIS = "Not a medical device. Not for diagnosis."

Rows = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """A heading with rows of (what, value); a row without "what" is a sentence."""

    heading: str
    rows: Rows


@dataclass(frozen=True)
class Page:
    """All words of a page.

    Attributes:
        title: the pair.
        whose: patient, ID and birth date; "" where unknown or removed.
        left, right: columns of sections.
        doubts: what the section on doubtful regions lists, largest first.
        footer: version, weights, date and the warning.
    """

    title: str
    whose: str
    left: tuple[Section, ...]
    right: tuple[Section, ...]
    doubts: tuple[Doubt, ...]
    footer: str


def words_of(result: Result, extra_notes: Sequence[str] = ()) -> Page:
    """The page of ``result``.

    Args:
        extra_notes: what must be told of the page itself.
    """
    record = result.record
    doubts = _doubts(result)
    notes = tuple(("", note) for note in (*extra_notes, *result.notes))
    sources = tuple(
        Section(f"{role.capitalize()} volume", _source(source, record.window_in_words(role)))
        for role, source in (("fixed", record.fixed), ("moving", record.moving))
    )
    left = (*sources, Section("Alignment", _alignment(result)))
    right = (
        Section("Measures", _measures(result.measures)),
        Section("Settings", _settings(record)),
        Section("Where it is doubtful", _listed(result, doubts)),
    )
    footer = [
        f"WDualMine {__version__}",
        f"weights {_weights(result)}",
        f"written {date.today().isoformat()}",
        *(["anonymised"] if record.anonymised else []),
        NOT_FOR_DIAGNOSIS,
    ]
    return Page(
        f"Fusion of {record.fixed.name} and {record.moving.name}",
        "" if record.anonymised else whose(record),
        (*left, *([Section("Notes", notes)] if notes else [])),
        right,
        doubts,
        "   |   ".join(footer),
    )


def whose(record: Record) -> str:
    """Patient, ID and birth date of the fixed volume, else of the moving one; "" where unknown."""
    for source in (record.fixed, record.moving):
        patient = source.patient
        if patient is None:
            continue
        told = [
            str(patient.name).replace("^", ", ", 1).replace("^", " ").strip(" ,"),
            f"ID {patient.patient_id}" if patient.patient_id else "",
            f"born {patient.birth_date}" if patient.birth_date else "",
        ]
        if any(told):
            both = "; DIFFERENT PATIENTS" if record.different_patients else ""
            return ", ".join(part for part in told if part) + both
    return ""


def describe(doubt: Doubt) -> str:
    """A doubtful region in a line."""
    x, y, z = doubt.point
    place = " ".join(
        f"{positive if value >= 0 else negative} {abs(value):.0f}"
        for value, positive, negative in ((x, "L", "R"), (y, "P", "A"), (z, "S", "I"))
    )
    return f"{doubt.volume_ml:.1f} ml, reliability {doubt.reliability:.2f}, at {place} mm"


def _doubts(result: Result) -> tuple[Doubt, ...]:
    reliability = result.volumes.get(RELIABILITY_FIXED.name)
    return () if reliability is None else tuple(doubtful_regions(reliability, most=None))


def _listed(result: Result, doubts: Sequence[Doubt]) -> Rows:
    if RELIABILITY_FIXED.name not in result.volumes:
        return (("", "Unknown: there is no reliability map in this result"),)
    if not doubts:
        none = f"Nothing is flagged (reliability below {DOUBTFUL_BELOW:g}). That is no certificate."
        return (("", none),)
    shown = tuple((f"In the {doubt.role}", describe(doubt)) for doubt in doubts[:_MOST_DOUBTS])
    rest = doubts[_MOST_DOUBTS:]
    if not rest:
        return shown
    volume = sum(doubt.volume_ml for doubt in rest)
    return (*shown, ("", f"and {len(rest)} smaller ones, {volume:.1f} ml together"))


def _source(source: SourceRecord, window: str) -> Rows:
    rows = [
        ("Name", source.name),
        ("Modality", in_words(source.known_modality) if source.known_modality else "unknown"),
    ]
    grid = source.geometry
    if grid is not None:
        rows.append(("Voxels", " x ".join(map(str, grid.size))))
        rows.append(("Spacing", " x ".join(f"{mm:.3g}" for mm in grid.spacing) + " mm"))
    units = f" {source.window.units}" if source.window.units else ""
    if source.window.name != "unknown":
        limits = f"{source.window.low:.4g} to {source.window.high:.4g}{units}"
        rows.append(("Window", limits if window[0] in "-0123456789" else f"{window}, {limits}"))
    return tuple(rows)


def _alignment(result: Result) -> Rows:
    alignment = result.alignment
    rows = [("Kind", _KINDS.get(alignment.kind, alignment.kind))]
    if alignment.verdict is None:
        rows.append(("Verdict", "Not judged"))
    else:
        rows.append(("Verdict", _VERDICTS[alignment.verdict.value]))
    rows += [("", reason) for reason in alignment.reasons]
    if alignment.overlap is not None:
        rows.append(("Overlap", f"{100 * alignment.overlap:.0f} %"))
    if alignment.mi_before is not None and alignment.mi_after is not None:
        change = f"{alignment.mi_before:.2f} before, {alignment.mi_after:.2f} after"
        rows.append(("Mutual information", change))
    if alignment.same_frame is False:
        rows.append(("", "The series have different frames of reference, and nothing aligned them"))
    return tuple(rows)


def _measures(measures: dict[str, Any]) -> Rows:
    rows = [
        (name, form.format(measures[key]))
        for key, name, form in _MEASURES
        if measures.get(key) is not None
    ]
    return tuple(rows) or (("", "None are kept with this result"),)


def _settings(record: Record) -> Rows:
    told = record.described()
    names = {
        "fixed_window": "",  # told with the sources
        "moving_window": "",
        "axis": "Slices",
        "strength": "Detail strength",
        "correlation_floor": "Correlation floor",
        "colour": "Colour",
    }
    rows = [(name, told[key]) for key, name in names.items() if name and told.get(key)]
    return tuple(rows) or (("", "Unknown"),)


def _weights(result: Result) -> str:
    known = result.record.weights_sha256
    name = Path(result.settings.weights).name if result.settings.weights else SHIPPED
    return f"{name} {known[:12]}" if known else name
