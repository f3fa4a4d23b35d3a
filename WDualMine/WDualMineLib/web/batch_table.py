"""The studies of a batch, from its ``summary.json``: a row each, and where each result lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..pipeline.parts import FUSED
from .folders import require_within

SUMMARY = "summary.json"
_REMEDY = "Give the folder that `wdualmine batch` wrote"
_TOLD = ("state", "verdict", "cc_over_bound", "flagged_ml", "flicker", "seconds", "words")


def is_batch(folder: Path) -> bool:
    """Whether ``folder`` holds a batch and not one result."""
    return (folder / SUMMARY).is_file() and not (folder / FUSED.file).exists()


def rows_of(folder: Path, *, anonymise: bool = False) -> list[dict[str, Any]]:
    """What the table tells, ready for JSON: "name", "heading", "there", and what is known of each.

    Args:
        anonymise: numbers in place of names, and no errors, which may name files.

    Raises:
        InputError: the summary cannot be read.
    """
    return [_row(folder, *each, anonymise) for each in enumerate(_studies(folder))]


def folder_of(folder: Path, number: int) -> Path:
    """Where the result of the study in that row lies.

    Raises:
        InputError: there is no such row, or its folder is not within the batch.
    """
    studies = _studies(folder)
    if not 0 <= number < len(studies):
        raise InputError(f"The batch has no study {number}", "Choose one from the table")
    path = folder / str(studies[number].get("folder", ""))
    require_within(path, [folder])
    return path


def _studies(folder: Path) -> list[dict[str, Any]]:
    try:
        require_within(folder / SUMMARY, [folder])
        told = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return [dict(study) for study in told["studies"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{folder / SUMMARY} cannot be read ({error!r})", _REMEDY) from error


def _row(folder: Path, number: int, study: dict[str, Any], anonymise: bool) -> dict[str, Any]:
    hidden = {"words"} if anonymise else set()
    told = {
        key: study[key]
        for key in _TOLD
        if key not in hidden and isinstance(study.get(key), str | int | float)
    }
    there = (folder / str(study.get("folder", "")) / FUSED.file).is_file()
    heading = f"Study {number + 1}" if anonymise else str(study.get("study", number + 1))
    return told | {"number": number, "heading": heading, "there": there}
