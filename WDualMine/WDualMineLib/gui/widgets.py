"""Small things that every section does with its widgets."""

from __future__ import annotations

from typing import Any


class Hint:
    """Remembers a widget's own tooltip, and shows the reason instead while the widget is off."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._tip = widget.toolTip

    def enable_unless(self, reason: str) -> None:
        """Off with ``reason`` as its tooltip; on, with its own, where the reason is ""."""
        self._widget.enabled = not reason
        self._widget.toolTip = reason or self._tip


def say(label: Any, rich_text: str) -> None:
    """Show rich text in a label, which takes no room while it says nothing."""
    label.text = rich_text
    label.visible = bool(rich_text)
