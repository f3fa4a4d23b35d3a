"""Names for screen readers: what a label beside a control says to the eye."""

from __future__ import annotations

from typing import Any

import qt

_NAMES = {
    "fixedSelector": "Fixed volume",
    "movingSelector": "Moving volume",
    "fixedWindowCombo": "Fixed window",
    "movingWindowCombo": "Moving window",
    "exportFolderButton": "Folder of the DICOM objects",
    "caseFolderButton": "Folder of the report",
    "fixedLowSpin": "Fixed window, low end",
    "fixedHighSpin": "Fixed window, high end",
    "movingLowSpin": "Moving window, low end",
    "movingHighSpin": "Moving window, high end",
    "progressBar": "Progress",
    "previewImage": "Live preview of the fused slice",
    "measuresTable": "Measures of the fused volume",
    "doubtsTable": "Doubtful regions, largest first; a row goes there",
    "statusLabel": "Status",
    "verdictLabel": "Verdict on the alignment",
}
"""Of what has no label beside it, or one that does not suffice."""


def name_controls(ui: Any) -> None:
    """Give every control an accessible name: its own, that of its label, or what its tooltip says.

    Sliders of ctk are made of several widgets, and the reader stops at the inner ones: they get
    the name, too.
    """
    labels = _labels(ui)
    for name, widget in vars(ui).items():
        if widget.accessibleName:
            continue
        said = _NAMES.get(name) or labels.get(name)
        if said is None:
            continue
        widget.accessibleName = said
        for inner in (*widget.findChildren(qt.QSlider), *widget.findChildren(qt.QDoubleSpinBox)):
            inner.accessibleName = said


def _labels(ui: Any) -> dict[str, str]:
    """Text of the label in front of each widget of a form, by the widget's name."""
    found = {}
    for section in vars(ui).values():
        layout = section.layout() if callable(getattr(section, "layout", None)) else None
        if not isinstance(layout, qt.QFormLayout):
            continue
        for name, widget in vars(ui).items():
            label = layout.labelForField(widget)
            text = getattr(label, "text", "")
            if isinstance(text, str) and text.strip(" :"):
                found[name] = text.rstrip(" :")
    return found
