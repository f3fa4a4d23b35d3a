"""The slice views of a scene: their layers, their links, and which slices they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import slicer

from ..result.node_placement import ijk_to_ras

# A view that is turned further than this away from a voxel axis shows no single slice.
_PARALLEL = np.cos(np.deg2rad(10.0))


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
        if application is None or not hasattr(application, "applicationLogic"):
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


def shown_slices(
    scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLVolumeNode
) -> Iterator[tuple[int, int]]:
    """(array axis, index) of each slice of ``node``, shape (K, J, I), that a view lies in."""
    found = set()
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSliceNode")):
        view = scene.GetNthNodeByClass(number, "vtkMRMLSliceNode")
        place = slice_through(view, node)
        if place is not None and place not in found:
            found.add(place)
            yield place


def slice_through(
    view: slicer.vtkMRMLSliceNode, node: slicer.vtkMRMLVolumeNode
) -> tuple[int, int] | None:
    """(array axis, index) of the slice of ``node`` that ``view`` lies in, None if it is in none."""
    to_ras = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())
    grid = ijk_to_ras(node)
    axes = grid[:3, :3] / np.linalg.norm(grid[:3, :3], axis=0)
    alignment = np.abs(axes.T @ to_ras[:3, 2])
    voxel_axis = int(np.argmax(alignment))
    if alignment[voxel_axis] < _PARALLEL:
        return None
    index = round(float((np.linalg.inv(grid) @ to_ras[:, 3])[voxel_axis]))
    if not 0 <= index < node.GetImageData().GetDimensions()[voxel_axis]:
        return None
    return 2 - voxel_axis, index
