"""The referee over the stand-ins: it passes the module as it is, and fails it where it misbehaves.

Written for a real 3D Slicer, it judges here what the stand-ins can show: their views have nodes,
sizes, legends and pixels, and no screen that is painted.
"""

from __future__ import annotations

import io
import unittest
from contextlib import redirect_stdout
from types import SimpleNamespace

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")

_BUSY_MS = 2000
"""Gaps on the wall of a machine that others use, too; in a real Slicer it is 250."""


@pytest.fixture
def referee(shown_widget, application, simple_network, monkeypatch, tmp_path):
    """Runs the self-test: what it printed, and the sentences of what failed."""
    from PySide6 import QtCore, QtWidgets

    from .stand_ins import dicom, layout_manager
    from .stand_ins.layouts import Layouts

    dicom.install(slicer, dicom.Database(tmp_path))
    monkeypatch.setattr(slicer.dicomDatabase, "isOpen", False)  # the user has none
    dicom.load_plugin(slicer)
    module, widget, _ = shown_widget

    class Queue(QtCore.QObject):
        wanted = QtCore.Signal(object)

    queue = Queue()
    queue.wanted.connect(lambda act: act(), QtCore.Qt.ConnectionType.QueuedConnection)
    layouts = Layouts(slicer.mrmlScene, queue.wanted.emit, legends=_can_draw())
    layout_manager.install(monkeypatch, application, layouts)
    monkeypatch.setattr(slicer.util, "selectModule", lambda _: widget.enter(), raising=False)
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda _: widget, raising=False)

    def second():
        window = QtWidgets.QWidget()
        QtWidgets.QVBoxLayout(window)
        window.isEntered = True
        other = module.WDualMineWidget(window)
        other.setup()
        window.show()

        def close():
            other.exit()
            other.cleanup()
            other.ui.fixedSelector.parent().parent().setMRMLScene(None)
            window.close()
            window.deleteLater()

        return other, close

    from WDualMineLib.gui.pulse import Pulse
    from WDualMineLib.scene.application.self_test import SelfTest

    monkeypatch.setattr(SelfTest, "pulse", Pulse)
    monkeypatch.setattr(SelfTest, "new_widget", second)
    monkeypatch.setattr(SelfTest, "longest_gap_ms", _BUSY_MS)

    def run() -> SimpleNamespace:
        printed, result = io.StringIO(), unittest.TestResult()
        with redirect_stdout(printed):
            unittest.defaultTestLoader.loadTestsFromTestCase(SelfTest).run(result)
        assert result.testsRun == 1
        said = "\n".join(text for _, text in result.failures + result.errors)
        return SimpleNamespace(
            printed=printed.getvalue(), failed=not result.wasSuccessful(), said=said
        )

    yield run
    dicom.uninstall(slicer)
    layouts.close()


def _can_draw() -> bool:
    import vtk

    return hasattr(vtk, "vtkEGLRenderWindow")


def test_the_module_passes_with_a_line_a_check(referee) -> None:
    found = referee()
    assert not found.failed, found.said
    lines = found.printed.splitlines()
    assert sum(line.startswith("ok ") for line in lines) > 150
    assert not any(line.startswith("FAIL") for line in lines)
