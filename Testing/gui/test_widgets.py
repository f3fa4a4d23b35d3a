"""What holds for every control: reasons, keyboard order, and room for its words."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")

from .test_agreement import WIDGETS, prop

WIDTH = 400
LABELS = (
    "setupLabel",
    "verdictLabel",
    "previewLabel",
    "reasonLabel",
    "statusLabel",
    "lookLabel",
    "regionLabel",
    "exportLabel",
)
CONTROLS = {
    "QPushButton",
    "QCheckBox",
    "QComboBox",
    "QLineEdit",
    "QDoubleSpinBox",
    "ctkSliderWidget",
    "ctkDirectoryButton",
    "qMRMLNodeComboBox",
}


def controls(ui):
    """(name, widget) of everything that a user can set or press."""
    for name, widget in vars(ui).items():
        if name in WIDGETS and WIDGETS[name].get("class") in CONTROLS:
            yield name, widget


def assert_reasons(ui, where: str) -> None:
    """What is off says why, what is on says what it does."""
    off = 0
    for name, widget in controls(ui):
        own, said = prop(WIDGETS[name], "toolTip"), widget.toolTip()
        if widget.isEnabledTo(ui.inputsSection.parentWidget()):
            # The export's names where to.
            right = said == own or (name == "exportButton" and said.startswith("Write DICOM"))
            assert right, f"{where}: {name} is on, but says {said!r}"
        else:
            off += 1
            assert said and said != own, f"{where}: {name} is off without a reason"
    assert off, f"{where}: nothing is off"


def test_whatever_is_off_says_why(driver, shown_widget, volumes, simple_network, session) -> None:
    ui = driver.ui
    session.parameters = None
    session.changed.emit()
    assert_reasons(ui, "closed")
    shown_widget[1].enter()
    driver.choose("registrationCombo", "Off")
    assert_reasons(ui, "ready")
    driver.click("applyButton")
    assert_reasons(ui, "running")
    driver.wait_until(lambda: not session.running)
    assert_reasons(ui, "done")
    driver.click("mapButton")
    assert_reasons(ui, "inspecting")
    driver.click("measureButton")
    assert_reasons(ui, "measuring")
    driver.wait_until(lambda: not session.running)
    assert_reasons(ui, "measured")


def test_tab_goes_down_the_panel(driver, application) -> None:
    for name, widget in vars(driver.ui).items():
        if name.endswith("Section"):
            widget.setProperty("collapsed", False)
    driver.resize(WIDTH)
    wanted = [name for name, widget in controls(driver.ui) if widget.isVisible()]
    names = {id(widget): name for name, widget in controls(driver.ui)}
    found, widget = [], driver._root
    while (widget := widget.nextInFocusChain()) is not driver._root:
        if id(widget) in names and widget.isVisible():
            found.append((names[id(widget)], widget))
    assert len(found) == len(wanted) > 40
    places = []
    for _, widget in found:
        at = widget.mapTo(driver._root, widget.rect().topLeft())
        places.append((at.y(), at.x()))
    # Widgets of one row may differ by a few pixels in height.
    for (name, _), place, (after, _), later in zip(
        found, places, found[1:], places[1:], strict=False
    ):
        assert later[0] > place[0] - 6, f"Tab goes up from {name} to {after}"


@pytest.mark.parametrize("width", [WIDTH, 600])
def test_no_word_is_cut_off(driver, width) -> None:
    from PySide6 import QtGui
    from WDualMineLib.errors import WDualMineError
    from WDualMineLib.gui.messages import of_error

    error = WDualMineError(
        "The folder /data/hospital/radiology/neurosurgery/planning/2026/patient_0000123456789 "
        "cannot be written, for 1.2.826.0.1.3680043.8.498.12345678901234567890123456789012 is "
        "there already",
        "Choose another folder, or delete what is in it and press Export again",
    )
    for name, widget in vars(driver.ui).items():
        if name.endswith("Section"):
            widget.setProperty("collapsed", False)
    driver.ui.setupFrame.setVisible(True)
    for name in LABELS:
        getattr(driver.ui, name).setText(of_error(error))
        getattr(driver.ui, name).setVisible(True)
    root = driver._root
    driver.resize(width)
    assert root.width() == width, "the panel is wider than its column"
    for name in LABELS:
        label = getattr(driver.ui, name)
        document = QtGui.QTextDocument()
        document.setDefaultFont(label.font())
        document.setDocumentMargin(0)
        document.setHtml(label.text())
        document.setTextWidth(label.contentsRect().width())
        assert document.idealWidth() <= label.contentsRect().width() + 1, f"{name}: too wide"
        assert document.size().height() <= label.height() + 2, f"{name}: too high"
        place = label.mapTo(root, label.rect().topRight())
        assert place.x() <= width, f"{name} reaches beyond the panel"


def test_the_panel_fits_a_narrow_column(driver) -> None:
    for name, widget in vars(driver.ui).items():
        if name.endswith("Section"):
            widget.setProperty("collapsed", False)
    driver.ui.exportFolderButton.setProperty("directory", "/data" + 20 * "/long-folder-name")
    driver.resize(WIDTH)
    assert driver._root.minimumSizeHint().width() <= WIDTH
    assert driver._root.width() == WIDTH
