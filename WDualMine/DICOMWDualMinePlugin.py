"""Slicer's own DICOM export dialog writes results of WDualMine as their panel does.

Without this, the dialog would offer to write a fused volume as an original CT in Hounsfield units,
and its maps as zeros. Slicer looks for plugins in modules of this form; this one has no panel.
"""

import logging

import slicer
from DICOMLib import DICOMPlugin
from slicer.i18n import tr as _
from slicer.i18n import translate
from WDualMineLib.errors import WDualMineError
from WDualMineLib.gui.export_plugin import export_now, offers_for

NAME = "DICOMWDualMinePlugin"


class DICOMWDualMinePluginClass(DICOMPlugin):
    """What the dialog asks: what can be exported of an item, and to export it."""

    def __init__(self):
        super().__init__()
        self.loadType = _("WDualMine result")

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
        parent.helpText = _("Exports results of WDualMine from Slicer's DICOM export dialog.")
        parent.acknowledgementText = ""
        parent.dependencies = ["DICOM"]
        parent.hidden = True
        # This module may be found before DICOM is, which otherwise makes the list.
        if not hasattr(slicer.modules, "dicomPlugins"):
            slicer.modules.dicomPlugins = {}
        slicer.modules.dicomPlugins[NAME] = DICOMWDualMinePluginClass
