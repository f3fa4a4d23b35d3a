"""Arrangements of the slice views in which a fusion can be judged."""

from __future__ import annotations

import numpy as np
import slicer

from ...errors import InputError
from ...pipeline.parts import BY_NAME
from ...pipeline.result import Result
from ...progress import Steps
from ...volumes.volume import Volume
from ..application.choices import Layers, Map
from ..result.recovery import Results
from ..result.result_nodes import FIXED_ROLE, MOVING_ROLE, FusionNodes
from ..result.volume_nodes import geometry_of, update_volume
from .appearance import grey_colours, renew, show, show_everywhere, show_only_between
from .borrowed import Borrowed, borrow_layout
from .slice_views import SliceViews

SIDE_BY_SIDE_LAYOUT = 26814
"""Number of the layout with three views beside each other; any that nobody else took."""

COMPARISON = "WDualMine comparison"
"""Name of the volume that checkerboard and reveal are drawn into; not saved with the scene."""

_VIEWS = ("WDualMineFixed", "WDualMineMoving", "WDualMineFused")
_COLOURS = ("#4a90d9", "#d98c4a", "#58b368")


def _side_by_side_xml() -> str:
    items = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{view}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{view.removeprefix("WDualMine")}</property>'
        f'<property name="viewcolor" action="default">{colour}</property></view></item>'
        for view, colour in zip(_VIEWS, _COLOURS, strict=True)
    )
    return f'<layout type="horizontal" split="true">{items}</layout>'


def know_layout(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLLayoutNode | None:
    """Make the layout node of ``scene`` know the layout with three views; None without a node."""
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if layout is not None and not layout.IsLayoutDescription(SIDE_BY_SIDE_LAYOUT):
        layout.AddLayoutDescription(SIDE_BY_SIDE_LAYOUT, _side_by_side_xml())
    return layout


class Inspection:
    """Sets layouts, layers and cursors of one scene; makes no picture itself."""

    def __init__(
        self,
        scene: slicer.vtkMRMLScene,
        results: Results | None = None,
        borrowed: Borrowed | None = None,
    ) -> None:
        self._scene = scene
        self._results = results or Results()
        self._borrowed = borrowed or Borrowed()
        self._views = SliceViews(scene)
        self._place: tuple[float, float, float] | None = None
        self._linked: set[str] = set()

    def is_prepared(self, nodes: FusionNodes) -> bool:
        """Whether :meth:`checkerboard` and :meth:`reveal` answer at once."""
        return self._results.has(nodes)

    def prepare_steps(self, nodes: FusionNodes) -> Steps[Result]:
        """Bring the moving volume to the grid of the fused one, for a comparison of the sources.

        Raises:
            InputError: a source is not in the scene any more.
        """
        return self._results.steps(nodes)

    def side_by_side(self, nodes: FusionNodes) -> None:
        """Fixed, moving and fused beside each other, linked, with one cursor in all.

        They show the slice that the usual axial view shows. Views that the layout brings have no
        size yet: :meth:`views_added` is to be called once they do.
        """
        self._remove_comparison()
        shown = self._is_side_by_side()
        self._place = self._views.place_in(nodes.fused, _VIEWS[:1] if shown else ())
        before = set(self._views.links())
        with self._views.unlinked():
            self._show_layout()
            self._show_three(nodes)
        self._one_cursor()
        # A view that comes up tells those that it is linked with where it stands: nowhere yet.
        self._link_all(before)

    def views_added(self, nodes: FusionNodes, linked: bool) -> bool:
        """A layout brought views that were not there before, and they have a size by now.

        Args:
            linked: whether the new ones are linked; see :meth:`link`.

        Returns:
            Whether they are filled; if no other view shows anything, nobody knows with what.
        """
        if self._is_side_by_side():
            self._show_three(nodes)
            self._link_all(set(self._views.links()))
            return True
        filled = self._views.fill(_VIEWS)
        new = self._views.links().keys() - self._linked
        self._views.set_links(dict.fromkeys(new, (linked, linked)))
        self._linked |= new
        return filled

    def checkerboard(self, nodes: FusionNodes, tiles: int) -> None:
        """Squares of fixed and moving in turn, ``tiles`` along the shorter side of the volume.

        Raises:
            InputError: a source is not in the scene any more.
        """
        sources = self._results.of(nodes).pair
        sizes = list(zip(sources.fixed.shape, nodes.fused.GetSpacing()[::-1], strict=True))
        side = min(n * s for n, s in sizes) / tiles  # mm
        # Bits along each axis instead of a number for each voxel: the slider follows the mouse.
        k, j, i = (np.floor(np.arange(n) * s / side).astype(int) % 2 == 1 for n, s in sizes)
        of_moving = k[:, None, None] ^ j[:, None] ^ i
        self._compare(nodes, np.where(of_moving, sources.moving, sources.fixed))

    def reveal(self, nodes: FusionNodes, position: float) -> None:
        """Fixed on the screen's left, moving on its right of a curtain at ``position``, 0 to 1.

        The curtain is a plane between the patient's right and left, so that sagittal views, which
        lie in it, show either the one or the other.

        Raises:
            InputError: a source is not in the scene any more.
        """
        sources = self._results.of(nodes).pair
        directions = geometry_of(nodes.fused).direction_matrix
        voxel_axis = int(np.argmax(np.abs(directions[0])))
        count = sources.fixed.shape[2 - voxel_axis]
        along = np.arange(count) / max(count - 1, 1)
        if directions[0, voxel_axis] < 0:
            along = along[::-1]
        shape = [1, 1, 1]
        shape[2 - voxel_axis] = count
        left = along.reshape(shape) < position
        self._compare(nodes, np.where(left, sources.fixed, sources.moving))

    def map_overlay(self, nodes: FusionNodes, which: Map, threshold: float, opacity: float) -> None:
        """The fused volume, and over it a map where its value is at least ``threshold``.

        A map whose colours say by themselves where there is something to be seen has no threshold;
        it takes its colours of now, if an earlier version coloured it.

        Raises:
            InputError: the result lacks that map.
        """
        part = BY_NAME[which.name.lower()]
        chosen = nodes.parts.get(part.name)
        if chosen is None:
            raise InputError(
                f"The result has no map {part.heading!r}",
                "Choose another map, or ask for it under Fusion and apply again",
            )
        self._leave()
        self._remove_comparison()
        for node in nodes.maps:
            show_everywhere(node)
        renew(self._scene, chosen, part)
        if part.shown_from is not None:
            show_only_between(chosen, threshold, part.scale[1])
        self._views.show(nodes.fused, chosen, opacity)

    def usual(self, nodes: FusionNodes, layers: Layers, opacity: float) -> None:
        """Layout, cursor and links as they were before, with the layers that the user chose.

        Args:
            opacity: of the top layer, where there are two.
        """
        self._leave()
        for node in nodes.maps:
            show_everywhere(node)
        fixed, moving = (nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE))
        fused = nodes.colour or nodes.fused
        if layers is Layers.FUSED or fixed is None:
            self._views.show(fused)
        else:
            top = fused if layers is Layers.FUSED_ON_FIXED else moving
            self._views.show(fixed, top, opacity)
        self._remove_comparison()

    def leave(self) -> None:
        """Give layout, cursor and links back as they were; what is shown stays."""
        self._leave()
        self._remove_comparison()

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the top layer in every slice view."""
        self._views.set_opacity(opacity)

    def link(self, linked: bool) -> None:
        """Whether layers, opacity, zoom and position change in all slice views together."""
        self._views.link(linked)
        self._linked = set(self._views.links())

    def _compare(self, nodes: FusionNodes, array: np.ndarray) -> None:
        node = self._scene.GetFirstNodeByName(COMPARISON)
        volume = Volume(array, geometry_of(nodes.fused), COMPARISON)
        if node is None:
            # Found by its name, which the scene makes another one once it had such a node.
            node = self._scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
            node.SetName(COMPARISON)
            node.SaveWithSceneOff()
            node.HideFromEditorsOn()
            # Before there are voxels, of which it would look for the best window.
            node.CreateDefaultDisplayNodes()
            node.GetDisplayNode().AutoWindowLevelOff()
        update_volume(node, volume)
        node.SetAndObserveTransformNodeID(nodes.fused.GetTransformNodeID())
        show(node, (0.0, 1.0), grey_colours(self._scene))
        self._leave()
        self._views.show(node)

    def _leave(self) -> None:
        self._borrowed.give_back()

    def _remove_comparison(self) -> None:
        comparison = self._scene.GetFirstNodeByName(COMPARISON)
        if comparison is not None:
            self._scene.RemoveNode(comparison)

    def _show_layout(self) -> None:
        layout = know_layout(self._scene)
        if layout is not None:
            borrow_layout(self._borrowed, layout, SIDE_BY_SIDE_LAYOUT)

    def _show_three(self, nodes: FusionNodes) -> None:
        sources = [nodes.fused.GetNodeReference(role) for role in (FIXED_ROLE, MOVING_ROLE)]
        volumes = dict(zip(_VIEWS, (*sources, nodes.colour or nodes.fused), strict=True))
        place = self._place or self._views.place_in(nodes.fused)
        self._views.show_each(volumes, nodes.fused, place)

    def _link_all(self, views: set[str]) -> None:
        self._borrowed.take(
            "links",
            lambda: {v: linked for v, linked in self._views.links().items() if v in views},
            self._views.set_links,
            dict.fromkeys(views, (True, True)),
        )

    def _is_side_by_side(self) -> bool:
        layout = self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        return layout is not None and layout.GetViewArrangement() == SIDE_BY_SIDE_LAYOUT

    def _one_cursor(self) -> None:
        crosshair = self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is None:
            return
        kind = slicer.vtkMRMLCrosshairNode

        def write(state: tuple[int, int]) -> None:
            crosshair.SetCrosshairMode(state[0])
            crosshair.SetCrosshairBehavior(state[1])

        self._borrowed.take(
            "cursor",
            lambda: (crosshair.GetCrosshairMode(), crosshair.GetCrosshairBehavior()),
            write,
            (kind.ShowSmallBasic, kind.OffsetJumpSlice),
        )
