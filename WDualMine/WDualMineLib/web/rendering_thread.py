"""The one thread that touches MRML, one that projects, and the scenes that were seen last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from ..scene.views.served_slices import served_slices
from ..volumes.volume import Volume
from .frame_request import FrameRequest
from .messages import PictureRequest
from .pictures import Pictures, encoded
from .study import Study, fused_of
from .told import Point
from .volume_request import VolumeRequest
from .volume_view import Seen, point_in, seen_from

T = TypeVar("T")
_SCENES_KEPT = 4


class RenderingThread:
    """Renders for all viewers, one picture after the other."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="WDualMine slices")
        self._projecting = ThreadPoolExecutor(1, thread_name_prefix="WDualMine projections")
        self._scenes: OrderedDict[int, tuple[Study, ExitStack, Pictures]] = OrderedDict()

    async def picture(self, current: Study, request: FrameRequest | VolumeRequest) -> bytes:
        """An encoded picture of a study, or of the prior one that belongs to it.

        Raises:
            InputError: it cannot be made of this study.
        """
        if isinstance(request, VolumeRequest):
            return await self._projected(
                current,
                request,
                lambda seen: encoded(seen_from(request, seen), moving=request.moving),
            )
        study = request.study(current)
        fused = await _fused(study, request)

        def render() -> bytes:
            picture = self._pictures(study).render(request, fused)
            return encoded(picture, moving=request.moving)

        return await self._run(render)

    async def point(self, current: Study, request: VolumeRequest) -> Point | None:
        """What is seen in the middle of a view from a side, RAS mm.

        Raises:
            InputError: it cannot be seen so.
        """
        return await self._projected(current, request, lambda seen: point_in(request, seen))

    async def _projected(
        self, current: Study, request: VolumeRequest, work: Callable[[Seen], T]
    ) -> T:
        """Takes long, so in a thread of its own: slices are not to wait for it."""
        study = request.study(current)
        fused = await _fused(study, request)
        seen = await self._run(lambda: self._pictures(study).seen(request, fused))
        return await asyncio.get_running_loop().run_in_executor(
            self._projecting, lambda: work(seen)
        )

    async def prepare(self, study: Study) -> None:
        """Put the volumes into their scene, before the first picture asks for it."""
        await self._run(lambda: self._pictures(study))

    async def close(self) -> None:
        """Let go of all scenes."""

        def close() -> None:
            for _, scene, _ in self._scenes.values():
                scene.close()
            self._scenes.clear()

        await self._run(close)
        self._pool.shutdown()
        self._projecting.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _pictures(self, study: Study) -> Pictures:
        if id(study) not in self._scenes:
            scene = ExitStack()
            slices = scene.enter_context(served_slices())
            self._scenes[id(study)] = study, scene, Pictures(study, slices)
        self._scenes.move_to_end(id(study))
        while len(self._scenes) > _SCENES_KEPT:
            self._scenes.popitem(last=False)[1][1].close()
        return self._scenes[id(study)][2]


async def _fused(study: Study, request: PictureRequest) -> Volume | None:
    """The fused volume in the look that is asked for; None where that is its own."""
    look = request.look(study.own_look)
    if look == study.own_look:
        return None
    return await asyncio.to_thread(fused_of, study, look)  # a moment, in which others are served
