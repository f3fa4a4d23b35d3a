"""The test that ships with the module, which is meant for a real 3D Slicer, over the stand-ins."""

from __future__ import annotations

import unittest

import pytest

pytest.importorskip("PySide6", reason="PySide6 is not installed")


def test_the_self_test_passes(
    shown_widget, application, simple_network, monkeypatch, tmp_path
) -> None:
    import slicer
    from PySide6 import QtWidgets

    from .stand_ins import dicom

    dicom.install(slicer, dicom.Database(tmp_path))
    monkeypatch.setattr(slicer.dicomDatabase, "isOpen", False)  # the user has none
    dicom.load_plugin(slicer)
    _, widget, _ = shown_widget
    views = []
    for name in ("Red", "Green"):
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLScene(slicer.mrmlScene)
        logic.AddSliceNode(name)
        views.append(logic)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    monkeypatch.setattr(slicer.util, "selectModule", lambda _: widget.enter())
    monkeypatch.setattr(slicer.util, "getModuleWidget", lambda _: widget)
    monkeypatch.setattr(
        slicer.app, "processEvents", QtWidgets.QApplication.processEvents, raising=False
    )
    from WDualMineLib.scene.application.self_test import SelfTest

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(SelfTest).run(result)
    dicom.uninstall(slicer)
    for logic in views:
        logic.SetMRMLScene(None)
    assert result.testsRun == 1
    assert result.wasSuccessful(), "\n".join(text for _, text in result.failures + result.errors)
