"""Preview, measures, doubts, DICOM and the page of the case."""

from __future__ import annotations

import slicer

from .bench import Bench

DICOM_PLUGIN = "DICOMWDualMinePlugin"


def preview(bench: Bench) -> None:
    """A slice in the panel, and nothing in the scene."""
    before = bench.scene.GetNumberOfNodes()
    bench.hands.click(bench.ui.livePreviewCheck)
    bench.hands.until(lambda: " slice " in bench.ui.previewLabel.text, "The preview")
    after = bench.scene.GetNumberOfNodes()
    bench.checks.that(before == after, "the preview leaves nothing in the scene", after - before)
    bench.hands.click(bench.ui.livePreviewCheck)


def measure(bench: Bench) -> None:
    """Five measures, a plot, and a mean in a box."""
    ui, checks = bench.ui, bench.checks
    bench.hands.click(ui.measureButton)
    bench.hands.wait("Measure")
    checks.that(ui.measuresTable.rowCount == 5, "the table of measures is filled")
    chart = bench.scene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    checks.that(chart is not None, "there is a plot of the measures")
    bounds = [0.0] * 6
    bench.fixed.GetRASBounds(bounds)
    centre = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
    roi = bench.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Lesion")
    roi.SetCenter(*centre)
    roi.SetSize(40.0, 40.0, 40.0)
    ui.roiSelector.setCurrentNode(roi)
    bench.hands.settle()
    bench.hands.click(ui.measureRegionButton)
    checks.that("Lesion" in ui.regionLabel.text, "the box is measured", ui.regionLabel.text)


def doubts(bench: Bench) -> None:
    """The list is filled by itself; a row goes to its region."""
    ui, checks, section = bench.ui, bench.checks, bench.widget.panel.doubts
    bench.hands.until(lambda: not section.running, "The list of doubtful regions")
    checks.that(ui.doubtsLabel.text, "it is told where it is doubtful, or that nothing is flagged")
    if not ui.doubtsTable.rowCount:
        bench.checks.note("nothing is flagged in the made-up volumes: no region to go to")
        return
    section.show(0)
    bench.hands.settle()
    for view in bench.sight.views():
        checks.that(
            bench.sight.cuts(view, bench.session.nodes.fused), f"a row takes {view} into the volume"
        )


def export(bench: Bench) -> None:
    """Into a folder, into a database that is not the user's, and by Slicer's own dialog."""
    ui, checks = bench.ui, bench.checks
    slices = bench.fixed.GetImageData().GetDimensions()[2]
    folder = bench.folder / "dicom"
    ui.exportFolderButton.directory = str(folder)
    ui.patientNameEdit.text, ui.patientIdEdit.text = "Test^WDualMine", "TEST"
    bench.hands.click(ui.exportButton)
    bench.hands.wait("Export")
    count = len(list(folder.rglob("*.dcm")))
    wanted = 2 * slices + 3
    checks.that(count >= wanted, f"at least {wanted} DICOM files are written", count)
    checks.that(str(count) in ui.exportLabel.text, "and their number is told", ui.exportLabel.text)
    _into_a_database(bench)
    _by_slicers_dialog(bench, wanted)


def case_page(bench: Bench) -> None:
    """One page, whole."""
    ui = bench.ui
    ui.caseFolderButton.directory = str(bench.folder / "case")
    bench.hands.click(ui.caseButton)
    bench.hands.wait("The page of the case")
    path = bench.folder / "case" / "wdualmine-case.pdf"
    whole = path.is_file() and path.read_bytes()[:5] == b"%PDF-"
    bench.checks.that(whole, "the page of the case is a PDF", ui.caseLabel.text)


def _into_a_database(bench: Bench) -> None:
    from DICOMLib import DICOMUtils

    ui = bench.ui
    with DICOMUtils.TemporaryDICOMDatabase(str(bench.folder / "database")) as database:
        bench.hands.choose(ui.exportTargetCombo, "Slicer")
        bench.hands.click(ui.exportButton)
        bench.hands.wait("Export into the database")
        said = ui.exportLabel.text
        bench.checks.that("objects are in Slicer" in said, "the database took the objects", said)
        studies = [s for p in database.patients() for s in database.studiesForPatient(p)]
        series = [s for study in studies for s in database.seriesForStudy(study)]
        bench.checks.that(len(series) == 5, "fused, colour and three maps are in it", len(series))
    bench.hands.choose(ui.exportTargetCombo, "A folder")


def _by_slicers_dialog(bench: Bench, wanted: int) -> None:
    """What the dialog does with the plugin, which Slicer must have found by itself."""
    checks, plugins = bench.checks, slicer.modules.dicomPlugins
    if not checks.that(DICOM_PLUGIN in plugins, "Slicer knows the DICOM export plugin"):
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(bench.scene)
    item = hierarchy.GetItemByDataNode(bench.session.nodes.fused)
    exportables = plugins[DICOM_PLUGIN]().examineForExport(item)
    checks.that(len(exportables) == 5, "every part of the result is offered", len(exportables))
    folder = bench.folder / "dialog"
    for exportable in exportables:
        exportable.directory = str(folder)
    failed = plugins[DICOM_PLUGIN]().export(exportables)
    checks.that(failed == "", "Slicer's own export dialog writes them", failed)
    count = len(list(folder.rglob("*.dcm")))
    checks.that(count == wanted, f"{wanted} files", count)
