"""Colours of what the panel says: amber asks for a look, and mere information is no warning."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


@pytest.fixture
def amber(application):
    """Amber as it is on the style of the moment."""
    from WDualMineLib.gui.legible import legible
    from WDualMineLib.gui.messages import DOUBTFUL

    return legible(DOUBTFUL)


def test_information_has_the_colour_of_the_text_around(amber) -> None:
    from WDualMineLib.errors import Caution
    from WDualMineLib.gui.messages import of_notes

    told = of_notes(["CT was resampled to the grid of MR.", Caution("Only 20 % of MR lies in CT.")])
    information, caution = told.split("<br/>")
    assert "color" not in information and "resampled" in information
    assert amber in caution


def test_what_a_fusion_tells_is_told_apart(ready, session, volumes, amber) -> None:
    """A moving volume on another grid, most of which lies elsewhere."""
    spacing = volumes[1].GetSpacing()
    volumes[1].SetSpacing(spacing[0] * 1.1, spacing[1], spacing[2])
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    assert "was resampled" in ready.text("statusLabel")
    assert amber not in ready.ui.statusLabel.text()
    volumes[1].SetOrigin(volumes[1].GetOrigin()[0], volumes[1].GetOrigin()[1], 30.0)
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    assert "Only" in ready.text("statusLabel") and amber in ready.ui.statusLabel.text()


def test_asking_for_an_installation_is_no_warning(shown_widget, driver, monkeypatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a)
    )
    shown_widget[1].enter()
    assert "WDualMine needs PyTorch." in driver.text("setupLabel")
    assert "color" not in driver.ui.setupLabel.text()


def test_what_is_said_of_a_run_does_not_touch_the_next_header(fused) -> None:
    fused.resize(430)
    label, header = fused.ui.statusLabel, fused.ui.lookSection
    root = fused._root
    end = label.mapTo(root, label.rect().bottomLeft()).y()
    assert header.mapTo(root, header.rect().topLeft()).y() - end >= 10


def test_a_preview_without_a_picture_takes_no_room(ready) -> None:
    ready.ui.previewSection.setProperty("collapsed", False)
    ready.resize(430)
    assert not ready.ui.previewImage.isVisible()
    end = ready.ui.livePreviewCheck.mapTo(
        ready._root, ready.ui.livePreviewCheck.rect().bottomLeft()
    )
    button = ready.ui.applyButton.mapTo(ready._root, ready.ui.applyButton.rect().topLeft())
    assert button.y() - end.y() < 40
