"""WDualMine: fuse two volumes of one patient, and see where a fault is suspected in either.

The module's shell for 3D Slicer. What it does lives in WDualMineLib: ``gui`` for the panel,
``scene`` for MRML, and below them the network, the registration and the rest.
"""

import sys
import unittest
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin
from WDualMineLib.gui.logics import logics_for
from WDualMineLib.gui.panel import FusionPanel
from WDualMineLib.gui.sample_data import register
from WDualMineLib.progress import finish
from WDualMineLib.scene.application.additions import extend_application
from WDualMineLib.scene.application.defaults import suggest_inputs
from WDualMineLib.scene.application.parameters import FusionParameters
from WDualMineLib.scene.result.requests import request_of
from WDualMineLib.scene.views.inspection import know_layout

BOUND_TO = "SlicerParameterName"

HELP = """
Fuses two volumes of one patient (CT and MR, PET and MR, SPECT and MR) into one that shows what both
show, with maps of where a fault is suspected in either and of which expert decided.
Choose a fixed and a moving volume and press Apply. Not for diagnosis.
"""
ACKNOWLEDGEMENT = """
After "W-DUALMINE: Reliability-Weighted Dual-Expert Fusion With Residual Correlation Preservation
for Medical Image Fusion", arXiv:2601.08920. If you publish results, please cite the paper.
"""


class WDualMine(ScriptedLoadableModule):
    """What Slicer must know of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("WDualMine")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        self.parent.dependencies = []
        self.parent.contributors = ["WDualMine contributors"]
        self.parent.helpText = _(HELP) + self.getDefaultModuleDocumentationLink()
        self.parent.acknowledgementText = _(ACKNOWLEDGEMENT)
        slicer.app.connect("startupCompleted()", at_startup)
        slicer.app.connect("startupCompleted()", extend_application)


def at_startup():
    """Make sample pairs and the layout known, once all modules are there."""
    import SampleData

    # A scene may have been saved in it.
    know_layout(slicer.mrmlScene)
    icons = Path(__file__).parent / "Resources" / "Icons"
    logic, window = SampleData.SampleDataLogic, slicer.util.mainWindow()
    register(logic, slicer.mrmlScene, icons, slicer.util.errorDisplay, window)


class WDualMineWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the panel and connects it with the scene."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameters = None
        self._connection = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/WDualMine.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = WDualMineLogic()
        self.panel = FusionPanel(self.ui, self.logic.logics)
        for event, react in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndClose),
            (slicer.mrmlScene.NodeAddedEvent, self.onNodeAdded),
        ):
            self.addObserver(slicer.mrmlScene, event, react)
        self.initializeParameterNode()

    def cleanup(self):
        self.panel.close()
        self.setParameters(None)
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameters(None)

    def onSceneStartClose(self, caller, event):
        self.panel.scene_closing()
        self.setParameters(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAdded(self, caller, event, node):
        """A layout that was switched to brings slice views that were not there before."""
        if self._parameters is not None and node.IsA("vtkMRMLSliceNode"):
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.panel.views_changed)
        if self._parameters is not None and node.IsA("vtkMRMLSliceCompositeNode"):
            self.panel.views_added()
        if self._parameters is not None and node.IsA("vtkMRMLScalarVolumeNode"):
            self.panel.volume_added()

    def initializeParameterNode(self):
        parameters = self.logic.getParameterNode()
        suggested = suggest_inputs(slicer.mrmlScene, parameters)
        self.setParameters(parameters)
        self.panel.suggestion.tell(suggested)

    def setParameters(self, parameters):
        """Show another parameter node, or none."""
        modified = vtk.vtkCommand.ModifiedEvent
        if self._parameters is not None:
            self._parameters.disconnectGui(self._connection)
            self.removeObservers(self.panel.parameters_changed)
            self.removeObservers(self.panel.views_changed)
        self._parameters = parameters
        if parameters is not None:
            # As parameters.connectGui(self.ui) does; but that keeps the tag, which disconnectGui
            # needs, to itself in some versions of Slicer.
            bound = {w.property(BOUND_TO): w for w in vars(self.ui).values()}
            with self.panel.session.connecting():
                self._connection = parameters.connectParametersToGui(
                    {name: widget for name, widget in bound.items() if name}
                )
            self.addObserver(parameters, modified, self.panel.parameters_changed)
            # For the live preview, which follows the slice on screen.
            for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
                self.addObserver(view, modified, self.panel.views_changed)
        self.panel.set_parameters(parameters)


class WDualMineLogic(ScriptedLoadableModuleLogic):
    """For scripts: ``WDualMineLogic().fuse(parameters)`` does what Apply does."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.logics = logics_for(slicer.mrmlScene)

    def getParameterNode(self):
        return FusionParameters(super().getParameterNode())

    def fuse(self, parameters):
        """Align and fuse what ``parameters`` ask for; returns the Outcome, or raises."""
        return finish(self.logics.fusion.steps(request_of(parameters)))


class WDualMineTest(ScriptedLoadableModuleTest):
    """Runs the whole workflow in this Slicer, without network and without a user."""

    def runTest(self):
        from WDualMineLib.gui.pulse import Pulse
        from WDualMineLib.scene.application.referee.second_panel import open_second_panel
        from WDualMineLib.scene.application.self_test import SelfTest

        SelfTest.pulse, SelfTest.new_widget = Pulse, open_second_panel
        result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(
            unittest.defaultTestLoader.loadTestsFromTestCase(SelfTest)
        )
        self.assertTrue(result.wasSuccessful(), "the workflow failed; see the lines above")
