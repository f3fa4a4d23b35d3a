"""Export of results whose sources came from DICOM: from the panel and from Slicer's own dialog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
pytest.importorskip("slicer", reason="slicer-core is not installed")

NAME = "DICOMWDualMinePlugin"
SLICES = 16


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def make_series(database, tmp_path, scene):
    """(kind, patient, seed) to a volume node, loaded from a series that the database knows."""
    from WDualMineLib.dicom.context import Patient
    from WDualMineLib.dicom.export import ExportOptions, ResultVolumes, export_result
    from WDualMineLib.dicom.read import read_series
    from WDualMineLib.scene.result.volume_nodes import add_volume
    from WDualMineLib.volumes.geometry import Geometry
    from WDualMineLib.volumes.volume import Volume

    grid = Geometry(
        (20, 24, SLICES), (4.0, 4.0, 5.0), (-40, -45, -38), (0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1)
    )

    def make(kind: str, patient: str, seed: int):
        k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in grid.size[::-1]), indexing="ij")
        noise = np.random.default_rng(seed).uniform(0, 0.1, k.shape)
        texture = 0.4 + 0.3 * np.cos((seed + 4) * i) * np.cos(5 * j)
        head = np.where(i**2 + j**2 + k**2 < 0.8, texture, 0)
        values = np.clip(head + noise, 0, 1).astype(np.float32)
        options = ExportOptions(Patient(patient, "Doe^Jane", "19600101", "F"), kind)
        folder = tmp_path / f"{kind}{seed}"
        done = export_result(ResultVolumes(Volume(values, grid, kind)), folder, options=options)
        for path, uid in zip(done.files, done.instances, strict=True):
            database.files[uid] = path
        node = add_volume(scene, replace(read_series(folder / "fused").volume, name=f"{kind}Head"))
        node.SetAttribute("DICOM.instanceUIDs", " ".join(done.instances))
        return node

    return make


@pytest.fixture
def dialog(database, scene):
    import slicer

    from .stand_ins import dicom

    dicom.load_plugin(slicer)
    return dicom.ExportDialog(slicer, scene)


@pytest.fixture
def fuse(driver, shown_widget, simple_network):
    """Fuses two nodes in the panel; the driver, and the nodes of the result."""

    def run(colour: bool = False):
        widget = shown_widget[1]
        widget.enter()
        driver.choose("registrationCombo", "Off")
        driver.choose("colourCombo", "PET" if colour else "Grey")
        driver.click("applyButton")
        session = widget.panel.session
        driver.wait_until(lambda: not session.running)
        assert session.nodes is not None, driver.text("statusLabel")
        return session.nodes

    return run


@pytest.fixture
def export(driver, shown_widget, tmp_path):
    """Presses Export and waits; what the panel says."""

    def run(into: str = "A folder") -> str:
        driver.choose("exportTargetCombo", into)
        driver.ui.exportFolderButton.setProperty("directory", str(tmp_path / "out"))
        driver.click("exportButton")
        session = shown_widget[1].panel.session
        driver.wait_until(lambda: not session.running)
        return driver.text("exportLabel")

    return run


def item_of(scene, node) -> int:
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return hierarchy.GetItemByDataNode(node)


def without_own(path: Path) -> pydicom.Dataset:
    """A data set without what differs between two exports of one result: new UIDs, and times."""
    dataset = pydicom.Dataset(pydicom.dcmread(path))
    for keyword in (
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "InstanceCreationTime",
        "SeriesTime",
        "ContentTime",
        "DimensionOrganizationSequence",
        "DimensionIndexSequence",
    ):
        if keyword in dataset:
            delattr(dataset, keyword)
    return dataset


def test_the_panel_exports_as_the_patient_of_the_fixed_series(
    make_series, fuse, export, tmp_path
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse(colour=True)
    assert "DICOM files written" in export()
    files = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(files) == 2 * SLICES + 3, "nothing was registered, so there is no registration"
    found = [pydicom.dcmread(path) for path in files]
    source = pydicom.dcmread(tmp_path / "MR1" / "fused" / "0001.dcm")
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert {str(item[keyword].value) for item in found} == {str(source[keyword].value)}
    said = export()
    assert "fused is there already" in said and "Choose another folder" in said
    assert sorted((tmp_path / "out").rglob("*.dcm")) == files


def test_into_the_database(make_series, fuse, export, driver, database, scratch) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    before = set(database.files)
    fuse()
    said = export("Slicer's DICOM database")
    assert f"{SLICES + 3} DICOM objects are in Slicer's database" in said
    assert "Module DICOM" in said and "Doe^Jane (P-17)" in said
    assert not driver.ui.exportFolderButton.isVisible()
    new = set(database.files) - before
    assert len(new) == SLICES + 3
    for uid in new:
        assert database.files[uid].is_relative_to(database.databaseDirectory)
        assert pydicom.dcmread(database.files[uid]).PatientID == "P-17"
    assert database.changes == 1
    assert not list(scratch.glob("wdualmine-dicom-*"))
    assert driver.ui.exportButton.isEnabled()
    driver.ui.exportSection.setProperty("collapsed", False)
    driver.screenshot("panel-export-database")


def test_no_database(make_series, fuse, export, database) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse()
    database.isOpen = False
    said = export("Slicer's DICOM database")
    assert "database is not open" in said and "choose a folder for the database" in said


def test_a_database_that_does_not_take_all_has_none(
    make_series, fuse, export, database, driver
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse()
    before = dict(database.files)
    database.room = len(before) + 5
    said = export("Slicer's DICOM database")
    assert f"took only 5 of {SLICES + 3} objects" in said and "removed again" in said
    assert database.files == before
    assert driver.ui.exportButton.isEnabled()


@pytest.mark.parametrize("into", ["A folder", "Slicer's DICOM database"])
def test_a_refusal_leaves_nothing_in_the_temporary_folder(
    make_series, fuse, export, scratch, into
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-99", 2)
    fuse()
    before = set(scratch.iterdir())
    assert "different patients" in export(into)
    assert set(scratch.iterdir()) == before


def test_different_patients_are_asked_about_once(
    make_series, fuse, export, driver, tmp_path
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-99", 2)
    fuse()
    assert not driver.ui.differentPatientsCheck.isVisible()
    driver.ui.exportSection.setProperty("collapsed", False)
    said = export()
    assert "patient ID differ" in said and "tick the box" in said
    assert not (tmp_path / "out").exists()
    assert driver.ui.differentPatientsCheck.isVisible()
    driver.click("differentPatientsCheck")
    said = export()
    assert "DICOM files written" in said and "as was allowed" in said
    found = {str(pydicom.dcmread(path).PatientID) for path in (tmp_path / "out").rglob("*.dcm")}
    assert len(found) == 1 and not found & {"P-17", "P-99"}, "under neither of them"
    assert not driver.ui.differentPatientsCheck.isVisible(), "asked again for the next export"
    assert not driver.ui.differentPatientsCheck.isChecked()


def test_a_series_that_left_the_database_is_not_replaced_by_placeholders(
    make_series, fuse, export, driver, database, tmp_path
) -> None:
    fixed, _ = make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse()
    first = fixed.GetAttribute("DICOM.instanceUIDs").split()[0]
    database.files[first].unlink()
    said = export()
    assert f"1 of the {SLICES} DICOM files of the fixed volume are not in" in said
    assert "Import that series again" in said and not (tmp_path / "out").exists()
    driver.ui.patientNameEdit.setText("Roe^Richard")
    driver.ui.patientIdEdit.setText("R-1")
    said = export()
    assert "DICOM files written" in said and "do not refer to it" in said
    assert {
        str(pydicom.dcmread(path).PatientName) for path in (tmp_path / "out").rglob("*.dcm")
    } == {"Roe^Richard"}


def test_a_patient_that_contradicts_the_series_is_not_ignored(
    make_series, fuse, export, driver, tmp_path
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse()
    driver.ui.patientNameEdit.setText("Roe^Richard")
    said = export()
    assert "another patient than was given: patient name" in said
    assert not (tmp_path / "out").exists()


def test_the_registration_is_that_of_the_fusion_whatever_happened_since(
    make_series, fuse, export, driver, scene, tmp_path
) -> None:
    """The moving volume was 3 mm to the left when it was fused, and is elsewhere, or gone, now."""
    import slicer

    _, moving = make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 3.0
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    moving.SetAndObserveTransformNodeID(transform.GetID())
    nodes = fuse()
    slicer.util.updateTransformMatrixFromArray(transform, np.eye(4))
    assert "DICOM files written" in export()
    (path,) = (tmp_path / "out" / "registration").iterdir()
    step = pydicom.dcmread(path).RegistrationSequence[1].MatrixRegistrationSequence[0]
    found = np.array(step.MatrixSequence[0].FrameOfReferenceTransformationMatrix, float)
    expected = np.eye(4)
    expected[0, 3] = -3.0  # right is positive in Slicer, left in DICOM
    assert np.abs(found.reshape(4, 4) - expected).max() < 1e-9
    scene.RemoveNode(moving)
    (tmp_path / "out").rename(tmp_path / "first")
    assert "DICOM files written" in export()
    (again,) = (tmp_path / "out" / "registration").iterdir()
    step = pydicom.dcmread(again).RegistrationSequence[1].MatrixRegistrationSequence[0]
    assert found.tolist() == step.MatrixSequence[0].FrameOfReferenceTransformationMatrix
    assert nodes.fused.GetScene() is not None


def test_sources_of_another_run_are_forgotten(make_series, fuse, scene) -> None:
    fixed, _ = make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse()
    kept = nodes.fused.GetAttribute("WDualMine.FixedVolume.instanceUIDs")
    assert kept == fixed.GetAttribute("DICOM.instanceUIDs")
    fixed.SetAttribute("DICOM.instanceUIDs", None)
    assert fuse().fused is nodes.fused
    assert nodes.fused.GetAttribute("WDualMine.FixedVolume.instanceUIDs") is None


def test_slicers_dialog_offers_results_before_everything_else(
    make_series, fuse, dialog, scene
) -> None:
    fixed, _ = make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse(colour=True)
    dialog.choose(item_of(scene, nodes.fused))
    numbers = [e.tag("SeriesNumber") for e in dialog.exportables]
    assert numbers == ["101", "102", "103", "104", "105"]
    assert dialog.exportables[0].tag("SeriesDescription").startswith("Fused MR + CT (WDualMine)")
    assert {e.confidence for e in dialog.exportables} == {1.0}
    assert {e.pluginClass for e in dialog.exportables} == {NAME}
    for node in (nodes.arbitration, nodes.colour):
        dialog.choose(item_of(scene, node))
        assert [e.subjectHierarchyItemID for e in dialog.exportables] == [item_of(scene, node)]
    dialog.choose(item_of(scene, fixed))
    assert dialog.exportables == [], "volumes that are no result are left to others"


def test_slicers_dialog_writes_what_the_panel_writes(
    make_series, fuse, export, dialog, scene, tmp_path
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse(colour=True)
    assert "DICOM files written" in export()
    dialog.choose(item_of(scene, nodes.fused))
    assert dialog.export(tmp_path / "dialog") == ""
    (folder,) = (tmp_path / "dialog").iterdir()
    by_panel = {p.relative_to(tmp_path / "out"): p for p in (tmp_path / "out").rglob("*.dcm")}
    by_dialog = {p.relative_to(folder): p for p in folder.rglob("*.dcm")}
    assert set(by_dialog) == set(by_panel) and len(by_panel) == 2 * SLICES + 3
    for name, path in by_dialog.items():
        assert without_own(path) == without_own(by_panel[name]), name


def test_slicers_dialog_on_a_map_alone(make_series, fuse, dialog, scene, tmp_path) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse()
    dialog.choose(item_of(scene, nodes.reliability_moving))
    assert dialog.export(tmp_path / "dialog") == ""
    (path,) = (tmp_path / "dialog").rglob("*.dcm")
    item = pydicom.dcmread(path)
    assert item.SOPClassUID.name == "Parametric Map Storage"
    assert item.ContentLabel == "RELIABILITY_MOV"


def test_slicers_dialog_on_a_study(make_series, fuse, dialog, scene, tmp_path) -> None:
    """The dialog looks at what lies right below the study: the sources, and our folder."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Doe^Jane")
    study = hierarchy.CreateStudyItem(patient, "Head")
    hierarchy.SetItemAttribute(patient, "DICOM.PatientID", "P-17")
    for node in (make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)):
        hierarchy.SetItemParent(item_of(scene, node) or hierarchy.CreateItem(study, node), study)
    fuse()
    dialog.choose(study, study=True)
    assert len(dialog.exportables) == 4
    assert dialog.export(tmp_path / "dialog") == ""
    assert len(list((tmp_path / "dialog").rglob("*.dcm"))) == SLICES + 3


def test_edited_tags_are_taken_or_refused_but_not_ignored(
    make_series, fuse, dialog, scene, tmp_path
) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse()
    dialog.choose(item_of(scene, nodes.fused))
    dialog.exportables[0].setTag("SeriesDescription", "For the tumour board")
    dialog.exportables[0].setTag("SeriesNumber", "900")
    dialog.edit("PatientID", "P-99")
    assert "patient ID differ" in dialog.export(tmp_path / "dialog")
    assert not (tmp_path / "dialog").exists()
    dialog.edit("PatientID", "P-17")
    for wrong in ("x", "-1", "", "9" * 11):
        dialog.exportables[1].setTag("SeriesNumber", wrong)
        assert "series number" in dialog.export(tmp_path / "dialog")
    dialog.exportables[1].setTag("SeriesNumber", "901")
    assert dialog.export(tmp_path / "dialog") == ""
    found = {(i.SeriesNumber, i.SeriesDescription)
             for i in map(pydicom.dcmread, (tmp_path / "dialog").rglob("*.dcm"))}  # fmt: skip
    assert (900, "For the tumour board") in found and {n for n, _ in found} == {
        900, 901, 104, 105}  # fmt: skip


def test_tags_name_the_patient_where_nothing_is_dicom(
    volumes, fuse, dialog, scene, tmp_path
) -> None:
    nodes = fuse()
    dialog.choose(item_of(scene, nodes.arbitration))
    for name, value in (("PatientName", "Roe^Richard"), ("PatientID", "R-1"),
                        ("PatientBirthDate", "19700102"), ("PatientSex", "M")):  # fmt: skip
        dialog.edit(name, value)
    assert dialog.export(tmp_path / "dialog") == ""
    (path,) = (tmp_path / "dialog").rglob("*.dcm")
    item = pydicom.dcmread(path)
    assert (str(item.PatientName), item.PatientID, item.PatientBirthDate, item.PatientSex) == (
        "Roe^Richard", "R-1", "19700102", "M")  # fmt: skip


def test_slicers_dialog_is_told_why_not(make_series, fuse, dialog, scene, tmp_path) -> None:
    make_series("MR", "P-17", 1), make_series("CT", "P-99", 2)
    nodes = fuse()
    dialog.choose(item_of(scene, nodes.fused))
    said = dialog.export(tmp_path / "dialog")
    assert "patient ID differ" in said and "export from the panel" in said
    scene.RemoveNode(nodes.arbitration)
    assert "no part of a result" in dialog.export(tmp_path / "dialog")


def test_maps_come_back_exactly_and_in_their_colours(
    make_series, fuse, export, database, dialog, scene
) -> None:
    import slicer
    from WDualMineLib.scene.result.volume_nodes import array_of, geometry_of

    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    nodes = fuse()
    assert "are in Slicer's database" in export("Slicer's DICOM database")
    plugin = slicer.modules.dicomPlugins[NAME]()
    files = [str(path) for path in database.files.values()]
    loadables = plugin.examineForImport([[path] for path in files])
    assert plugin.examineForImport([[path] for path in files]) == loadables, "kept for next time"
    loadables.sort(key=lambda loadable: loadable.name)
    assert [load.name.split(":")[0] for load in loadables] == ["103", "104", "105"]
    parts = ("reliability_fixed", "reliability_moving", "arbitration")
    for loadable, part in zip(loadables, parts, strict=True):
        assert loadable.selected and loadable.confidence > 0.95
        node, made = plugin.load(loadable), getattr(nodes, part)
        assert loadable.filed == node.GetID() and node.GetName() == loadable.name
        assert np.array_equal(array_of(node), array_of(made))
        there, here = geometry_of(node), geometry_of(made)
        assert np.abs(there.ijk_to_lps - here.ijk_to_lps).max() < 1e-4
        display, own = node.GetDisplayNode(), made.GetDisplayNode()
        assert display.GetColorNodeID() == own.GetColorNodeID()
        assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 1)


def test_a_damaged_map_is_not_loaded(
    make_series, fuse, export, database, dialog, scene, caplog
) -> None:
    import slicer

    make_series("MR", "P-17", 1), make_series("CT", "P-17", 2)
    fuse()
    export("Slicer's DICOM database")
    plugin = slicer.modules.dicomPlugins[NAME]()
    (loadable, *_) = plugin.examineForImport([[str(path)] for path in database.files.values()])
    path = Path(loadable.files[0])
    path.write_bytes(path.read_bytes()[:-1000])
    before = scene.GetNumberOfNodes()
    assert plugin.load(loadable) is False
    assert scene.GetNumberOfNodes() == before and "damaged" in caplog.text


def test_the_plugin_can_be_found_before_the_dicom_module_and_reloaded(database) -> None:
    """It makes the list of plugins where nobody has yet, and adds to one that is there."""
    import slicer

    from .stand_ins import dicom

    dicom.load_plugin(slicer)
    slicer.modules.dicomPlugins["Another"] = object
    dicom.load_plugin(slicer)
    assert list(slicer.modules.dicomPlugins) == [NAME, "Another"]
