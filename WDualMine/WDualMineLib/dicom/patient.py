"""A patient as a user types it in: refused where DICOM cannot hold it, rather than dropped."""

from __future__ import annotations

from datetime import date, datetime

from ..errors import InputError
from .context import Patient

_LONGEST = 64  # characters of an ID, and of each group of a name (VR LO and PN)
_MOST_COMPONENTS, _MOST_GROUPS = 5, 3
_SEXES = ("", "M", "F", "O")


def require_writable(patient: Patient) -> None:
    """Raise InputError unless name, ID, birth date and sex can be written as they are."""
    _require_text("patient name", patient.name)
    _require_text("patient ID", patient.patient_id)
    groups = patient.name.split("=")
    if len(groups) > _MOST_GROUPS or any(g.count("^") >= _MOST_COMPONENTS for g in groups):
        raise InputError(
            f"The patient name {patient.name!r} has too many parts",
            "Write it as FAMILY^GIVEN^MIDDLE^PREFIX^SUFFIX",
        )
    for what, texts in (("name", groups), ("ID", [patient.patient_id])):
        if any(len(text) > _LONGEST for text in texts):
            raise InputError(
                f"The patient {what} has more than the {_LONGEST} characters that DICOM holds",
                "Shorten it",
            )
    _require_birth_date(patient.birth_date)
    if patient.sex not in _SEXES:
        raise InputError(f"DICOM knows no sex {patient.sex!r}", "Use M, F or O")


def given(patient: Patient | None) -> list[str]:
    """Which of name, ID, birth date and sex a user gave, in words."""
    if patient is None:
        return []
    parts = {
        "name": patient.name,
        "ID": patient.patient_id,
        "birth date": patient.birth_date,
        "sex": patient.sex,
    }
    return [what for what, value in parts.items() if value]


def _require_text(what: str, text: str) -> None:
    bad = {"\\": "a backslash", "\n": "a line break", "\r": "a line break"}
    reason = next((words for character, words in bad.items() if character in text), "")
    if not reason and not text.isprintable():
        reason = "characters that are no text"
    if not reason and text and not text.strip(" ^="):
        reason = "nothing but blanks"
    if reason:
        raise InputError(
            f"The {what} {text!r} has {reason}, which DICOM cannot hold", "Write it without"
        )


def _require_birth_date(text: str) -> None:
    if not text:
        return
    try:
        if len(text) != 8 or not (text.isascii() and text.isdigit()):
            raise ValueError
        if datetime.strptime(text, "%Y%m%d").date() > date.today():
            raise ValueError
    except ValueError:
        raise InputError(
            f"{text!r} is no birth date that DICOM can hold",
            "Write it as YYYYMMDD, for instance 19600201",
        ) from None
