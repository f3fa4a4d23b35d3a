"""From a request to a slice, and to what a view from a side needs: all that touches a scene."""

from __future__ import annotations

import io
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from ..errors import InputError
from ..pipeline.parts import BY_NAME, FUSED, RELIABILITY_FIXED
from ..scene.views.projection import SmallVolume
from ..scene.views.served_slices import Layer, ServedSlices, Slab
from ..volumes.volume import Volume
from .frame_request import FrameRequest
from .study import Look, Study
from .volume_request import VolumeRequest
from .volume_view import Seen

_LOOKS_KEPT = 4
_SLICES_KEPT = 8  # two for each pane of a page
_HIGHEST = 1e9
_HIDDEN = -1e6
_SUSPECTED = 0.1  # away from 1/2: what is nearer has no colour


class Pictures:
    """The pictures of one study; to be used by one thread at a time."""

    def __init__(self, study: Study, slices: ServedSlices) -> None:
        self._study = study
        self._slices = slices
        self._windows: dict[str, tuple[float, float] | None] = {}
        self._looks: OrderedDict[str, None] = OrderedDict()
        self._compared: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()
        self._has_doubts: bool | None = None
        result = study.result
        for name, volume in result.volumes.items():
            part = BY_NAME[name]
            if part.is_map and part.shown_from is not None:
                volume = _without_air(volume, result.fused)
            slices.add_part(name, volume, part)
            self._windows[name] = None if volume.is_colour else BY_NAME[name].scale
        for role, volume in study.sources.items():
            window = getattr(result.record, role).window
            placed = np.linalg.inv(result.alignment.matrix) if role == "moving" else None
            slices.add_source(role, volume, window, placed)
            self._windows[role] = (window.low, window.high)

    def seen(self, request: VolumeRequest, fused: Volume | None = None) -> Seen:
        """What :func:`.volume_view.seen_from` projects, in any other thread.

        Args:
            fused: as for :meth:`render`.

        Raises:
            InputError: there is no such volume, or it is one of colours.
        """
        layer = self._layer(request.base, request, fused)
        if layer.window is None:
            raise InputError("Colours have neither surface nor maximum", "Choose another volume")
        doubts = self._doubts() if request.flagged else None
        small, colours = self._slices.small(layer.name), self._slices.colours(layer.name)
        return Seen(small, layer.window, colours, doubts)

    def render(self, request: FrameRequest, fused: Volume | None = None) -> np.ndarray:
        """(height, width, 3) uint8.

        Args:
            fused: the fused volume in the look that is asked for, where it is another one.

        Raises:
            InputError: it asks for a volume that there is not.
        """
        if request.mode == "layers":
            over = self._overlay(request) if request.over else None
            return self._slice(request, self._layer(request.base, request, fused), over)
        fixed, moving = (self._source(request, role) for role in ("fixed", "moving"))
        first = curtain(request) if request.mode == "curtain" else checkerboard(request)
        return np.where(first[..., None], fixed, moving)

    def _doubts(self) -> tuple[SmallVolume, SmallVolume] | None:
        """The lowest and the highest reliability; None where no fault is suspected."""
        name = RELIABILITY_FIXED.name
        if name not in self._windows:
            return None
        if self._has_doubts is None:
            values = self._study.result.volumes[name].array
            self._has_doubts = bool(np.abs(values - 0.5).max() > _SUSPECTED)
        if not self._has_doubts:
            return None
        return self._slices.small(name, "Minimum"), self._slices.small(name, "Maximum")

    def _source(self, request: FrameRequest, role: str) -> np.ndarray:
        """A slice of a source; kept, for it stays as it is while squares or a divider move."""
        layer = self._layer(role, request)
        place = request.plane, request.centre, request.size, request.field
        key = (layer, *place, request.slab, request.slab_kind)
        if key not in self._compared:
            self._compared[key] = self._slice(request, layer, None)
        self._compared.move_to_end(key)
        while len(self._compared) > _SLICES_KEPT:
            self._compared.popitem(last=False)
        return self._compared[key]

    def _slice(self, request: FrameRequest, base: Layer, over: Layer | None) -> np.ndarray:
        slab = Slab(request.slab, request.slab_kind) if request.slab else None
        return self._slices.render(
            request.plane.capitalize(),
            base,
            over,
            request.opacity,
            request.centre,
            request.size,
            request.field,
            slab,
        )

    def _layer(
        self, name: str, request: FrameRequest | VolumeRequest, fused: Volume | None = None
    ) -> Layer:
        if name not in self._windows:
            raise InputError(f"This study has no volume {name!r}", "Choose another one")
        own = self._windows[name]
        window = None if own is None else request.windows.get(name, own)
        if name == FUSED.name and fused is not None:
            name = self._in_look(request.look(self._study.own_look), fused)
        return Layer(name, window)

    def _overlay(self, request: FrameRequest) -> Layer:
        layer = self._layer(request.over, request)
        part = BY_NAME.get(request.over)
        if part is None or not part.is_map:
            return layer
        low = part.shown_from if request.shown_from is None else request.shown_from
        between = None if low is None or part.shown_from is None else (low, _HIGHEST)
        return Layer(layer.name, part.scale, between)

    def _in_look(self, look: Look, fused: Volume) -> str:
        """The name of the fused volume in a look; the last few stay in the scene."""
        name = "fused {} {}".format(*look)
        if name not in self._looks:
            self._slices.add_part(name, fused, FUSED)
        self._looks[name] = None
        self._looks.move_to_end(name)
        while len(self._looks) > _LOOKS_KEPT:
            self._slices.remove(self._looks.popitem(last=False)[0])
        return name


def _without_air(volume: Volume, fused: Volume) -> Volume:
    """A map as it is shown: nothing was decided where there was nothing to fuse.

    So far below what may be shown that no neighbour of air takes a colour between.
    """
    return replace(volume, array=np.where(fused.array > 0, volume.array, np.float32(_HIDDEN)))


def curtain(request: FrameRequest) -> np.ndarray:
    """Where the fixed volume is shown: left of the line. (height, width) bool."""
    width, height = request.size
    return np.broadcast_to(np.arange(width) < request.split * width, (height, width))


def checkerboard(request: FrameRequest) -> np.ndarray:
    """Where the fixed volume is shown: every second square. (height, width) bool."""
    width, height = request.size
    side = min(request.size) / request.squares
    y, x = (np.arange(n) // side for n in (height, width))
    return (y[:, None] + x) % 2 == 0


def encoded(picture: np.ndarray, *, moving: bool) -> bytes:
    """JPEG while another one follows, else PNG, which loses nothing."""
    stream = io.BytesIO()
    image = Image.fromarray(picture)
    if moving:
        image.save(stream, "JPEG", quality=88)
    else:
        image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
