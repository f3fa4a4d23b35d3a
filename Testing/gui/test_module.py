"""The whole module on a real scene, clicked through as a user would."""

from __future__ import annotations

import time
import types

import numpy as np
import pytest

# Named here, for PySide6 offers methods or properties by what the calling module asks for.
pytest.importorskip("PySide6", reason="PySide6 is not installed")
vtk = pytest.importorskip("vtk", reason="slicer-core is not installed")

from WDualMineLib.progress import Progress

from .conftest import snapshot


def nodes_in(scene) -> set[str]:
    return set(snapshot(scene))


def volumes_in(scene) -> int:
    return scene.GetNumberOfNodesByClass("vtkMRMLVolumeNode")


def test_an_empty_scene_says_what_to_do(driver) -> None:
    assert not driver.ui.applyButton.isEnabled()
    assert "Choose the fixed volume" in driver.ui.applyButton.toolTip()
    for name in ("measureButton", "exportButton", "sideBySideButton", "strengthSlider"):
        widget = getattr(driver.ui, name)
        assert not widget.isEnabled() and "Apply first" in widget.toolTip(), name
    driver.screenshot("panel-empty")


def test_two_volumes_of_different_modality_are_chosen_with_their_windows(ready) -> None:
    assert ready.ui.fixedSelector.currentText() == "MRHead"
    assert ready.ui.movingSelector.currentText() == "CTHead"
    assert ready.ui.pairCombo.currentText() == "MR + CT, brain window"
    assert ready.ui.movingWindowCombo.currentText() == "CT brain, 0 to 80 HU"
    assert ready.ui.applyButton.isEnabled()
    ready.screenshot("panel-ready")


def test_apply_fuses_and_says_so(fused, session, scene) -> None:
    assert volumes_in(scene) == 2 + 4 + 1, "and the residual, hidden"
    assert fused.text("statusLabel").startswith("Fused.")
    assert fused.ui.fusedSelector.currentText() == "MRHead + CTHead fused"
    assert fused.ui.progressBar.value() == 1000
    for name in ("measureButton", "exportButton", "sideBySideButton", "strengthSlider"):
        assert getattr(fused.ui, name).isEnabled(), name
    assert session.nodes.fused.GetAttribute("WDualMine.moving_window") == "ct-brain"
    fused.screenshot("panel-done")


def test_applying_again_updates_the_same_nodes(fused, session, scene) -> None:
    before = nodes_in(scene)
    fused.click("applyButton")
    fused.wait_until(lambda: not session.running)
    assert nodes_in(scene) == before


def test_a_run_goes_on_while_the_module_is_closed(ready, session, shown_widget) -> None:
    ready.click("applyButton")
    shown_widget[1].exit()
    ready.wait_until(lambda: not session.running)
    assert session.nodes is not None and ready.text("statusLabel").startswith("Fused.")
    shown_widget[1].enter()
    assert ready.ui.fusedSelector.currentText() == "MRHead + CTHead fused"
    assert ready.ui.measureButton.isEnabled()


def test_a_scene_closed_during_a_run_stops_it(ready, session, scene, shown_widget) -> None:
    ready.click("applyButton")
    scene.Clear(False)
    assert not session.running
    ready.settle()
    assert not ready.ui.applyButton.isEnabled() and session.nodes is None
    assert shown_widget[1]._parameters is not None, "a new parameter node is shown"


def test_a_volume_deleted_during_a_run_is_told_in_the_panel(ready, session, scene, volumes) -> None:
    ready.click("applyButton")
    scene.RemoveNode(volumes[1])
    ready.wait_until(lambda: not session.running)
    assert "CTHead was deleted during the run" in ready.text("statusLabel")
    assert volumes_in(scene) == 1
    ready.screenshot("panel-error")


def test_the_same_volume_twice_turns_apply_off_with_the_reason(ready) -> None:
    ready.choose("movingSelector", "MRHead")
    assert not ready.ui.applyButton.isEnabled()
    assert "both the fixed and the moving" in ready.ui.applyButton.toolTip()


def test_swap_exchanges_volumes_and_windows(ready) -> None:
    ready.click("swapButton")
    assert ready.ui.fixedSelector.currentText() == "CTHead"
    assert ready.ui.fixedWindowCombo.currentText() == "CT brain, 0 to 80 HU"
    assert ready.ui.movingSelector.currentText() == "MRHead"


def test_numbers_for_a_window_count_only_where_asked_for(ready, session) -> None:
    assert not ready.ui.movingLowSpin.isVisible()
    ready.choose("movingWindowCombo", "From")
    assert ready.ui.movingLowSpin.isVisible() and not ready.ui.fixedLowSpin.isVisible()
    ready.ui.movingLowSpin.setValue(20)
    ready.ui.movingHighSpin.setValue(10)
    assert "20,10 is empty" in ready.ui.applyButton.toolTip()
    ready.ui.movingHighSpin.setValue(90)
    assert session.request().settings.moving_window == (20.0, 90.0)


def test_pet_presets_ask_for_colour(ready, session, scene) -> None:
    assert not ready.ui.colourVolumeSelector.isEnabled()
    ready.choose("pairCombo", "MR + PET")
    assert ready.ui.colourVolumeSelector.isEnabled()
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    assert session.nodes.colour is not None
    assert ready.ui.colourVolumeSelector.currentText() == "MRHead + CTHead fused in colour"


def test_the_map_of_shares_is_made_where_it_is_asked_for(ready, session, scene) -> None:
    assert not ready.ui.shareVolumeSelector.isEnabled()
    assert "Ask for the map" in ready.ui.shareVolumeSelector.toolTip()
    ready.click("mapShareCheck")
    assert ready.ui.shareVolumeSelector.isEnabled() and session.request().settings.share
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    share = session.nodes.parts["share"]
    assert ready.ui.shareVolumeSelector.currentText() == share.GetName()
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    ready.click("mapButton")
    ready.choose("mapCombo", "Share of the fixed volume")
    assert composite.GetForegroundVolumeID() == share.GetID()
    assert not ready.ui.mapThresholdSlider.isEnabled()
    ready.click("mapShareCheck")
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    ready.settle()
    assert "share" not in session.nodes.parts and share.GetScene() is scene
    # The new result has no such map, and that of the earlier one is not laid over it.
    assert composite.GetBackgroundVolumeID() == session.nodes.fused.GetID()
    assert composite.GetForegroundVolumeID() is None and not ready.ui.mapButton.isChecked()
    ready.click("mapButton")
    assert "has no map" in ready.text("statusLabel")


def test_the_look_acts_on_shown_slices_and_on_release_on_the_volume(fused, session, scene) -> None:
    from WDualMineLib.scene.result.volume_nodes import array_of

    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation("Axial")
    view.JumpSliceByOffsetting(0, 0, 0)
    node = session.nodes.fused
    before = array_of(node).copy()
    fused.drag_without_release("strengthSlider", 0.0)
    changed = np.flatnonzero((array_of(node) != before).any(axis=(1, 2)))
    assert len(changed) == 1, "only the slice on screen"
    fused.drag("strengthSlider", 0.0)
    fused.wait_until(lambda: not session.running)
    assert (array_of(node) != before).any(axis=(1, 2)).sum() > 20
    assert node.GetAttribute("WDualMine.strength") == "0.0"
    assert session.outcome.result.settings.strength == 0.0


def test_measures_are_shown_and_plotted(fused, session, scene) -> None:
    fused.click("measureButton")
    fused.wait_until(lambda: not session.running)
    table = fused.ui.measuresTable
    shown = {table.verticalHeaderItem(r).text(): table.item(r, 0).text() for r in range(5)}
    assert set(shown) == {"CC", "CC/bound", "MI", "SSIM", "Qabf"}
    assert 0.98 < float(shown["CC/bound"]) <= 1
    chart = scene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    assert chart.GetTitle() == "CC along the slices"
    fused.choose("plotCombo", "Qabf")
    assert chart.GetTitle() == "Qabf along the slices"
    assert scene.GetNumberOfNodesByClass("vtkMRMLPlotChartNode") == 1
    fused.ui.measureSection.setProperty("collapsed", False)
    fused.screenshot("panel-measures")


@pytest.mark.parametrize("button", ["checkerboardButton", "revealButton"])
def test_comparisons_show_both_sources(fused, session, scene, button) -> None:
    from WDualMineLib.scene.result.recovery import Results
    from WDualMineLib.scene.result.volume_nodes import array_of
    from WDualMineLib.scene.views.inspection import COMPARISON

    fused.click(button)
    fused.wait_until(lambda: not session.running)
    node = scene.GetFirstNodeByName(COMPARISON)
    sources = Results().of(session.nodes).pair
    fixed, moving = (array_of(node) == s for s in (sources.fixed, sources.moving))
    assert (fixed | moving).all() and not fixed.all() and not moving.all()
    slider = {"checkerboardButton": "tilesSlider", "revealButton": "revealSlider"}[button]
    before = array_of(node).copy()
    fused.drag(slider, {"tilesSlider": 20, "revealSlider": 0.2}[slider])
    assert not np.array_equal(array_of(node), before)
    fused.click("normalLayoutButton")
    assert scene.GetFirstNodeByName(COMPARISON) is None
    assert not getattr(fused.ui, slider).isEnabled()


def test_a_map_lies_over_the_fused_volume_above_its_threshold(fused, session, scene) -> None:
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    fused.click("mapButton")
    assert composite.GetForegroundVolumeID() == session.nodes.reliability_fixed.GetID()
    assert not session.nodes.reliability_fixed.GetDisplayNode().GetApplyThreshold()
    assert not fused.ui.mapThresholdSlider.isEnabled()
    assert "needs no threshold" in fused.ui.mapThresholdSlider.toolTip()
    fused.choose("mapCombo", "Arbitration")
    assert fused.ui.mapThresholdSlider.isEnabled()
    fused.drag("mapThresholdSlider", 0.7)
    fused.drag("mapOpacitySlider", 0.3)
    display = session.nodes.arbitration.GetDisplayNode()
    assert composite.GetForegroundVolumeID() == session.nodes.arbitration.GetID()
    assert display.GetApplyThreshold() and display.GetLowerThreshold() == pytest.approx(0.7)
    assert composite.GetForegroundOpacity() == pytest.approx(0.3)
    fused.ui.inspectSection.setProperty("collapsed", False)
    fused.screenshot("panel-inspect")


@pytest.fixture
def views(scene):
    """Makes slice views, as a layout does; returns their composite nodes."""
    import slicer

    logics = []

    def add(*names: str):
        for name in names:
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLScene(scene)
            logic.AddSliceNode(name)
            logics.append(logic)
        return [logic.GetSliceCompositeNode() for logic in logics]

    yield add
    for logic in logics:
        logic.SetMRMLScene(None)


def test_apply_shows_the_result_in_linked_views(ready, session, views) -> None:
    shown = views("Red", "Green", "Yellow")
    ready.click("applyButton")
    ready.wait_until(lambda: not session.running)
    ready.settle()
    assert {view.GetBackgroundVolumeID() for view in shown} == {session.nodes.fused.GetID()}
    assert all(view.GetLinkedControl() and view.GetHotLinkedControl() for view in shown)


def test_layers_are_linked_across_views(fused, session, views, volumes) -> None:
    shown = views("Red", "Green", "Yellow")
    assert "One layer is shown" in fused.ui.opacitySlider.toolTip()
    fused.choose("layersCombo", "Moving over fixed")
    assert {view.GetBackgroundVolumeID() for view in shown} == {volumes[0].GetID()}
    assert {view.GetForegroundVolumeID() for view in shown} == {volumes[1].GetID()}
    fused.drag("opacitySlider", 0.25)
    assert {view.GetForegroundOpacity() for view in shown} == {0.25}
    fused.click("linkCheck")
    assert not any(view.GetLinkedControl() for view in shown)
    fused.click("linkCheck")
    assert all(view.GetLinkedControl() and view.GetHotLinkedControl() for view in shown)


def test_views_of_a_later_layout_take_part(fused, session, scene, views, shown_widget) -> None:
    """Layers, opacity, links and the preview of views that were not there before."""
    views("Red")
    fused.choose("layersCombo", "Fused over fixed")
    fused.drag("opacitySlider", 0.3)
    _, later = views("Compare1")
    fused.settle()
    assert later.GetBackgroundVolumeID() == session.parameters.fixedVolume.GetID()
    assert later.GetForegroundVolumeID() == session.nodes.fused.GetID()
    assert later.GetForegroundOpacity() == pytest.approx(0.3) and later.GetHotLinkedControl()
    fused.click("mapButton")
    *_, last = views("Compare2")
    fused.settle()
    assert last.GetForegroundVolumeID() == session.nodes.reliability_fixed.GetID()
    heard = []
    shown_widget[1].panel.preview.update = lambda *_: heard.append(True)
    scene.GetSingletonNode("Compare2", "vtkMRMLSliceNode").JumpSliceByOffsetting(0, 0, 10)
    assert heard, "scrolling a later view is not noticed"


def test_views_that_come_while_the_module_is_closed_are_left_alone(
    fused, views, shown_widget
) -> None:
    shown_widget[1].exit()
    (view,) = views("Red")
    fused.settle()
    assert view.GetBackgroundVolumeID() is None and not view.GetLinkedControl()


def test_the_preview_follows_the_view_without_touching_the_scene(
    ready, session, scene, shown_widget
) -> None:
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation("Axial")
    before = nodes_in(scene)
    ready.click("livePreviewCheck")
    ready.wait_until(lambda: "Axial slice" in ready.text("previewLabel"))
    assert "registered" not in ready.text("previewLabel"), "nothing is to be registered"
    first = ready.ui.previewImage.pixmap().toImage()
    view.JumpSliceByOffsetting(0, 0, 40)
    shown_widget[1].panel.views_changed()
    ready.settle()
    ready.wait_until(lambda: ready.ui.previewImage.pixmap().toImage() != first)
    assert nodes_in(scene) == before
    ready.screenshot("panel-preview")
    ready.click("livePreviewCheck")
    assert ready.ui.previewImage.pixmap().isNull()


def test_the_preview_says_whether_the_volumes_are_aligned(ready, session, scene, volumes) -> None:
    from WDualMineLib.scene.result.node_placement import ALIGNED_TO, ALIGNS, VERDICT

    fixed, moving = volumes
    ready.click("livePreviewCheck")
    ready.choose("registrationCombo", "Rigid")
    ready.wait_until(lambda: "Not registered yet" in ready.text("previewLabel"))
    ready.screenshot("panel-preview-unregistered")
    before = ready.ui.previewImage.pixmap().toImage()
    # What a run leaves, or a scene of yesterday: the preview shows it.
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "CTHead to MRHead")
    transform.SetNodeReferenceID(ALIGNS, moving.GetID())
    transform.SetNodeReferenceID(ALIGNED_TO, fixed.GetID())
    transform.SetAttribute(VERDICT, "good")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 12.0)
    transform.SetMatrixTransformToParent(matrix)
    moving.SetAndObserveTransformNodeID(transform.GetID())
    session.changed.emit()
    ready.wait_until(lambda: "registered" not in ready.text("previewLabel"))
    assert ready.ui.previewImage.pixmap().toImage() != before
    transform.SetAttribute(VERDICT, "doubtful")
    session.changed.emit()
    ready.wait_until(lambda: "doubtful" in ready.text("previewLabel"))
    transform.SetNodeReferenceID(ALIGNED_TO, moving.GetID())
    session.changed.emit()
    ready.wait_until(lambda: "Not registered yet" in ready.text("previewLabel"))


def test_the_verdict_is_of_the_volumes_that_are_chosen(ready, scene, volumes) -> None:
    """From the scene, so that one of yesterday is told too; and of no others."""
    from WDualMineLib.scene.result.node_placement import ALIGNED_TO, ALIGNS, VERDICT

    fixed, moving = volumes
    assert not ready.ui.verdictLabel.isVisible(), "nothing is to be registered"
    ready.choose("registrationCombo", "Rigid")
    assert ready.text("verdictLabel") == "Not registered yet."
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "CTHead to MRHead")
    transform.SetNodeReferenceID(ALIGNS, moving.GetID())
    transform.SetNodeReferenceID(ALIGNED_TO, fixed.GetID())
    transform.SetAttribute(VERDICT, "good")
    transform.SetDescription("two starts agree")
    moving.SetAndObserveTransformNodeID(transform.GetID())
    ready.choose("registrationCombo", "Affine")
    assert ready.text("verdictLabel") == "Good alignment.\nTwo starts agree."
    ready.click("swapButton")
    assert ready.text("verdictLabel") == "Not registered yet."


def test_export_writes_dicom_or_says_why_not(fused, session, tmp_path) -> None:
    import pydicom

    fused.ui.exportFolderButton.setProperty("directory", str(tmp_path / "out"))
    fused.ui.patientNameEdit.setText("Doe^Jane")
    fused.click("exportButton")
    fused.wait_until(lambda: not session.running)
    assert "DICOM files written" in fused.text("exportLabel"), fused.text("exportLabel")
    files = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(files) == 40 + 3
    assert pydicom.dcmread(files[0]).PatientName == "Doe^Jane"
    fused.click("exportButton")
    fused.wait_until(lambda: not session.running)
    assert "out" in fused.text("exportLabel") and "written." not in fused.text("exportLabel")


def test_results_are_found_again_after_saving_and_loading(
    fused, scene, shown_widget, tmp_path
) -> None:
    from WDualMineLib.scene.application.scene_files import load_scene, save_scene

    save_scene(scene, tmp_path / "scene.mrb")
    scene.Clear(False)
    load_scene(scene, tmp_path / "scene.mrb")
    shown_widget[1].initializeParameterNode()
    assert fused.ui.fusedSelector.currentText() == "MRHead + CTHead fused"
    assert fused.ui.measureButton.isEnabled() and fused.ui.strengthSlider.isEnabled()


def test_the_look_of_a_loaded_scene_follows_the_sliders(
    fused, session, scene, shown_widget, tmp_path
) -> None:
    """While it is dragged once it has recovered, and the volume on release, without Apply."""
    from WDualMineLib.scene.application.scene_files import load_scene, save_scene
    from WDualMineLib.scene.result.volume_nodes import array_of

    wanted = session.outcome.result.with_look(0.5).fused.array
    save_scene(scene, tmp_path / "scene.mrb")
    scene.Clear(False)
    load_scene(scene, tmp_path / "scene.mrb")
    shown_widget[1].initializeParameterNode()
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetOrientation("Axial")
    view.JumpSliceByOffsetting(0, 0, 0)
    before = array_of(session.nodes.fused).copy()
    fused.drag_without_release("strengthSlider", 0.9)
    fused.wait_until(lambda: session.outcome.result is not None)
    fused.drag_without_release("strengthSlider", 0.7)
    assert (array_of(session.nodes.fused) != before).any(axis=(1, 2)).sum() == 1
    fused.drag("strengthSlider", 0.5)
    fused.wait_until(lambda: not session.running)
    assert array_of(session.nodes.fused) == pytest.approx(wanted, abs=1e-4)
    # And where the first touch is the release.
    session.outcome = shown_widget[1].panel._fusion.recover(session.nodes.fused)
    fused.ui.strengthSlider.setProperty("value", 1.0)
    fused.wait_until(lambda: not session.running)
    assert array_of(session.nodes.fused) == pytest.approx(before, abs=1e-4)


def test_a_loaded_scene_whose_volumes_were_moved_says_so(
    fused, session, scene, shown_widget, volumes
) -> None:
    session.outcome = shown_widget[1].panel._fusion.recover(session.nodes.fused)
    volumes[1].SetOrigin(np.add(volumes[1].GetOrigin(), 9.0))
    fused.ui.strengthSlider.setProperty("value", 0.5)
    fused.wait_until(lambda: not session.running)
    assert "are not what MRHead + CTHead fused was made of" in fused.text("lookLabel")
    assert "Apply again." in fused.text("lookLabel")


def test_what_is_missing_is_named_and_apply_waits_for_it(
    shown_widget, driver, volumes, monkeypatch
) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *a: None if name in ("torch", "pywt") else real(name, *a),
    )
    shown_widget[1].enter()
    assert driver.ui.setupFrame.isVisible()
    assert "PyTorch and PyWavelets" in driver.text("setupLabel")
    assert "Install PyTorch and PyWavelets first" in driver.ui.applyButton.toolTip()
    driver.screenshot("panel-setup")
    driver.click("installButton")
    driver.settle()
    assert "Extensions Manager" in driver.text("setupLabel")


@pytest.fixture
def installation(shown_widget, monkeypatch):
    """The panel misses something, and installs it by steps that the test gives."""
    setup = shown_widget[1].panel.setup
    missing = ["PyWavelets"]

    def installation(steps):
        logic = types.SimpleNamespace(
            missing=lambda: list(missing), install_steps=lambda: steps(missing)
        )
        monkeypatch.setattr(setup, "_logic", logic)
        monkeypatch.setattr(setup, "_preloading", types.SimpleNamespace(cancel=lambda: None))
        setup.check()

    return installation


def test_what_pip_says_is_seen_and_it_can_be_cancelled(driver, installation) -> None:
    closed = []

    def steps(_missing):
        try:
            while True:
                yield Progress(0, "PyWavelets: Downloading")
        finally:
            closed.append(1)

    installation(steps)
    driver.click("installButton")
    driver.wait_until(lambda: "Downloading" in driver.text("setupLabel"))
    assert driver.ui.installButton.text() == "Cancel the installation"
    driver.click("installButton")
    driver.wait_until(lambda: closed)
    assert "Not installed" in driver.text("setupLabel")
    assert driver.ui.installButton.text() == "Install PyWavelets"


def test_an_installation_that_deals_with_events_itself(driver, installation, application) -> None:
    """As the extension PyTorch does: neither the timer nor a second press may come in between."""
    answers = []

    def steps(missing):
        yield Progress(0, "PyTorch comes through its extension")
        for _ in range(20):
            application.processEvents()
            time.sleep(0.001)
        driver.ui.installButton.click()
        answers.append(driver.text("setupLabel"))
        missing.clear()
        yield Progress(0, "PyTorch is installed")

    installation(steps)
    driver.click("installButton")
    driver.wait_until(lambda: not driver.ui.setupFrame.isVisible())
    (said,) = answers
    assert "comes through its extension" in said


def test_leaving_the_module_lets_go_of_the_parameter_node(ready, shown_widget) -> None:
    parameters = shown_widget[1].logic.getParameterNode()
    shown_widget[1].exit()
    ready.ui.strengthSlider.setProperty("value", 1.5)
    assert parameters.strength == 1.0
    shown_widget[1].enter()
    assert ready.ui.strengthSlider.property("value") == 1.0
