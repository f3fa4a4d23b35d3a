"""Slicer's DICOM database, importer, exportables and export dialog, as far as they are used.

Written after qSlicerDICOMExportDialog, qSlicerDICOMTagEditorWidget, ctkDICOMDatabase and
DICOMLib.DICOMUtils of 3D Slicer 5.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import types
from contextlib import contextmanager
from pathlib import Path

import pydicom
import vtk
from PySide6 import QtWidgets

from .application import MODULE


class Database:
    """ctkDICOMDatabase: files by instance; copies what it is told to copy into its own folder.

    ``room`` is how many files it takes before its disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self.databaseDirectory = str(folder)
        self.isOpen = True
        self.room = 10**6
        self.changes = 0
        self.files: dict[str, Path] = {}

    def fileForInstance(self, uid):
        return str(self.files.get(uid, ""))

    def seriesForFile(self, path):
        return str(self._header(path).SeriesInstanceUID)

    def removeSeries(self, uid):
        for instance, path in list(self.files.items()):
            if self.seriesForFile(path) == uid:
                del self.files[instance]
                if path.is_relative_to(self.databaseDirectory):
                    path.unlink()
        return True

    def fileValue(self, path, tag):
        group, element = (int(part, 16) for part in tag.split(","))
        value = self._header(path).get((group, element))
        return "" if value is None else str(value.value)

    def patients(self):
        return sorted({self._header(path).PatientID for path in self.files.values()})

    def studiesForPatient(self, patient):
        return sorted({h.StudyInstanceUID for h in map(self._header, self.files.values())
                       if h.PatientID == patient})  # fmt: skip

    def seriesForStudy(self, study):
        return sorted({h.SeriesInstanceUID for h in map(self._header, self.files.values())
                       if h.StudyInstanceUID == study})  # fmt: skip

    def databaseChanged(self):
        self.changes += 1

    def take(self, path, copy):
        if len(self.files) >= self.room:
            return
        uid = str(self._header(path).SOPInstanceUID)
        if copy:
            target = Path(self.databaseDirectory, "dicom", f"{uid}.dcm")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            path = target
        self.files[uid] = Path(path)

    @staticmethod
    def _header(path):
        return pydicom.dcmread(path, stop_before_pixels=True)


class Exportable:
    """qSlicerDICOMExportable: properties that exist, and tags."""

    __slots__ = ("_tags", "confidence", "directory", "name", "pluginClass",
                 "subjectHierarchyItemID", "tooltip")  # fmt: skip

    def __init__(self) -> None:
        self._tags: dict[str, str] = {}

    def setTag(self, name: str, value: str) -> None:
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError("tags are strings")
        self._tags[name] = value

    def tag(self, name: str) -> str | None:
        return self._tags.get(name)

    def tags(self) -> dict[str, str]:
        return dict(self._tags)


class ExportDialog:
    """qSlicerDICOMExportDialog without its window: choose an item, edit tags, export.

    Like the real one it takes the item above the chosen one for the study, and the one above that
    for the patient, gives both the tags that they lack, and hands all tags to each exportable.
    """

    def __init__(self, slicer, scene) -> None:
        self._slicer = slicer
        self._hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        self.exportables: list[Exportable] = []

    def choose(self, item: int, study: bool = False) -> None:
        """Examine a data node, or a study with everything right below it; the best offer wins."""
        items = _children(self._hierarchy, item) if study else [item]
        plugins = self._slicer.modules.dicomPlugins
        found = [e for i in items for name in plugins for e in plugins[name]().examineForExport(i)]
        best = max((e.confidence for e in found), default=0)
        self.exportables = [e for e in found if e.confidence == best]
        parents = {self._hierarchy.GetItemParent(e.subjectHierarchyItemID)
                   for e in self.exportables}  # fmt: skip
        assert len(parents) <= 1, "Exportables are not in the same study"
        for parent in parents:
            names = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
            self._fill(self._hierarchy.GetItemParent(parent), names)
            self._fill(parent, ("StudyInstanceUID", "StudyDate"))

    def edit(self, name: str, value: str) -> None:
        """A tag of patient or study, the same in all exportables."""
        for exportable in self.exportables:
            exportable.setTag(name, value)

    def export(self, folder: Path) -> str:
        """What the plugin answers."""
        for exportable in self.exportables:
            exportable.directory = str(folder)
        return self._slicer.modules.dicomPlugins[self.exportables[0].pluginClass]().export(
            self.exportables
        )

    def _fill(self, item: int, names: tuple[str, ...]) -> None:
        for name in names:
            attribute = f"DICOM.{name}"
            if not self._hierarchy.HasItemAttribute(item, attribute):
                self._hierarchy.SetItemAttribute(item, attribute, "")
            self.edit(name, self._hierarchy.GetItemAttribute(item, attribute))


def install(slicer, database: Database) -> None:
    """Make ``import DICOMLib``, ``slicer.dicomDatabase`` and the exportables work."""
    library = types.ModuleType("DICOMLib")
    library.DICOMPlugin, library.DICOMLoadable = _Plugin, _Loadable
    library.DICOMUtils = types.SimpleNamespace(
        importDicom=_import_dicom,
        TemporaryDICOMDatabase=lambda folder: _temporary_database(slicer, folder),
    )
    sys.modules["DICOMLib"] = library
    slicer.dicomDatabase = database
    slicer.qSlicerDICOMExportable = Exportable
    slicer.modules = types.SimpleNamespace()


def uninstall(slicer) -> None:
    """Undo :func:`install`."""
    del sys.modules["DICOMLib"], slicer.dicomDatabase, slicer.modules
    del slicer.qSlicerDICOMExportable


class _Plugin:
    """DICOMLib.DICOMPlugin."""

    def __init__(self):
        self.loadType = "Generic DICOM"
        self.tags = {}
        self.loadableCache = {}

    def getCachedLoadables(self, files):
        return self.loadableCache.get(tuple(files))

    def cacheLoadables(self, files, loadables):
        self.loadableCache[tuple(files)] = loadables

    def addSeriesInSubjectHierarchy(self, loadable, dataNode):
        assert loadable.files and dataNode.IsA("vtkMRMLNode")
        loadable.filed = dataNode.GetID()


class _Loadable:
    """DICOMLib.DICOMLoadable."""

    def __init__(self):
        self.files, self.name, self.tooltip, self.warning = [], "Unknown", "", ""
        self.selected, self.confidence = False, 0.5


def _import_dicom(folder, database=None, copyFiles=False):
    """DICOMUtils.importDicom: while ctkDICOMIndexer works, it runs an event loop."""
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file():
            database.take(path, copyFiles)
            QtWidgets.QApplication.processEvents()
    return True


@contextmanager
def _temporary_database(slicer, folder):
    """DICOMUtils.TemporaryDICOMDatabase: in place of the user's for a while."""
    usual, slicer.dicomDatabase = slicer.dicomDatabase, Database(Path(folder))
    try:
        yield slicer.dicomDatabase
    finally:
        slicer.dicomDatabase = usual


def load_plugin(slicer) -> None:
    """Load the module with the plugin, as Slicer does when it starts."""
    name = "DICOMWDualMinePlugin"
    spec = importlib.util.spec_from_file_location(name, MODULE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parent = types.SimpleNamespace()
    getattr(module, name)(parent)
    assert parent.hidden, "it has no panel"


def _children(hierarchy, item):
    found = vtk.vtkIdList()
    hierarchy.GetItemChildren(item, found)
    return [found.GetId(index) for index in range(found.GetNumberOfIds())]
