"""What the slice views show: from their nodes, and from the pixels on the screen."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from ...views.slice_views import slice_through

_LEGENDS = "vtkMRMLColorLegendDisplayableManager"
_DARK = 12
"""Of 255; the black of a view is not brighter."""


class Sight:
    """Of all slice views that are on the screen."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def views(self) -> list[str]:
        """Names of the slice views of the layout that is shown."""
        names = slicer.app.layoutManager().sliceViewNames()
        return [name for name in names if self.node(name).IsMappedInLayout()]

    def node(self, view: str) -> slicer.vtkMRMLSliceNode:
        return self._scene.GetSingletonNode(view, "vtkMRMLSliceNode")

    def layers(self, view: str) -> tuple[str, str]:
        """Names of the volumes in background and foreground; "" for none."""
        composite = self.composite(view)
        found = (
            self._scene.GetNodeByID(volume) if volume else None
            for volume in (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
        )
        below, above = (node.GetName() if node is not None else "" for node in found)
        return below, above

    def composite(self, view: str) -> slicer.vtkMRMLSliceCompositeNode:
        return self._scene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")

    def offset(self, view: str) -> float:
        """mm along the normal of the view."""
        return self.node(view).GetSliceOffset()

    def cuts(self, view: str, volume: slicer.vtkMRMLVolumeNode) -> bool:
        """Whether the view lies in a slice of ``volume``."""
        return slice_through(self.node(view), volume) is not None

    def covers(self, view: str, volume: slicer.vtkMRMLVolumeNode) -> float:
        """The view's field of view over the extent of ``volume`` in its plane: 1 fits exactly."""
        bounds = [0.0] * 6
        volume.GetRASBounds(bounds)
        extent = np.array(bounds[1::2]) - np.array(bounds[::2])
        node = self.node(view)
        plane = np.abs(slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, :2])
        sides = plane.T @ extent
        return float(min(np.array(node.GetFieldOfView()[:2]) / sides))

    def picture(self, view: str) -> np.ndarray:
        """(height, width, 3) uint8 of the view as it is on the screen now, the first row at the
        top; of its slice alone where there is no screen."""
        on_screen = slicer.app.layoutManager().sliceWidget(view).sliceView()
        window = on_screen.renderWindow()
        return _grabbed(window) if window is not None else self._resliced(view)

    def is_dark(self, view: str) -> bool:
        """Whether nothing is seen: less than a fiftieth of the view is brighter than black."""
        return bool((self.picture(view).max(axis=2) > _DARK).mean() < 0.02)

    def legends(self, view: str) -> list[str]:
        """Titles of the colour legends that the view shows, their first lines."""
        managers = vtk.vtkCollection()
        slicer.app.layoutManager().sliceWidget(view).sliceView().getDisplayableManagers(managers)
        shown = []
        for index in range(managers.GetNumberOfItems()):
            manager = managers.GetItemAsObject(index)
            if manager.IsA(_LEGENDS):
                shown += [node for node in self._legend_nodes() if _is_shown(manager, node)]
        return [node.GetTitleText().splitlines()[0] for node in shown]

    @property
    def layout(self) -> int:
        """Number of the arrangement of the views."""
        node = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        return node.GetViewArrangement() if node is not None else -1

    def set_layout(self, arrangement: int) -> None:
        self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode").SetViewArrangement(arrangement)

    @property
    def crosshair(self) -> int:
        """The mode of the crosshair; -1 without one."""
        node = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        return node.GetCrosshairMode() if node is not None else -1

    def _legend_nodes(self) -> list[Any]:
        kind = "vtkMRMLColorLegendDisplayNode"
        count = self._scene.GetNumberOfNodesByClass(kind)
        return [self._scene.GetNthNodeByClass(index, kind) for index in range(count)]

    def _resliced(self, view: str) -> np.ndarray:
        logic = slicer.app.applicationLogic().GetSliceLogic(self.node(view))
        logic.UpdatePipeline()
        producer = logic.GetImageDataConnection().GetProducer()
        producer.Update()
        return _pixels(producer.GetOutputDataObject(0))


def _is_shown(manager: Any, legend: Any) -> bool:
    actor = manager.GetColorLegendActor(legend)
    return actor is not None and bool(actor.GetVisibility())


def _grabbed(window: Any) -> np.ndarray:
    """What is on the screen, without rendering it anew: a view that should have been is seen."""
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ShouldRerenderOff()
    grab.Update()
    return _pixels(grab.GetOutput())


def _pixels(image: vtk.vtkImageData) -> np.ndarray:
    width, height, _ = image.GetDimensions()
    values = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    values = values.reshape(height, width, -1)[::-1]
    if values.shape[2] < 4:
        return values[..., :3].astype(np.uint8)
    shown = values[..., :3].astype(np.float32) * (values[..., 3:] / 255.0)
    return np.round(shown).astype(np.uint8)
