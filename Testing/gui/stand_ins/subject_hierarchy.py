"""Slicer's scripted subject hierarchy plugins, as far as they are used.

Written after qSlicerSubjectHierarchyScriptedPlugin and AbstractScriptedSubjectHierarchyPlugin.py:
the source is run as a module of its own, the class has its name, and only actions that a plugin
made visible for the item are in the menu, for the handler hides all of them before.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

from PySide6 import QtCore
from shibokensupport import feature


class Handler:
    """qSlicerSubjectHierarchyPluginHandler of one scene."""

    def __init__(self, slicer, scene) -> None:
        self._hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        self._current = 0
        self.plugins: list = []

    def instance(self):
        return self

    def subjectHierarchyNode(self):
        return self._hierarchy

    def currentItem(self):
        return self._current

    def registerPlugin(self, plugin):
        self.plugins.append(plugin)

    def menu(self, item: int) -> dict[str, dict]:
        """A right click: what is offered for ``item``, with submenus, by the words shown."""
        self._current = item
        offered = {}
        for plugin in self.plugins:
            actions = plugin.python.itemContextMenuActions()
            for action in actions:
                action.setProperty("visible", False)
            plugin.python.showContextMenuActionsForItem(item)
            for action in actions:
                if action.property("visible"):
                    entries = {a.property("text"): a for a in plugin.python.menu.actions()}
                    offered[action.property("text")] = entries
        return offered


class ScriptedPlugin(QtCore.QObject):
    """qSlicerSubjectHierarchyScriptedPlugin."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.python = None

    def setPythonSource(self, path):
        name = Path(path).stem
        assert name.endswith("SubjectHierarchyPlugin"), "Slicer finds no class in it"
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        feature.set_selection(0x02, name)
        spec.loader.exec_module(module)
        self.python = getattr(module, name)(self)


class _Abstract:
    def __init__(self, scriptedPlugin):
        self.scriptedPlugin = scriptedPlugin


def install(slicer, scene) -> Handler:
    """Put everything where the module looks for it; returns the handler."""
    handler = Handler(slicer, scene)
    slicer.qSlicerSubjectHierarchyPluginHandler = handler
    slicer.qSlicerSubjectHierarchyScriptedPlugin = ScriptedPlugin
    base = types.ModuleType("AbstractScriptedSubjectHierarchyPlugin")
    base.AbstractScriptedSubjectHierarchyPlugin = _Abstract
    sys.modules[base.__name__] = base
    sys.modules["SubjectHierarchyPlugins"] = types.ModuleType("SubjectHierarchyPlugins")
    return handler


def uninstall(slicer) -> None:
    del slicer.qSlicerSubjectHierarchyPluginHandler, slicer.qSlicerSubjectHierarchyScriptedPlugin
    del sys.modules["AbstractScriptedSubjectHierarchyPlugin"]
    del sys.modules["SubjectHierarchyPlugins"]
