"""The whole workflow inside a running 3D Slicer: no network, nobody at the mouse.

Started by *Reload and Test* of the module, or by Testing/Python/WDualMineTest.py. Every control of
the panel is set, everything is applied, and each check fails with a sentence.
"""

from __future__ import annotations

import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import slicer

from ..result.result_nodes import results_in
from ..result.volume_nodes import add_volume, array_of
from .dependencies import Dependencies
from .phantom import heads
from .scene_files import load_scene, save_scene

MODULE = "WDualMine"
DICOM_PLUGIN = "DICOMWDualMinePlugin"
_SIZE = (48, 56, 24)
_WAIT_S = 180


class SelfTest(unittest.TestCase):
    """One user's session, step by step."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear(0)
        missing = Dependencies().missing()
        if missing:
            self.fail(f"{' and '.join(missing)} must be installed first: open the module once")
        slicer.util.selectModule(MODULE)
        self.widget = slicer.util.getModuleWidget(MODULE)
        self.ui = self.widget.ui
        self.session = self.widget.panel.session
        self.fixed, self.moving = (add_volume(slicer.mrmlScene, v) for v in heads(_SIZE))
        self.folder = tempfile.TemporaryDirectory(prefix="wdualmine-test-")
        self.addCleanup(self.folder.cleanup)

    def test_the_whole_workflow(self) -> None:
        self._inputs()
        self._every_control()
        self._apply()
        self._apply_again()
        self._cancel()
        self._look()
        self._inspect()
        self._layouts()
        self._preview()
        self._measure()
        self._region()
        self._export()
        self._export_into_the_database()
        self._export_by_slicers_dialog()
        self._register()
        self._save_and_load()

    def _inputs(self) -> None:
        self.ui.fixedSelector.setCurrentNode(self.fixed)
        self.ui.movingSelector.setCurrentNode(self.fixed)
        self._settle()
        self.assertFalse(self.ui.applyButton.enabled, "Apply is on for one volume chosen twice")
        self.assertIn("both", self.ui.applyButton.toolTip, "Apply does not say why it is off")
        self.ui.movingSelector.setCurrentNode(self.moving)
        self._settle()

    def _every_control(self) -> None:
        """Each entry of each list and each end of each slider reaches the parameter node."""
        parameters = self.session.parameters
        for name in (
            "pair", "fixedWindow", "movingWindow", "registration", "axis", "colour", "device",
            "precision", "layers", "map",
        ):  # fmt: skip
            combo = getattr(self.ui, f"{name}Combo")
            for index in reversed(range(combo.count)):
                combo.currentIndex = index
                shown = getattr(parameters, name).label()
                self.assertEqual(shown, combo.currentText, f"{name} does not follow its list")
        for name, slider in (
            ("strength", self.ui.strengthSlider), ("correlationFloor", self.ui.floorSlider),
            ("foregroundOpacity", self.ui.opacitySlider), ("tiles", self.ui.tilesSlider),
            ("reveal", self.ui.revealSlider), ("mapThreshold", self.ui.mapThresholdSlider),
            ("mapOpacity", self.ui.mapOpacitySlider),
        ):  # fmt: skip
            before = slider.value
            for value in (slider.minimum, slider.maximum, before):
                slider.value = value
                self.assertAlmostEqual(
                    getattr(parameters, name), value, 3, f"{name} does not follow its slider"
                )
        for wanted in (True, False):
            self._click(self.ui.mapShareCheck)
            self.assertEqual(parameters.mapShare, wanted, "the map of shares does not follow")
        self._choose(self.ui.registrationCombo, "Off")
        self._choose(self.ui.fixedWindowCombo, "Automatic")
        self._choose(self.ui.movingWindowCombo, "From")
        self.ui.movingLowSpin.value, self.ui.movingHighSpin.value = 0.0, 100.0
        self._choose(self.ui.colourCombo, "PET")
        self._choose(self.ui.deviceCombo, "CPU")
        self._settle()
        self.assertTrue(self.ui.applyButton.enabled, f"Apply is off: {self.ui.applyButton.toolTip}")

    def _apply(self) -> None:
        self._click(self.ui.applyButton)
        self._wait("Apply")
        self.assertIn("Fused.", self.ui.statusLabel.text, "the run failed")
        nodes = self.session.nodes
        self.assertEqual(len(nodes.all()), 5, "an output is missing")
        total = array_of(nodes.reliability_fixed) + array_of(nodes.reliability_moving)
        self.assertLess(abs(total - 1).max(), 1e-4, "the reliabilities do not add up to 1")
        self.assertEqual(
            self.ui.fusedSelector.currentNode().GetID(), nodes.fused.GetID(),
            "the fused volume is not chosen as output",
        )  # fmt: skip

    def _apply_again(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self._click(self.ui.applyButton)
        self._wait("Apply again")
        after = slicer.mrmlScene.GetNumberOfNodes()
        self.assertEqual(before, after, "applying again made new nodes")

    def _cancel(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self._click(self.ui.applyButton)
        # Not on the wall: other programs may have the processors for as long as they like.
        started = time.thread_time()
        self._click(self.ui.cancelButton)
        self.assertLess(time.thread_time() - started, 1.0, "Cancel took more than a second")
        self.assertFalse(self.session.running, "the run goes on after Cancel")
        after = slicer.mrmlScene.GetNumberOfNodes()
        self.assertEqual(before, after, "Cancel left something in the scene")

    def _look(self) -> None:
        fused = self.session.nodes.fused
        before = array_of(fused).copy()
        self.ui.strengthSlider.value = 0.0
        self._wait("changing the look")
        self.assertFalse(np.array_equal(before, array_of(fused)), "the strength changes nothing")
        self.assertEqual(fused.GetAttribute("WDualMine.strength"), "0.0", "the strength is lost")
        self.ui.strengthSlider.value = 1.0
        self._wait("changing the look")

    def _inspect(self) -> None:
        for name in ("sideBySide", "checkerboard", "reveal", "map"):
            button = getattr(self.ui, f"{name}Button")
            self._click(button)
            self._wait(name)
            self.assertTrue(button.checked, f"{name} failed: {self.ui.statusLabel.text}")
        self._click(self.ui.normalLayoutButton)
        self._choose(self.ui.layersCombo, "Moving over fixed")
        self._settle()
        self._assert_shown(self.fixed, self.moving)
        self._choose(self.ui.layersCombo, "Fused")
        self._settle()

    def _layouts(self) -> None:
        """Views that a layout brings along show the result too."""
        nodes = self.session.nodes
        layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        if layout is not None:
            for arrangement in (
                layout.SlicerLayoutThreeByThreeSliceView, layout.SlicerLayoutFourUpView,
            ):  # fmt: skip
                layout.SetViewArrangement(arrangement)
                self._settle()
        self._assert_shown(nodes.colour or nodes.fused)

    def _assert_shown(self, background, foreground=None) -> None:
        wanted = background.GetID(), foreground.GetID() if foreground else None
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            shown = view.GetBackgroundVolumeID(), view.GetForegroundVolumeID() or None
            self.assertEqual(shown, wanted, f"the view {view.GetLayoutName()} shows another volume")

    def _preview(self) -> None:
        before = slicer.mrmlScene.GetNumberOfNodes()
        self._click(self.ui.livePreviewCheck)
        started = time.perf_counter()
        while " slice " not in self.ui.previewLabel.text:
            self._settle()
            self.assertLess(
                time.perf_counter() - started, _WAIT_S,
                f"there is no preview: {self.ui.previewLabel.text}",
            )  # fmt: skip
        after = slicer.mrmlScene.GetNumberOfNodes()
        self.assertEqual(before, after, "the preview left something in the scene")
        self._click(self.ui.livePreviewCheck)

    def _region(self) -> None:
        roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Lesion")
        roi.SetCenter(0.0, 0.0, 0.0)
        roi.SetSize(40.0, 40.0, 40.0)
        self.ui.roiSelector.setCurrentNode(roi)
        self._settle()
        self._click(self.ui.measureRegionButton)
        self.assertIn("Lesion", self.ui.regionLabel.text, "the box was not measured")

    def _measure(self) -> None:
        self._click(self.ui.measureButton)
        self._wait("Measure")
        self.assertEqual(self.ui.measuresTable.rowCount, 5, "the table of measures is not filled")
        chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
        self.assertIsNotNone(chart, "there is no plot of the measures")

    def _export(self) -> None:
        folder = Path(self.folder.name) / "dicom"
        self.ui.exportFolderButton.directory = str(folder)
        self.ui.patientNameEdit.text = "Test^WDualMine"
        self.ui.patientIdEdit.text = "TEST"
        self._click(self.ui.exportButton)
        self._wait("Export")
        count = len(list(folder.rglob("*.dcm")))
        self.assertGreaterEqual(count, 2 * _SIZE[2] + 3, self.ui.exportLabel.text)

    def _export_into_the_database(self) -> None:
        from DICOMLib import DICOMUtils

        folder = Path(self.folder.name) / "database"
        # The user's own is not touched.
        with DICOMUtils.TemporaryDICOMDatabase(str(folder)) as database:
            self._choose(self.ui.exportTargetCombo, "Slicer")
            self._click(self.ui.exportButton)
            self._wait("Export into the database")
            self.assertIn("objects are in Slicer", self.ui.exportLabel.text, "it took nothing")
            studies = [s for p in database.patients() for s in database.studiesForPatient(p)]
            series = [s for study in studies for s in database.seriesForStudy(study)]
            self.assertEqual(len(series), 5, "fused, colour and three maps are not in the database")
        self._choose(self.ui.exportTargetCombo, "A folder")

    def _export_by_slicers_dialog(self) -> None:
        """What the dialog does with the plugin, which Slicer must have found by itself."""
        plugins = slicer.modules.dicomPlugins
        self.assertIn(DICOM_PLUGIN, plugins, "Slicer does not know the DICOM export plugin")
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        item = hierarchy.GetItemByDataNode(self.session.nodes.fused)
        exportables = plugins[DICOM_PLUGIN]().examineForExport(item)
        self.assertEqual(len(exportables), 5, "not every part of the result is offered")
        folder = Path(self.folder.name) / "dialog"
        for exportable in exportables:
            exportable.directory = str(folder)
        self.assertEqual(plugins[DICOM_PLUGIN]().export(exportables), "", "the export failed")
        count = len(list(folder.rglob("*.dcm")))
        self.assertEqual(count, 2 * _SIZE[2] + 3, "not every object was written")

    def _register(self) -> None:
        self._choose(self.ui.registrationCombo, "Rigid")
        self._click(self.ui.applyButton)
        self._wait("Registration")
        told = self.ui.verdictLabel.text + self.ui.statusLabel.text
        self.assertRegex(told, "align", "nothing was said of the alignment")
        if self.session.outcome is not None and self.ui.discardAlignmentButton.visible:
            self._click(self.ui.discardAlignmentButton)
        self._choose(self.ui.registrationCombo, "Off")

    def _save_and_load(self) -> None:
        voxels = array_of(self.session.nodes.fused).copy()
        path = Path(self.folder.name) / "scene.mrb"
        save_scene(slicer.mrmlScene, path)
        slicer.mrmlScene.Clear(0)
        self.assertIsNone(self.session.nodes, "a closed scene is still known")
        load_scene(slicer.mrmlScene, path)
        found = results_in(slicer.mrmlScene)
        self.assertEqual(len(found), 1, "the result is not in the loaded scene")
        self.assertTrue(np.array_equal(array_of(found[0].fused), voxels), "voxels have changed")
        self.widget.enter()
        self._settle()
        self.assertTrue(self.ui.measureButton.enabled, "a loaded result cannot be measured")
        self.ui.strengthSlider.value = 0.5
        self._wait("changing the look of a loaded result")
        told = found[0].fused.GetAttribute("WDualMine.strength")
        self.assertEqual(told, "0.5", f"a loaded result keeps its look: {self.ui.lookLabel.text}")

    def _choose(self, combo, text: str) -> None:
        for index in range(combo.count):
            if combo.itemText(index).startswith(text):
                combo.currentIndex = index
                return
        self.fail(f"there is no choice {text!r}")

    def _click(self, button) -> None:
        self.assertTrue(button.enabled, f"{button.text} is off: {button.toolTip}")
        button.click()
        self._settle()

    def _settle(self) -> None:
        for _ in range(5):
            slicer.app.processEvents()

    def _wait(self, what: str) -> None:
        started = time.perf_counter()
        self._settle()
        while self.session.running:
            slicer.app.processEvents()
            if time.perf_counter() - started > _WAIT_S:
                self.fail(f"{what} did not end within {_WAIT_S} s")
        self._settle()
