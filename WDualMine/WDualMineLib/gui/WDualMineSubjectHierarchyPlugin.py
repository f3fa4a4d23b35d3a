"""*Fuse with ...* in the context menu of a volume, in the module Data and wherever its tree is.

Slicer runs this file by its path, as a module of its own: imports are absolute.
"""

import qt
from AbstractScriptedSubjectHierarchyPlugin import AbstractScriptedSubjectHierarchyPlugin

from WDualMineLib.scene.application.fuse_with import current_item, open_with, partners


class WDualMineSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """One action, with a submenu of the other volumes in the scene."""

    # Slicer asks the class where its source is.
    filePath = __file__

    def __init__(self, scriptedPlugin):
        AbstractScriptedSubjectHierarchyPlugin.__init__(self, scriptedPlugin)
        self.menu = qt.QMenu("Fuse with")
        self.action = qt.QAction("Fuse with (WDualMine)", scriptedPlugin)
        self.action.objectName = "WDualMineFuseWithAction"
        self.action.toolTip = "Open WDualMine with these two volumes chosen"
        self.action.setMenu(self.menu)
        self.entries = []

    def canAddNodeToSubjectHierarchy(self, node, parentItemID=None):
        return 0.0

    def canOwnSubjectHierarchyItem(self, itemID):
        # The volumes stay with Slicer's own plugin.
        return 0.0

    def itemContextMenuActions(self):
        return [self.action]

    def sceneContextMenuActions(self):
        return []

    def showContextMenuActionsForItem(self, itemID):
        self.menu.clear()
        self.entries = []
        for identifier, name in partners(itemID):
            # An ampersand would mark a key.
            entry = qt.QAction(name.replace("&", "&&"), self.menu)
            entry.triggered.connect(lambda *_, chosen=identifier: open_with(current_item(), chosen))
            self.menu.addAction(entry)
            self.entries.append(entry)
        self.action.visible = bool(self.entries)
