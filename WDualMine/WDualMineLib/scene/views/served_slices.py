"""The volumes of one result in a scene of their own, sliced for viewers that are elsewhere.

Nothing of a viewer stays here: a picture is made of what one request says, so that one scene serves
any number of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import slicer

from ...fusion.intensity import Window
from ...pipeline.parts import Part
from ...volumes.volume import Volume
from ..application.scene_files import headless_scene
from ..result.node_placement import set_matrix
from ..result.volume_nodes import add_volume
from .appearance import (
    part_colours,
    show,
    show_everywhere,
    show_only_between,
    show_source,
    table_of,
)
from .projection import SmallVolume, small_copy
from .rendering import SliceRenderer, blended, slice_renderer

_RENDERERS = 6
"""Two for each pane of a page: what stays the same while a slider moves is not resliced again."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Layer:
    """What lies over the background, or is it.

    Attributes:
        name: of the volume.
        window: lowest and highest value shown; None leaves a colour volume as it is.
        between: values outside of it are not shown; None shows all.
    """

    name: str
    window: Range | None = None
    between: Range | None = None


@dataclass(frozen=True)
class Slab:
    """Slices taken together.

    Attributes:
        thickness: mm along the normal, half of them on either side.
        kind: "maximum", "mean" or "minimum".
    """

    thickness: float
    kind: str


class ServedSlices:
    """Made by :func:`served_slices`; to be used by one thread at a time."""

    def __init__(self, scene: slicer.vtkMRMLScene, renderers: list[SliceRenderer]) -> None:
        self._scene = scene
        self._unused = list(renderers)
        self._renderers: OrderedDict[tuple[str, ...], SliceRenderer] = OrderedDict()
        self._nodes: dict[str, slicer.vtkMRMLVolumeNode] = {}
        self._small: dict[tuple[str, str], SmallVolume] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def add_source(
        self, name: str, volume: Volume, window: Window, to_fixed: np.ndarray | None = None
    ) -> None:
        """A source on its own grid, under the transform that aligns it.

        Args:
            to_fixed: 4x4 from its points to those of the fixed volume, LPS mm.
        """
        node = self._nodes[name] = add_volume(self._scene, volume)
        show_source(self._scene, node, (window.low, window.high), window.name)
        if to_fixed is not None:
            transform = self._scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", f"{name} moved")
            set_matrix(transform, to_fixed)
            node.SetAndObserveTransformNodeID(transform.GetID())

    def add_part(self, name: str, volume: Volume, part: Part) -> None:
        """A part of a result, in its colours."""
        node = self._nodes[name] = add_volume(self._scene, volume)
        if not volume.is_colour:
            show(node, part.scale, part_colours(self._scene, part))

    def remove(self, name: str) -> None:
        """Let go of a volume and its display."""
        node = self._nodes.pop(name)
        for key in [key for key in self._small if key[0] == name]:
            del self._small[key]
        display = node.GetDisplayNode()
        self._scene.RemoveNode(node)
        if display is not None:
            self._scene.RemoveNode(display)

    def render(
        self,
        orientation: str,
        background: Layer,
        foreground: Layer | None,
        opacity: float,
        centre: tuple[float, float, float],
        size: tuple[int, int],
        field_of_view: float,
        slab: Slab | None = None,
    ) -> np.ndarray:
        """One slice, (height, width, 3) uint8, first row at the top.

        Args:
            orientation: see :meth:`.rendering.SliceRenderer.render`.
            opacity: of the foreground, 0 to 1, however thick a slab is.
            centre: RAS mm.
            size: width and height in pixels.
            field_of_view: mm across the shorter side.
            slab: of the background. The foreground stays that of the slice: the highest value of a
                map is as misleading as the mean of one that is 1/2 nearly everywhere.
        """
        for layer in (background, foreground):
            if layer is not None:
                self._dress(layer)
        below = self._nodes[background.name]
        above = self._nodes[foreground.name] if foreground is not None else None
        place = centre, size, field_of_view
        if slab is None:
            names = [layer.name for layer in (background, foreground) if layer is not None]
            renderer = self._renderer(orientation, *names)
            return renderer.render(below, orientation, above, opacity, *place)
        renderer = self._renderer(orientation, background.name, slab.kind)
        with renderer.slab(slab.thickness, slab.kind):
            picture = renderer.render(below, orientation, None, 0.0, *place)
        if above is None or foreground is None:
            return picture
        alone = self._renderer(orientation, foreground.name).layer(above, orientation, *place)
        return blended(picture, alone, opacity)

    def _renderer(self, *of: str) -> SliceRenderer:
        """The one that rendered ``of`` last: it need not reslice what stays where it was."""
        if of in self._renderers:
            self._renderers.move_to_end(of)
        elif self._unused:
            self._renderers[of] = self._unused.pop()
        else:
            self._renderers[of] = self._renderers.popitem(last=False)[1]
        return self._renderers[of]

    def small(self, name: str, keep: str = "Mean") -> SmallVolume:
        """A small copy of a volume, to be projected: see :func:`.projection.small_copy`."""
        if (name, keep) not in self._small:
            self._small[name, keep] = small_copy(self._nodes[name], keep)
        return self._small[name, keep]

    def colours(self, name: str) -> np.ndarray:
        """(N, 3) uint8: the colour table that a scalar volume is shown in."""
        return table_of(self._nodes[name].GetDisplayNode().GetColorNode())

    def _dress(self, layer: Layer) -> None:
        node = self._nodes[layer.name]
        if layer.window is not None:
            show(node, layer.window)
        if layer.between is None:
            show_everywhere(node)
        else:
            show_only_between(node, *layer.between)


@contextmanager
def served_slices() -> Iterator[ServedSlices]:
    """A scene without volumes, gone afterwards."""
    with headless_scene() as scene, ExitStack() as stack:
        renderers = [
            stack.enter_context(slice_renderer(scene, f"WDualMinePicture{n}"))
            for n in range(_RENDERERS)
        ]
        yield ServedSlices(scene, renderers)
