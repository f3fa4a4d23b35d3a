"""Slicer's DICOM module writes results of WDualMine as their panel does, and loads their maps.

Without this, its export dialog would offer to write a fused volume as an original CT in Hounsfield
units, and its maps as zeros. Slicer looks for plugins in modules of this form; this one has no
panel.
"""

import logging

import slicer
from DICOMLib import DICOMLoadable, DICOMPlugin
from slicer.i18n import tr as _
from slicer.i18n import translate
from WDualMineLib.errors import WDualMineError
from WDualMineLib.scene.dicom.export_dialog import export_now, offers_for
from WDualMineLib.scene.dicom.map_loading import TAGS, load_map, maps_in

NAME = "DICOMWDualMinePlugin"


class DICOMWDualMinePluginClass(DICOMPlugin):
    """What the DICOM module asks: what can be exported or loaded, and to do it."""

    def __init__(self):
        super().__init__()
        self.loadType = _("WDualMine result")
        self.tags.update(TAGS)

    def examineForImport(self, fileLists):
        """One loadable for each map of ours."""
        loadables = []
        for files in fileLists:
            cached = self.getCachedLoadables(files)
            if cached is None:
                found = maps_in(slicer.dicomDatabase, files)
                cached = [self._loadable(each) for each in found]
                self.cacheLoadables(files, cached)
            loadables += cached
        return loadables

    def load(self, loadable):
        """The node of a map; False, and the reason in the log, where it cannot be read."""
        try:
            node = load_map(slicer.mrmlScene, loadable.files[0], loadable.name)
        except WDualMineError as error:
            logging.error(f"WDualMine: {error}")
            return False
        self.addSeriesInSubjectHierarchy(loadable, node)
        return node

    def examineForExport(self, subjectHierarchyItemID):
        """One exportable for each series that the item stands for; [] if it is no result."""
        offers = offers_for(slicer.mrmlScene, subjectHierarchyItemID)
        return [self._exportable(offer) for offer in offers]

    def export(self, exportables):
        """Write the objects; returns why not, "" if all went well."""
        try:
            for note in export_now(slicer.mrmlScene, exportables):
                logging.warning(f"WDualMine: {note}")
        except WDualMineError as error:
            return str(error)
        except Exception as error:
            logging.exception("WDualMine failed to export")
            return f"Something unexpected failed ({type(error).__name__}: {error})"
        return ""

    def _loadable(self, found):
        loadable = DICOMLoadable()
        loadable.files = [found.file]
        loadable.name = found.name
        loadable.tooltip = _("Map of a fusion, as WDualMine shows it")
        loadable.selected = True
        loadable.confidence = 0.98  # QuantitativeReporting offers any parametric map with 0.95
        return loadable

    def _exportable(self, offer):
        exportable = slicer.qSlicerDICOMExportable()
        exportable.name = self.loadType
        exportable.tooltip = _(
            "Fused images, maps and registration with patient, study and frame of reference of the "
            "fixed series. Not for diagnosis."
        )
        exportable.subjectHierarchyItemID = offer.item
        # The key below, by which the dialog finds this class again.
        exportable.pluginClass = NAME
        exportable.confidence = 1.0  # plain volumes are offered with 0.5
        for tag, value in offer.tags.items():
            exportable.setTag(tag, value)
        return exportable


class DICOMWDualMinePlugin:
    """What Slicer must know of the module: it exists for the DICOM module alone."""

    def __init__(self, parent):
        parent.title = _("DICOM WDualMine Plugin")
        category = translate("qSlicerAbstractCoreModule", "Developer Tools.DICOM Plugins")
        parent.categories = [category]
        parent.contributors = ["WDualMine contributors"]
        parent.helpText = _("Exports results of WDualMine to DICOM, and loads their maps.")
        parent.acknowledgementText = ""
        parent.dependencies = ["DICOM"]
        parent.hidden = True
        # This module may be found before DICOM is, which otherwise makes the list.
        if not hasattr(slicer.modules, "dicomPlugins"):
            slicer.modules.dicomPlugins = {}
        slicer.modules.dicomPlugins[NAME] = DICOMWDualMinePluginClass
