"""One viewer: what its web socket says, and what it is answered. Nothing outlives the socket."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from ..errors import InputError, WDualMineError
from . import told as read
from .catalogue import Catalogue
from .frame_request import FrameRequest
from .messages import LookRequest
from .readout import read_out
from .region import RegionRequest, measure
from .rendering_thread import RenderingThread
from .study import Study
from .volume_request import VolumeRequest

_LOG = logging.getLogger(__name__)
_DEFECT = "This failed by a defect of WDualMine. The server printed which."

IDLE, BAD = 4001, 4002
"""Codes with which a socket is closed: nothing was asked for long, or nothing sensible."""

_PICTURES: dict[str, type[FrameRequest] | type[VolumeRequest]] = {
    "frame": FrameRequest,
    "volume": VolumeRequest,
}
_LANES = (*_PICTURES, "values")
"""Slices wait neither for views from a side nor for values, which take longer."""

_OF_A_STUDY = (*_PICTURES, "probe", "region", "pick")
_MOST_WAITING = 8
_POLL = 0.25  # s, between two words on the progress


@dataclass(frozen=True)
class _Job:
    """What is to be answered.

    Attributes:
        key: a later job with the same one takes its place.
        which: what the page calls it.
        do: answers.
    """

    key: str
    which: dict[str, Any]
    do: Callable[[Study], Awaitable[None]]


class _Lane:
    """The newest job of each key: who scrolls fast does not want what is past."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Job] = {}
        self._woken = asyncio.Event()

    def add(self, job: _Job) -> None:
        if job.key in self._waiting or len(self._waiting) < _MOST_WAITING:
            self._waiting[job.key] = job
            self._woken.set()

    def clear(self) -> None:
        self._waiting.clear()

    async def next(self) -> _Job:
        """The one that waits longest, once there is one."""
        while not self._waiting:
            self._woken.clear()
            await self._woken.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Viewer:
    """Answers one socket until it closes."""

    def __init__(
        self, socket: web.WebSocketResponse, catalogue: Catalogue, rendering: RenderingThread
    ) -> None:
        self._socket, self._catalogue, self._rendering = socket, catalogue, rendering
        self._study: Study | None = None
        self._lanes = {name: _Lane() for name in _LANES}
        self._opening: asyncio.Task[None] | None = None

    async def serve(self, idle_seconds: float) -> None:
        """Until the viewer goes, or asks for nothing during ``idle_seconds``."""
        working = [asyncio.create_task(self._work(lane)) for lane in self._lanes.values()]
        try:
            while True:
                try:
                    message = await self._socket.receive(timeout=idle_seconds)
                except TimeoutError:
                    await self._socket.close(code=IDLE, message=b"idle")
                    return
                if message.type is not WSMsgType.TEXT:
                    return
                if not await self._heard(message.data):
                    await self._socket.close(code=BAD, message=b"not understood")
                    return
        finally:
            for task in (*working, self._opening):
                if task is not None:
                    task.cancel()

    async def _heard(self, text: str) -> bool:
        """Answer one message; False where it is none."""
        try:
            told = json.loads(text)
            kind = told["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        try:
            if kind in _OF_A_STUDY:
                if self._study is not None:  # else late, of a study before
                    await self._asked(self._study, kind, told)
            elif kind == "open":
                self._open(told.get("study", 0))
            elif kind in ("start", "cancel") and self._catalogue.fusing is not None:
                getattr(self._catalogue.fusing, kind)()
                if kind == "start":
                    self._open(0)
            else:
                return kind in ("start", "cancel")  # late: it is not being fused any more
        except InputError as error:
            await self._say("error", text=str(error), **_which(told))
        except (KeyError, TypeError, ValueError, OverflowError):
            return False
        return True

    async def _asked(self, study: Study, kind: str, told: dict[str, Any]) -> None:
        which = _which(told)
        if kind == "probe":
            await self._probe(study, told)
        elif kind == "region":
            region = RegionRequest.of(told)
            job = _Job(kind, which, lambda study: self._region(study, region, which))
            self._lanes["values"].add(job)
        elif kind == "pick":
            view = VolumeRequest.of(told)
            self._lanes["values"].add(_Job(kind, which, lambda study: self._pick(study, view)))
        else:
            request = _PICTURES[kind].of(told)
            job = _Job(request.pane, which, lambda study: self._picture(study, request))
            self._lanes[kind].add(job)

    async def _probe(self, study: Study, told: dict[str, Any]) -> None:
        place = read.point(told["point"])
        look = LookRequest.of(told).look(study.own_look)
        rows = await asyncio.to_thread(
            lambda: [
                (f"{words}{name}", value)
                for words, each, its_look in study.both(look)
                for name, value in read_out(each, place, its_look)
            ]
        )
        await self._say("probe", rows=rows, point=place)

    async def _region(self, study: Study, region: RegionRequest, which: dict[str, Any]) -> None:
        look = region.look(study.own_look)
        rows = await asyncio.to_thread(
            lambda: [
                (f"{words}{name}", *values)
                for words, each, its_look in study.both(look)
                for name, *values in measure(each, region, its_look)
            ]
        )
        await self._say("region", rows=rows, **which)

    async def _pick(self, study: Study, view: VolumeRequest) -> None:
        await self._say("picked", point=await self._rendering.point(study, view))

    async def _picture(self, study: Study, request: FrameRequest | VolumeRequest) -> None:
        picture = await self._rendering.picture(study, request)
        about = json.dumps({"pane": request.pane, "number": request.number}).encode()
        await self._socket.send_bytes(struct.pack(">I", len(about)) + about + picture)

    def _open(self, number: Any) -> None:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError("a study is a number")
        if self._opening is not None:
            self._opening.cancel()
        self._study = None
        for lane in self._lanes.values():
            lane.clear()
        self._opening = asyncio.create_task(self._bring(number))

    async def _bring(self, number: int) -> None:
        try:
            fusing = self._catalogue.fusing
            while fusing is not None and fusing.study is None:
                step = fusing.progress
                await self._say(
                    "progress",
                    fraction=step.fraction,
                    text=step.message,
                    failure=fusing.failure,
                )
                if fusing.failure:
                    return
                await asyncio.sleep(_POLL)
            study, described = await asyncio.to_thread(self._catalogue.open, number)
            await self._rendering.prepare(study)
            await self._say("study", number=number, **described)
            self._study = study
        except WDualMineError as error:
            await self._say("failed", text=str(error))
        except ConnectionError:
            return
        except Exception:
            _LOG.exception("a study could not be opened")
            await self._say("failed", text=_DEFECT)

    async def _work(self, lane: _Lane) -> None:
        while True:
            job = await lane.next()
            if self._study is None:
                continue
            try:
                await job.do(self._study)
            except WDualMineError as error:
                await self._say("error", text=str(error), **job.which)
            except ConnectionError:
                return
            except Exception:
                _LOG.exception("an answer could not be made")
                await self._say("error", text=_DEFECT, **job.which)

    async def _say(self, kind: str, **what: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"type": kind, **what})


def _which(told: dict[str, Any]) -> dict[str, Any]:
    """What the page calls that which it asked for, so that it knows what is answered."""
    return {key: told[key] for key in ("pane", "number") if isinstance(told.get(key), str | int)}
