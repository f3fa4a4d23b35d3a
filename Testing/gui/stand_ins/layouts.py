"""Slice views as a window of 3D Slicer brings them up: nodes, logics, sizes and legends.

Nodes and logics are MRML's own: the layout logic makes the nodes of the views, slice logics make
their layers, the link logic of the scene links them, and the displayable manager of the module
Colors shows the legends. Made up is what the widgets do, as badly as they do it:

- A view that a layout brings has no size until the event loop ran. Whatever it was fitted to before
  is forgotten then, and it stands at 0 mm with the field of view that every view starts with.
- A linked view tells the others where it stands as it comes up.
- A legend takes no notice of a change of layers that no mouse made (the real manager does so).
"""

from __future__ import annotations

import types

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support
from WDualMineLib.scene.views.rendering import resliced_pixels

from .observers import Observers

SIZE = (300, 260)
_FIRST_FIELD = 250.0
_LEGENDS = "vtkMRMLColorLegendDisplayableManager"


class Layouts:
    """The views of one scene.

    Args:
        scene: of a scene that :func:`headless_scene` set up.
        later: is given what is to be done once the event loop runs.
        legends: whether colour legends are drawn, which takes a render window (EGL) each view.
    """

    def __init__(self, scene, later, legends: bool = False) -> None:
        self._scene, self._later, self._with_legends = scene, later, legends
        self.logics: dict[str, slicer.vtkMRMLSliceLogic] = {}
        self.windows: dict[str, View] = {}
        self._collection = vtk.vtkCollection()
        self.application_logic = slicer.vtkMRMLApplicationLogic()
        self.application_logic.SetMRMLScene(scene)
        self.application_logic.SetSliceLogics(self._collection)
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLScene(scene)
        self.layout = self._layout_logic.GetLayoutNode()
        self._is_noticing = False
        self._observers = Observers("layouts")
        self._observers.add(scene, scene.NodeAddedEvent, self._notice)
        self.cursor = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if self.cursor is None:
            self.cursor = scene.AddNewNodeByClass("vtkMRMLCrosshairNode")
            self.cursor.SetCrosshairName("default")
        self.choose(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    @property
    def application(self) -> types.SimpleNamespace:
        """What stands for ``slicer.app``."""
        return types.SimpleNamespace(applicationLogic=lambda: self.application_logic)

    def choose(self, arrangement: int) -> None:
        """What the user does in the layout menu."""
        self.layout.SetViewArrangement(arrangement)
        self._notice()

    def shown(self) -> set[str]:
        """Names of the slice views of the present layout."""
        views = self._layout_logic.GetViewNodes()
        nodes = (views.GetItemAsObject(index) for index in range(views.GetNumberOfItems()))
        return {n.GetLayoutName() for n in nodes if n.IsA("vtkMRMLSliceNode")}

    def node(self, view: str):
        return self._scene.GetSingletonNode(view, "vtkMRMLSliceNode")

    def layers(self, view: str) -> tuple[str | None, str | None]:
        """IDs of background and foreground."""
        composite = self.logics[view].GetSliceCompositeNode()
        return composite.GetBackgroundVolumeID() or None, composite.GetForegroundVolumeID() or None

    def offset(self, view: str) -> float:
        return self.node(view).GetSliceOffset()

    def picture(self, view: str) -> np.ndarray:
        """(height, width, 3) uint8, the first row at the top."""
        return resliced_pixels(self.logics[view])

    def legends(self, view: str) -> set[str]:
        """First lines of the legends that the view shows."""
        kind = "vtkMRMLColorLegendDisplayNode"
        found = set()
        for index in range(self._scene.GetNumberOfNodesByClass(kind)):
            legend = self._scene.GetNthNodeByClass(index, kind)
            if self.windows[view].shows(legend):
                found.add(legend.GetTitleText().splitlines()[0])
        return found

    def scroll(self, view: str, offset: float) -> None:
        """What the mouse wheel does."""
        logic = self.logics[view]
        logic.StartSliceOffsetInteraction()
        logic.SetSliceOffset(offset)
        logic.EndSliceOffsetInteraction()

    def close(self) -> None:
        """Before its scene goes. What is still to be done once the event loop runs is not done."""
        self._observers.clear()
        logics, self.logics = self.logics, {}
        windows, self.windows = self.windows, {}
        for window in windows.values():
            window.close()
        self._collection.RemoveAllItems()
        for logic in (*logics.values(), self._layout_logic, self.application_logic):
            logic.SetMRMLScene(None)

    def _notice(self) -> None:
        """Give every new node of a view its logic; its widget is there, without a size.

        A logic adds nodes of its own as it comes: what that tells is dealt with once it is whole.
        """
        if self._is_noticing:
            return
        self._is_noticing = True
        try:
            while (node := self._new_node()) is not None:
                self._show(node)
        finally:
            self._is_noticing = False

    def _new_node(self):
        for index in range(self._scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
            node = self._scene.GetNthNodeByClass(index, "vtkMRMLSliceNode")
            if node.GetLayoutName() not in {*self.logics, "WDualMinePicture"}:
                return node
        return None

    def _show(self, node) -> None:
        name = node.GetLayoutName()
        logic = self.logics[name] = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLScene(self._scene)
        logic.SetSliceNode(node)
        self._collection.AddItem(logic)
        if self._with_legends:
            self.windows[name] = View(logic, self.application_logic)
        self._later(lambda: self._size(name))

    def _size(self, name: str) -> None:
        logic, node = self.logics.get(name), self.node(name)
        if logic is None or node is None:
            return
        logic.StartSliceOffsetInteraction()
        node.SetFieldOfView(_FIRST_FIELD, _FIRST_FIELD, node.GetFieldOfView()[2])
        node.JumpSlice(0.0, 0.0, 0.0)
        logic.SetSliceOffset(0.0)
        logic.ResizeSliceNode(*SIZE)
        logic.EndSliceOffsetInteraction()


class View:
    """A render window that nobody sees, with a slice and the legends over it."""

    def __init__(self, logic, application_logic) -> None:
        self._logic = logic
        self._renderer = vtk.vtkRenderer()
        self.window = vtk.vtkEGLRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetSize(*SIZE)
        self.window.AddRenderer(self._renderer)
        interactor = vtk.vtkGenericRenderWindowInteractor()
        interactor.SetRenderWindow(self.window)
        interactor.SetInteractorStyle(None)
        interactor.Initialize()
        self._interactor = interactor
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(application_logic)
        if not factory.IsDisplayableManagerRegistered(_LEGENDS):
            factory.RegisterDisplayableManager(_LEGENDS)
        self._group = factory.InstantiateDisplayableManagers(self._renderer)
        self._group.SetMRMLDisplayableNode(logic.GetSliceNode())

    def picture(self) -> np.ndarray:
        """(height, width, 3) uint8 with legends, the first row at the top."""
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        self._logic.UpdatePipeline()
        mapper.SetInputConnection(self._logic.GetImageDataConnection())
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        self._renderer.AddActor2D(actor)
        self.window.SetSize(*self._logic.GetSliceNode().GetDimensions()[:2])
        self.window.Render()
        grabbed = vtk.vtkWindowToImageFilter()
        grabbed.SetInput(self.window)
        grabbed.Update()
        self._renderer.RemoveActor2D(actor)
        image = grabbed.GetOutput()
        width, height, _ = image.GetDimensions()
        rgb = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
        return rgb.reshape(height, width, 3)[::-1].copy()

    def shows(self, legend) -> bool:
        for index in range(self._group.GetDisplayableManagerCount()):
            manager = self._group.GetNthDisplayableManager(index)
            if manager.IsA(_LEGENDS):
                actor = manager.GetColorLegendActor(legend)
                return actor is not None and bool(actor.GetVisibility())
        raise AssertionError("no displayable manager for legends")

    def close(self) -> None:
        self._group.SetMRMLDisplayableNode(None)
        self._group = None
        # The factory is one for the whole process, and remembers the logic of the last view.
        slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance().SetMRMLApplicationLogic(None)
        self._interactor.SetRenderWindow(None)
        self.window.Finalize()
