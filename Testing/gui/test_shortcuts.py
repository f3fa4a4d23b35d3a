"""Keys for layouts and maps do what the buttons do; every key is told in its button's tooltip."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def press(shown_widget, driver, session):
    def press(key: str) -> None:
        shown_widget[1].panel.shortcuts.shortcuts[key].activated.emit()
        driver.wait_until(lambda: not session.running)
        driver.settle()

    return press


def test_layouts_follow_their_keys(fused, press) -> None:
    for key, name in {
        "Alt+2": "sideBySide", "Alt+3": "checkerboard", "Alt+4": "reveal",
    }.items():  # fmt: skip
        press(key)
        assert getattr(fused.ui, f"{name}Button").isChecked(), name
    press("Alt+1")
    assert not fused.ui.revealButton.isChecked()


def test_maps_follow_their_keys(fused, press, scene, session) -> None:
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    for key, node in {
        "Alt+6": session.nodes.arbitration, "Alt+5": session.nodes.reliability_fixed,
    }.items():  # fmt: skip
        press(key)
        assert fused.ui.mapButton.isChecked()
        assert composite.GetForegroundVolumeID() == node.GetID(), key


def test_layers_go_round(fused, press) -> None:
    shown = []
    for _ in range(3):
        press("Alt+0")
        shown.append(fused.ui.layersCombo.currentText())
    assert shown == ["Fused over fixed", "Moving over fixed", "Fused"]


def test_before_there_is_a_result_a_key_does_nothing(ready, press) -> None:
    from WDualMineLib.gui.shortcuts import KEYS

    before = ready.text("statusLabel")
    for key in KEYS:
        press(key)
    assert ready.text("statusLabel") == before


def test_the_keys_are_real_ones_and_each_is_told(fused, shown_widget, application) -> None:
    """By Qt's own way: a key event, while a widget outside of the section has the focus."""
    from PySide6 import QtCore, QtTest
    from WDualMineLib.gui.shortcuts import KEYS

    panel = shown_widget[1].panel
    assert set(panel.shortcuts.shortcuts) == set(KEYS)
    window = fused._root.window()
    window.activateWindow()
    fused.ui.applyButton.setFocus()
    application.processEvents()
    heard = []
    panel.shortcuts.shortcuts["Alt+2"].activated.connect(lambda: heard.append(1))
    QtTest.QTest.keyClick(
        fused.ui.applyButton, QtCore.Qt.Key.Key_2, QtCore.Qt.KeyboardModifier.AltModifier
    )
    application.processEvents()
    assert heard, "the key does not arrive"
    tips = " ".join(
        getattr(fused.ui, name).toolTip()
        for name in (
            "normalLayoutButton", "sideBySideButton", "checkerboardButton", "revealButton",
            "mapButton", "layersCombo",
        )
    )  # fmt: skip
    for key in KEYS:
        assert key in tips, f"no tooltip tells of {key}"
