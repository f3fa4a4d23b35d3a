"""What a screen reader and a dark style get."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")

from .test_widgets import controls


def test_every_control_has_a_name_of_its_own(driver) -> None:
    names: dict[str, list[str]] = {}
    for name, widget in controls(driver.ui):
        # A button is read by its text; Qt reads a list without a name by its current entry.
        has_text = hasattr(widget, "text") and not hasattr(widget, "setCurrentIndex")
        said = widget.accessibleName() or (widget.text() if has_text else "")
        assert said, f"{name} has no accessible name"
        names.setdefault(said, []).append(name)
    twice = {said: of for said, of in names.items() if len(of) > 1}
    assert not twice, twice


def test_the_inner_widgets_of_a_slider_are_named_too(driver) -> None:
    for name, widget in controls(driver.ui):
        if name.endswith("Slider"):
            assert widget.slider.accessibleName() == widget.accessibleName() != ""
            assert widget.box.accessibleName() == widget.accessibleName()


def test_tables_and_texts_that_change_are_named(driver) -> None:
    for name in ("measuresTable", "doubtsTable", "progressBar", "statusLabel", "previewImage"):
        assert getattr(driver.ui, name).accessibleName(), name


STYLES = {"light": "#f0f0f0", "white": "#ffffff", "dark": "#353535", "black": "#1e1e1e"}


@pytest.mark.parametrize("background", STYLES.values(), ids=list(STYLES))
def test_every_colour_of_a_message_can_be_read_on_every_style(driver, background) -> None:
    from WDualMineLib.gui import legible, messages

    for name in ("GOOD", "DOUBTFUL", "BAD", "QUIET"):
        colour = getattr(messages, name)
        shown = legible.against(colour, background)
        assert legible.contrast(shown, background) >= 4.5, (name, shown)
    assert legible.against("#000000", background) != legible.against("#ffffff", background)


def test_a_message_takes_the_style_of_the_moment(driver, application) -> None:
    from PySide6 import QtGui
    from WDualMineLib.gui.legible import contrast
    from WDualMineLib.gui.messages import DOUBTFUL, coloured

    before = application.palette()
    colours = []
    for background in ("#f0f0f0", "#353535"):
        palette = QtGui.QPalette(before)
        palette.setColor(QtGui.QPalette.ColorRole.Window, QtGui.QColor(background))
        application.setPalette(palette)
        text = coloured("x", DOUBTFUL)
        colours.append(text[text.index("#") :][:7])
        assert contrast(colours[-1], background) >= 4.5
    application.setPalette(before)
    assert colours[0] != colours[1]


def test_known_ratios() -> None:
    from WDualMineLib.gui.legible import contrast

    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
