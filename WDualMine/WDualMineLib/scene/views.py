"""The slice views of a scene: what lies in their layers, and what links them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import slicer


class SliceViews:
    """All slice views that the scene has at the moment, those of other layouts included."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def show(
        self,
        background: slicer.vtkMRMLVolumeNode,
        foreground: slicer.vtkMRMLVolumeNode | None = None,
        opacity: float = 0.5,
    ) -> None:
        """The same layers in every view; a view that was empty is also moved to them."""
        empty = [c.GetLayoutName() for c in self._composites() if not c.GetBackgroundVolumeID()]
        with self.unlinked():
            for composite in self._composites():
                _set_layers(composite, background, foreground, opacity)
        self.fit(empty)

    def show_in(self, view: str, background: slicer.vtkMRMLVolumeNode | None) -> None:
        """One volume in the view of that name, where there are both."""
        composite = self._scene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
        if composite is not None and background is not None:
            _set_layers(composite, background)

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the top layer in every view."""
        for composite in self._composites():
            composite.SetForegroundOpacity(opacity)

    def link(self, linked: bool) -> None:
        """Whether layers, opacity, zoom and position change in all views together."""
        for composite in self._composites():
            composite.SetLinkedControl(linked)
            composite.SetHotLinkedControl(linked)

    @contextmanager
    def unlinked(self) -> Iterator[None]:
        """No view hands on to the others what is changed in it meanwhile."""
        before = [(composite, composite.GetLinkedControl()) for composite in self._composites()]
        for composite, _ in before:
            composite.SetLinkedControl(False)
        try:
            yield
        finally:
            for composite, linked in before:
                composite.SetLinkedControl(linked)

    def fit(self, views: Iterable[str]) -> None:
        """All of what they show in each of ``views``, where the application shows them."""
        application = getattr(slicer, "app", None)
        if not hasattr(application, "applicationLogic"):
            return
        for view in views:
            node = self._scene.GetSingletonNode(view, "vtkMRMLSliceNode")
            logic = application.applicationLogic().GetSliceLogic(node) if node else None
            if logic is not None:
                logic.FitSliceToAll()

    def _composites(self) -> list[slicer.vtkMRMLSliceCompositeNode]:
        kind = "vtkMRMLSliceCompositeNode"
        count = self._scene.GetNumberOfNodesByClass(kind)
        return [self._scene.GetNthNodeByClass(i, kind) for i in range(count)]


def _set_layers(
    composite: slicer.vtkMRMLSliceCompositeNode,
    background: slicer.vtkMRMLVolumeNode,
    foreground: slicer.vtkMRMLVolumeNode | None = None,
    opacity: float = 0.5,
) -> None:
    modifying = composite.StartModify()
    composite.SetBackgroundVolumeID(background.GetID())
    composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
    if foreground is not None:
        composite.SetForegroundOpacity(opacity)
    composite.EndModify(modifying)
