"""The slice views of a scene: their layers, their links, and which slices they show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import slicer

from ..result.node_placement import ijk_to_ras

# A view that is turned further than this away from a voxel axis shows no single slice.
_PARALLEL = np.cos(np.deg2rad(10.0))
# The view that 3D Slicer has in nearly every layout, axial unless the user turned it.
_USUAL = "Red"


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
        self.renew_legends()

    def show_each(
        self,
        volumes: Mapping[str, slicer.vtkMRMLVolumeNode | None],
        seen: slicer.vtkMRMLVolumeNode,
        place: tuple[float, float, float],
    ) -> None:
        """One volume in each of these views, where there are both.

        Args:
            volumes: by the names of the views.
            seen: all of it fits into each of them, so that all have one scale.
            place: RAS point in mm through which they cut.
        """
        with self.unlinked():
            for view, volume in volumes.items():
                composite = self._composite(view)
                if composite is not None and volume is not None:
                    _set_layers(composite, volume)
                self._fit(view, seen)
                self._cut_at(view, place)
        self.renew_legends()

    def fill(self, besides: Iterable[str]) -> bool:
        """Give views that show nothing the layers of one that does, at the place of a parallel one.

        What the other views show, the user may have chosen; it stays.

        Args:
            besides: views of an arrangement of its own, neither to be filled nor to be followed.

        Returns:
            Whether there was a view to follow.
        """
        others = [c for c in self._composites() if c.GetLayoutName() not in besides]
        filled = [c for c in others if c.GetBackgroundVolumeID()]
        if not filled:
            return False
        guide = next((c for c in filled if c.GetLayoutName() == _USUAL), filled[0])
        background, foreground = (
            self._scene.GetNodeByID(volume) if volume else None
            for volume in (guide.GetBackgroundVolumeID(), guide.GetForegroundVolumeID())
        )
        if background is None:
            return False
        new = [c for c in others if c not in filled]
        with self.unlinked():
            for composite in new:
                _set_layers(composite, background, foreground, guide.GetForegroundOpacity())
                view = composite.GetLayoutName()
                self.fit([view])
                place = self._place_of_parallel(view, (c.GetLayoutName() for c in filled))
                if place is not None:
                    self._cut_at(view, place)
        self.renew_legends()
        return True

    def place_in(
        self, volume: slicer.vtkMRMLVolumeNode, guides: Iterable[str] = ()
    ) -> tuple[float, float, float]:
        """RAS point in mm of ``volume`` that the user looks at.

        On the slice of the first of ``guides``, else of the usual axial view, that cuts the volume
        parallel to an axial one; else the middle of the volume.
        """
        bounds = [0.0] * 6
        volume.GetRASBounds(bounds)
        right, front, up = (
            (low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)
        )
        for view in (*guides, _USUAL):
            node = self._node(view)
            if node is None:
                continue
            to_ras = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            axial = abs(to_ras[2, 2]) > _PARALLEL
            if axial and bounds[4] <= to_ras[2, 3] <= bounds[5]:
                return right, front, float(to_ras[2, 3])
        return right, front, up

    def renew_legends(self) -> None:
        """Make colour legends notice which layers are shown now.

        Those of 3D Slicer notice a change of layers only where the layers say that the user made
        it, and a view that came later than a legend does not know of it before.
        """
        flags = slicer.vtkMRMLSliceCompositeNode
        for composite in self._composites():
            before = composite.GetInteractionFlags()
            composite.SetInteractionFlags(flags.BackgroundVolumeFlag | flags.ForegroundVolumeFlag)
            composite.Modified()
            composite.SetInteractionFlags(before)
        kind = "vtkMRMLColorLegendDisplayNode"
        for index in range(self._scene.GetNumberOfNodesByClass(kind)):
            self._scene.GetNthNodeByClass(index, kind).Modified()

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the top layer in every view."""
        for composite in self._composites():
            composite.SetForegroundOpacity(opacity)

    def link(self, linked: bool) -> None:
        """Whether layers, opacity, zoom and position change in all views together."""
        self.set_links({c.GetLayoutName(): (linked, linked) for c in self._composites()})

    def links(self) -> dict[str, tuple[bool, bool]]:
        """Of each view, whether it is linked, and whether while the mouse still moves."""
        return {
            c.GetLayoutName(): (bool(c.GetLinkedControl()), bool(c.GetHotLinkedControl()))
            for c in self._composites()
        }

    def set_links(self, links: Mapping[str, tuple[bool, bool]]) -> None:
        """Make the views that :attr:`links` names what it says."""
        for composite in self._composites():
            if composite.GetLayoutName() in links:
                linked, hot = links[composite.GetLayoutName()]
                composite.SetLinkedControl(linked)
                composite.SetHotLinkedControl(hot)

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
        for view in views:
            logic = self._logic(view)
            if logic is not None:
                logic.FitSliceToAll()

    def _fit(self, view: str, volume: slicer.vtkMRMLVolumeNode) -> None:
        logic = self._logic(view)
        if logic is not None:
            width, height, _ = logic.GetSliceNode().GetDimensions()
            logic.FitSliceToVolume(volume, width, height)

    def _cut_at(self, view: str, place: tuple[float, float, float]) -> None:
        node = self._node(view)
        if node is not None:
            node.JumpSliceByOffsetting(*place)

    def _place_of_parallel(
        self, view: str, guides: Iterable[str]
    ) -> tuple[float, float, float] | None:
        """Where the first of ``guides`` that is parallel to ``view`` looks."""
        normal = slicer.util.arrayFromVTKMatrix(self._node(view).GetSliceToRAS())[:3, 2]
        for guide in guides:
            node = self._node(guide)
            if node is None:
                continue
            to_ras = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
            if abs(to_ras[:3, 2] @ normal) > _PARALLEL:
                return float(to_ras[0, 3]), float(to_ras[1, 3]), float(to_ras[2, 3])
        return None

    def _node(self, view: str) -> slicer.vtkMRMLSliceNode | None:
        return self._scene.GetSingletonNode(view, "vtkMRMLSliceNode")

    def _composite(self, view: str) -> slicer.vtkMRMLSliceCompositeNode | None:
        return self._scene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")

    def _logic(self, view: str) -> slicer.vtkMRMLSliceLogic | None:
        """What the application reslices with in that view; None where it does not show it."""
        application, node = getattr(slicer, "app", None), self._node(view)
        if node is None or not hasattr(application, "applicationLogic"):
            return None
        return application.applicationLogic().GetSliceLogic(node)

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
