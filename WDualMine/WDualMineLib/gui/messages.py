"""Words in colour: what happened, in a look that says how good or bad it is."""

from __future__ import annotations

from html import escape

from ..errors import WDualMineError

# Readable on Slicer's light and dark themes alike.
GOOD, DOUBTFUL, BAD, QUIET = "#2e9e5b", "#d08700", "#e0483e", "#8a8f98"


def coloured(text: str, colour: str, title: str = "") -> str:
    """Rich text: ``title`` in bold and colour, then ``text``; both are escaped."""
    head = f'<b style="color:{colour}">{escape(title)}</b>' if title else ""
    if not title:
        return f'<span style="color:{colour}">{escape(text)}</span>'
    return f"{head}<br/>{escape(text)}" if text else head


def of_error(error: WDualMineError) -> str:
    """What failed and why, and what to do."""
    return coloured(f"{error.remedy}.", BAD, f"{error.what}.")


def of_notes(notes: list[str]) -> str:
    """Sentences that the user must be told, one a line; "" for none."""
    return "<br/>".join(coloured(note, DOUBTFUL) for note in notes)
