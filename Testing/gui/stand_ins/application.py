"""Puts the stand-ins where the module looks for them: ``qt``, ``ctk`` and parts of ``slicer``."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets
from shibokensupport import feature

from . import parameter_node, widgets

MODULE = Path(__file__).resolve().parents[3] / "WDualMine"
_TRUE_PROPERTY = 0x02


def install() -> None:
    """Make ``import qt, ctk, slicer.ScriptedLoadableModule, ...`` work, once a process."""
    import slicer

    if "qt" in sys.modules:
        return
    qt = types.ModuleType("qt")
    for part in (QtCore, QtGui, QtWidgets):
        vars(qt).update({name: getattr(part, name) for name in dir(part) if name[0] == "Q"})
    sys.modules["qt"] = qt
    sys.modules["ctk"] = types.ModuleType("ctk")
    for name, cls in widgets.CLASSES.items():
        setattr(slicer if name.startswith("qMRML") else sys.modules["ctk"], name, cls)
    _add(
        slicer,
        "parameterNodeWrapper",
        parameterNodeWrapper=parameter_node.parameterNodeWrapper,
        WithinRange=parameter_node.WithinRange,
    )
    _add(slicer, "i18n", tr=str, translate=lambda _context, text: text)
    _add(
        slicer,
        "ScriptedLoadableModule",
        ScriptedLoadableModule=_Module,
        ScriptedLoadableModuleWidget=_Widget,
        ScriptedLoadableModuleLogic=_Logic,
        ScriptedLoadableModuleTest=_Test,
    )
    slicer.app = types.SimpleNamespace(connect=lambda *_: None)
    slicer.util.loadUI = load_ui
    slicer.util.childWidgetVariables = child_widgets
    # PySide6 offers properties only to modules that ask for them, and Slicer has no __feature__.
    # It looks at every module that is loaded by then, which those of PyTorch do not bear.
    dynamic = [name for name in ("torch.classes", "torch.ops") if name in sys.modules]
    away = {name: sys.modules.pop(name) for name in dynamic}
    for path in (MODULE / "WDualMineLib" / "gui").glob("*.py"):
        feature.set_selection(_TRUE_PROPERTY, f"WDualMineLib.gui.{path.stem}")
    application = "WDualMineLib.scene.application"
    referee = MODULE / "WDualMineLib" / "scene" / "application" / "referee"
    for name in (
        "WDualMine",
        f"{application}.self_test",
        *(f"{application}.referee.{path.stem}" for path in referee.glob("*.py")),
    ):
        feature.set_selection(_TRUE_PROPERTY, name)
    sys.modules.update(away)


def load_module():
    """``WDualMine.py`` as a fresh module, as Slicer loads it."""
    spec = importlib.util.spec_from_file_location("WDualMine", MODULE / "WDualMine.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_ui(path):
    """The widget tree of a ``.ui``, with the stand-ins for custom widgets.

    Connections to the scene are left out, which Slicer's widgets make by signal and slot;
    QMRMLWidget.setMRMLScene does their work.
    """
    text = Path(path).read_text(encoding="utf-8")
    start, end = text.index("<connections>"), text.index("</connections>")
    buffer = QtCore.QBuffer()
    buffer.setData((text[:start] + "<connections>" + text[end:]).encode())
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    return _Loader().load(buffer)


def child_widgets(root):
    """Every named widget under ``root`` as an attribute."""
    named = {
        child.objectName(): child
        for child in root.findChildren(QtWidgets.QWidget)
        if child.objectName() and not child.objectName().startswith("qt_")
    }
    return types.SimpleNamespace(**named)


class _Loader(QtUiTools.QUiLoader):
    def createWidget(self, class_name, parent=None, name=""):
        cls = widgets.CLASSES.get(class_name)
        if cls is None:
            return super().createWidget(class_name, parent, name)
        widget = cls(parent)
        widget.setObjectName(name)
        return widget


def _add(slicer, name, **content):
    module = types.ModuleType(f"slicer.{name}")
    vars(module).update(content)
    sys.modules[f"slicer.{name}"] = module
    setattr(slicer, name, module)


class _Module:
    def __init__(self, parent):
        self.parent = parent

    def getDefaultModuleDocumentationLink(self):
        return ""


class _Widget:
    def __init__(self, parent=None):
        self.parent = parent
        self.layout = parent.layout()

    def setup(self):
        pass

    def resourcePath(self, name):
        return str(MODULE / "Resources" / name)


class _Logic:
    def getParameterNode(self):
        import slicer

        scene = slicer.mrmlScene
        node = scene.GetSingletonNode("WDualMine", "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag("WDualMine")
            node.SetModuleName("WDualMine")
            node.SetName("WDualMine")
            scene.AddNode(node)
        return node


class _Test:
    def assertTrue(self, value, message=""):
        assert value, message
