"""One viewer: what its web socket says, and what it is answered. Nothing outlives the socket."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
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

Asked = FrameRequest | VolumeRequest

_KINDS: dict[str, type[FrameRequest] | type[VolumeRequest]] = {
    "frame": FrameRequest,
    "volume": VolumeRequest,
}
_OF_A_STUDY = (*_KINDS, "probe", "region", "pick")
_MOST_PANES = 8
_POLL = 0.25  # s, between two words on the progress


class _Wanted:
    """The newest request of each pane: who scrolls fast does not want what is past."""

    def __init__(self) -> None:
        self._of_pane: dict[str, Asked] = {}
        self._woken = asyncio.Event()

    def add(self, request: Asked) -> None:
        if request.pane in self._of_pane or len(self._of_pane) < _MOST_PANES:
            self._of_pane[request.pane] = request
            self._woken.set()

    def clear(self) -> None:
        self._of_pane.clear()

    async def next(self) -> Asked:
        """The one that waits longest, once there is one."""
        while not self._of_pane:
            self._woken.clear()
            await self._woken.wait()
        return self._of_pane.pop(next(iter(self._of_pane)))


class Viewer:
    """Answers one socket until it closes."""

    def __init__(
        self, socket: web.WebSocketResponse, catalogue: Catalogue, rendering: RenderingThread
    ) -> None:
        self._socket, self._catalogue, self._rendering = socket, catalogue, rendering
        self._study: Study | None = None
        self._wanted = {kind: _Wanted() for kind in _KINDS}  # slices do not wait for volumes
        self._opening: asyncio.Task[None] | None = None

    async def serve(self, idle_seconds: float) -> None:
        """Until the viewer goes, or asks for nothing during ``idle_seconds``."""
        drawing = [asyncio.create_task(self._draw(wanted)) for wanted in self._wanted.values()]
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
            for task in (*drawing, self._opening):
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
        if kind == "probe":
            await self._probe(study, told)
        elif kind == "region":
            await self._region(study, told)
        elif kind == "pick":
            request = VolumeRequest.of(told)
            await self._say("picked", point=await self._rendering.point(study, request))
        else:
            self._wanted[kind].add(_KINDS[kind].of(told))

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

    async def _region(self, study: Study, told: dict[str, Any]) -> None:
        region = RegionRequest.of(told)
        look = region.look(study.own_look)
        rows = await asyncio.to_thread(
            lambda: [
                (f"{words}{name}", *values)
                for words, each, its_look in study.both(look)
                for name, *values in measure(each, region, its_look)
            ]
        )
        await self._say("region", rows=rows, **_which(told))

    def _open(self, number: Any) -> None:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError("a study is a number")
        if self._opening is not None:
            self._opening.cancel()
        self._study = None
        for wanted in self._wanted.values():
            wanted.clear()
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

    async def _draw(self, wanted: _Wanted) -> None:
        while True:
            request = await wanted.next()
            study, which = self._study, {"pane": request.pane, "number": request.number}
            if study is None:
                continue
            try:
                picture = await self._rendering.picture(study, request)
                about = json.dumps(which).encode()
                await self._socket.send_bytes(struct.pack(">I", len(about)) + about + picture)
            except WDualMineError as error:
                await self._say("error", text=str(error), **which)
            except ConnectionError:
                return
            except Exception:
                _LOG.exception("a picture could not be made")
                await self._say("error", text=_DEFECT, **which)

    async def _say(self, kind: str, **what: Any) -> None:
        if not self._socket.closed:
            await self._socket.send_json({"type": kind, **what})


def _which(told: dict[str, Any]) -> dict[str, Any]:
    """What the page calls that which it asked for, so that it knows what is answered."""
    return {key: told[key] for key in ("pane", "number") if isinstance(told.get(key), str | int)}
