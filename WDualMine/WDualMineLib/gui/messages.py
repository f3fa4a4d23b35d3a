"""Words in colour: what happened, in a look that says how good or bad it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from ..errors import Caution, WDualMineError
from .legible import legible

# As they are meant; a label gets them as the style of the moment can show them.
GOOD, DOUBTFUL, BAD, QUIET = "#2e9e5b", "#d08700", "#e0483e", "#8a8f98"
PLAIN = ""
"""The colour of the text around, whatever the theme."""

# A label breaks lines at spaces only: longer words (paths, UIDs) would be cut off at its edge.
_LONG_WORD = re.compile(r"\S{24,}")
_BREAK = "\u200b"  # no width, but a line may end there


def coloured(text: str, colour: str, title: str = "") -> str:
    """Rich text: ``title`` in bold and colour, then ``text``; both are escaped."""
    text, title = _breakable(text), _breakable(title)
    style = f' style="color:{legible(colour)}"' if colour else ""
    if not title:
        return f"<span{style}>{text}</span>"
    head = f"<b{style}>{title}</b>"
    return f"{head}<br/>{text}" if text else head


def _breakable(text: str) -> str:
    """``text`` escaped; long words may be broken after every twelfth character."""
    broken = _LONG_WORD.sub(lambda word: _BREAK.join(re.findall(".{1,12}", word.group())), text)
    return escape(broken)


def of_error(error: WDualMineError) -> str:
    """What failed and why, and what to do."""
    return coloured(f"{error.remedy}.", BAD, f"{error.what}.")


def of_notes(notes: Iterable[str]) -> str:
    """Sentences that the user must be told, one a line; "" for none.

    Those that ask for a look before the result is used are in the colour of what is doubtful.
    """
    return "<br/>".join(
        coloured(note, DOUBTFUL if isinstance(note, Caution) else PLAIN) for note in notes
    )
