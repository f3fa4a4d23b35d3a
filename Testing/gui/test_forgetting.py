"""What is said and shown is of what there is now: no text, cache or offer outlives its subject."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
vtk = pytest.importorskip("vtk", reason="slicer-core is not installed")

from types import SimpleNamespace

LABELS = ("verdict", "status", "preview", "look", "region", "export")


def texts(driver) -> dict[str, str]:
    return {name: driver.text(f"{name}Label") for name in LABELS}


@pytest.fixture
def talkative(fused, session, scene, tmp_path):
    """Everything that can be said of a result has been said."""
    from WDualMineLib.gui.widgets import say

    fused.click("measureButton")
    fused.wait_until(lambda: not session.running)
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Lesion")
    roi.SetSize(40.0, 40.0, 40.0)
    fused.ui.roiSelector.setCurrentNode(roi)
    fused.click("measureRegionButton")
    fused.ui.exportFolderButton.setProperty("directory", str(tmp_path / "out"))
    fused.ui.patientNameEdit.setText("Doe^Jane")
    fused.click("exportButton")
    fused.wait_until(lambda: not session.running)
    fused.click("livePreviewCheck")
    fused.wait_until(lambda: "slice" in fused.text("previewLabel"))
    say(fused.ui.lookLabel, "The floor decided.")
    fused.choose("registrationCombo", "Rigid")
    return fused


def test_the_next_patient_hears_nothing_of_the_one_before(talkative, scene) -> None:
    said = texts(talkative)
    del said["status"]  # the export's progress took its place
    assert all(said.values()), said
    scene.Clear(False)
    talkative.settle()
    left = texts(talkative)
    # Of the empty scene it is true.
    assert left.pop("verdict") in ("", "Not registered yet.")
    assert not any(left.values()), left
    assert not talkative.ui.measuresTable.isVisibleTo(talkative.ui.measureSection)
    assert not talkative.ui.previewImage.isVisibleTo(talkative.ui.previewSection)
    assert talkative.ui.progressBar.value() == 0


def test_a_new_result_is_not_told_with_what_was_said_of_the_last(talkative, session) -> None:
    talkative.choose("registrationCombo", "Off")
    talkative.click("applyButton")
    talkative.wait_until(lambda: not session.running)
    said = texts(talkative)
    assert said["status"].startswith("Fused.")
    assert not (said["look"] or said["region"] or said["export"]), said
    assert not talkative.ui.measuresTable.isVisibleTo(talkative.ui.measureSection)
    assert "Measure first" in talkative.ui.plotCombo.toolTip()


def test_a_new_look_makes_the_measures_old(talkative, session) -> None:
    talkative.ui.strengthSlider.setProperty("value", 0.5)
    talkative.wait_until(lambda: not session.running)
    assert not talkative.ui.measuresTable.isVisibleTo(talkative.ui.measureSection)
    # The maps are as they were.
    assert talkative.text("regionLabel")


def test_nobody_is_asked_about_an_alignment_of_the_patient_before(
    ready, session, scene, shown_widget
) -> None:
    from WDualMineLib.gui.run_section import RunSection

    (section,) = (s for s in shown_widget[1].panel.sections if isinstance(s, RunSection))
    doubtful = SimpleNamespace(nodes=None, result=None, alignment=None)
    section._on_finished(doubtful)
    assert ready.ui.fuseAnywayButton.isVisible()
    scene.Clear(False)
    assert not ready.ui.fuseAnywayButton.isVisible()
    assert not ready.ui.discardAlignmentButton.isVisible()


def align(scene, fixed, moving, verdict="good", reasons="two starts agree"):
    from WDualMineLib.scene.result.node_placement import ALIGNED_TO, ALIGNS, VERDICT

    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "CTHead to MRHead")
    transform.SetNodeReferenceID(ALIGNS, moving.GetID())
    transform.SetNodeReferenceID(ALIGNED_TO, fixed.GetID())
    transform.SetAttribute(VERDICT, verdict)
    transform.SetDescription(reasons)
    moving.SetAndObserveTransformNodeID(transform.GetID())
    return transform


def test_the_verdict_of_a_loaded_scene_is_told(ready, scene, volumes, session, tmp_path) -> None:
    """Its nodes get the IDs of those that the panel spoke of before, and while they come one by
    one, widgets hear of them and ask the panel to look."""
    from WDualMineLib.scene.application.scene_files import load_scene, save_scene

    ready.choose("registrationCombo", "Rigid")
    transform = align(scene, *volumes)
    save_scene(scene, tmp_path / "aligned.mrb")
    volumes[1].SetAndObserveTransformNodeID(None)
    scene.RemoveNode(transform)
    ready.choose("registrationCombo", "Affine")
    ready.choose("registrationCombo", "Rigid")
    assert ready.text("verdictLabel") == "Not registered yet."
    scene.Clear(False)
    asked = scene.AddObserver(scene.NodeAddedEvent, lambda *_: session.changed.emit())
    load_scene(scene, tmp_path / "aligned.mrb")
    scene.RemoveObserver(asked)
    ready.settle()
    assert ready.text("verdictLabel") == "Good alignment.\nTwo starts agree."


def test_an_alignment_that_is_taken_off_or_changed_is_told_at_once(ready, scene, volumes) -> None:
    from WDualMineLib.scene.result.node_placement import VERDICT

    ready.choose("registrationCombo", "Rigid")
    transform = align(scene, *volumes)
    assert ready.text("verdictLabel").startswith("Good alignment.")
    volumes[1].SetAndObserveTransformNodeID(None)
    assert ready.text("verdictLabel") == "Not registered yet."
    transform.SetAttribute(VERDICT, "doubtful")
    volumes[1].SetAndObserveTransformNodeID(transform.GetID())
    assert ready.text("verdictLabel").startswith("Doubtful alignment")


@pytest.mark.parametrize("which", [0, 1])
def test_an_input_that_gets_a_bent_transform_turns_apply_off(ready, scene, volumes, which) -> None:
    assert ready.ui.applyButton.isEnabled()
    bent = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "Breathing")
    volumes[which].SetAndObserveTransformNodeID(bent.GetID())
    assert not ready.ui.applyButton.isEnabled()
    assert "is not linear" in ready.ui.applyButton.toolTip()
    assert "is not linear" in ready.text("reasonLabel")
    volumes[which].SetAndObserveTransformNodeID(None)
    assert ready.ui.applyButton.isEnabled()


def test_a_transform_that_becomes_singular_turns_apply_off(ready, scene, volumes) -> None:
    linear = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Drawn")
    volumes[1].SetAndObserveTransformNodeID(linear.GetID())
    assert ready.ui.applyButton.isEnabled()
    flat = vtk.vtkMatrix4x4()
    flat.SetElement(0, 0, 0.0)
    linear.SetMatrixTransformToParent(flat)
    assert not ready.ui.applyButton.isEnabled()


def test_an_input_that_loses_its_voxels_turns_apply_off(ready, volumes) -> None:
    volumes[0].SetAndObserveImageData(None)
    assert not ready.ui.applyButton.isEnabled()
    assert "holds no voxels" in ready.ui.applyButton.toolTip()


def test_the_preview_follows_the_window_that_is_displayed(ready, session, volumes) -> None:
    ready.choose("pairCombo", "As displayed")
    ready.click("livePreviewCheck")
    ready.wait_until(lambda: "slice" in ready.text("previewLabel"))
    before = ready.ui.previewImage.pixmap().toImage()
    display = volumes[0].GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, 1500)
    ready.wait_until(lambda: ready.ui.previewImage.pixmap().toImage() != before)


def test_inputs_that_are_not_chosen_any_more_are_not_watched(
    ready, session, scene, volumes, shown_widget
) -> None:
    shown_widget[1].exit()
    heard: list = []
    session.changed.connect(lambda: heard.append(True))
    linear = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Later")
    volumes[0].SetAndObserveTransformNodeID(linear.GetID())
    assert not heard


def test_the_preview_is_in_colour_where_a_colour_is_chosen(ready, session) -> None:
    ready.choose("pairCombo", "MR + PET")
    ready.click("livePreviewCheck")
    ready.wait_until(lambda: "slice" in ready.text("previewLabel"))

    def is_coloured() -> bool:
        image = ready.ui.previewImage.pixmap().toImage()
        points = [
            image.pixelColor(x, y)
            for x in range(0, image.width(), 7)
            for y in range(0, image.height(), 7)
        ]
        return any(abs(c.red() - c.blue()) > 20 for c in points)

    assert is_coloured()
    ready.choose("colourCombo", "Grey only")
    ready.wait_until(lambda: not is_coloured())
    ready.choose("colourCombo", "Colours of the moving volume")
    ready.settle()


def test_a_panel_that_is_closed_does_nothing_any_more(fused, shown_widget, session, scene) -> None:
    """Reloading the module makes a new one, and the scene is that one's."""
    import gc

    from PySide6 import QtCore

    _, widget, _ = shown_widget

    def timers() -> list:
        # Not by isinstance, which asks some objects for more than their type.
        return [each for each in gc.get_objects() if type(each) is QtCore.QTimer]

    before = {id(timer) for timer in timers() if timer.isActive()}
    fused.ui.livePreviewCheck.setChecked(True)
    widget.panel.views_added()
    widget.panel.volume_added()
    pending = [timer for timer in timers() if timer.isActive() and id(timer) not in before]
    assert len(pending) >= 3, "nothing was under way"
    widget.cleanup()
    assert not [each for each in pending if each.isActive()]
    # Nor does the scene call anybody of it.
    called = []
    session.changed.connect(lambda *_: called.append(1))
    scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "later")
    assert not called
