"""The one thread that touches MRML, one that projects, and the scenes that were seen last."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from ..scene.views.served_slices import served_slices
from .frame_request import FrameRequest
from .pictures import Pictures, encoded
from .study import Study, fused_of
from .volume_request import VolumeRequest
from .volume_view import seen_from

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
        study = request.study(current)
        look = request.look(study.own_look)
        fused = None
        if look != study.own_look:  # takes a moment, in which others are served
            fused = await asyncio.to_thread(fused_of, study, look)

        if isinstance(request, VolumeRequest):  # takes long, and slices are not to wait for it
            seen = await self._run(lambda: self._pictures(study).seen(request, fused))

            def project() -> bytes:
                return encoded(seen_from(request, seen), moving=request.moving)

            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._projecting, project)

        def render() -> bytes:
            picture = self._pictures(study).render(request, fused)
            return encoded(picture, moving=request.moving)

        return await self._run(render)

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
