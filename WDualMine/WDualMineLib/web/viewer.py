"""One viewer: what its web socket says, and what it is answered. Nothing outlives the socket."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from typing import Any

from aiohttp import WSMsgType, web

from ..errors import InputError, WDualMineError
from .catalogue import Catalogue
from .frame_request import FrameRequest, point
from .readout import read_out
from .rendering_thread import RenderingThread
from .study import Study

_LOG = logging.getLogger(__name__)
_DEFECT = "This failed by a defect of WDualMine. The server printed which."

IDLE, BAD = 4001, 4002
"""Codes with which a socket is closed: nothing was asked for long, or nothing sensible."""

_MOST_PANES = 8
_POLL = 0.25  # s, between two words on the progress


class Viewer:
    """Answers one socket until it closes."""

    def __init__(
        self, socket: web.WebSocketResponse, catalogue: Catalogue, rendering: RenderingThread
    ) -> None:
        self._socket, self._catalogue, self._rendering = socket, catalogue, rendering
        self._study: Study | None = None
        self._wanted: dict[str, FrameRequest] = {}
        self._woken = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None

    async def serve(self, idle_seconds: float) -> None:
        """Until the viewer goes, or asks for nothing during ``idle_seconds``."""
        drawing = asyncio.create_task(self._draw())
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
            for task in (drawing, self._opening):
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
            if kind == "frame" and self._study is not None:
                request = FrameRequest.of(told)
                if request.pane in self._wanted or len(self._wanted) < _MOST_PANES:
                    # Only the newest of each pane: who scrolls fast does not want what is past.
                    self._wanted[request.pane] = request
                    self._woken.set()
            elif kind == "probe" and self._study is not None:
                await self._probe(self._study, told)
            elif kind == "open":
                self._open(told.get("study", 0))
            elif kind in ("start", "cancel") and self._catalogue.fusing is not None:
                getattr(self._catalogue.fusing, kind)()
                if kind == "start":
                    self._open(0)
            else:
                return kind in ("frame", "probe", "start", "cancel")  # late, of a study before
        except InputError as error:
            await self._say("error", text=str(error), **_which(told))
        except (KeyError, TypeError, ValueError, OverflowError):
            return False
        return True

    async def _probe(self, study: Study, told: dict[str, Any]) -> None:
        place = point(told["point"])
        like = FrameRequest.of({**_ANY, **{k: told.get(k) for k in ("strength", "floor")}})
        look = like.look(study.own_look)
        rows = await asyncio.to_thread(read_out, study, place, look)
        await self._say("probe", rows=rows, point=place)

    def _open(self, number: Any) -> None:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError("a study is a number")
        if self._opening is not None:
            self._opening.cancel()
        self._study = None
        self._wanted.clear()
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

    async def _draw(self) -> None:
        while True:
            await self._woken.wait()
            if not self._wanted:
                self._woken.clear()
                continue
            request = self._wanted.pop(next(iter(self._wanted)))
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
    """The picture that a message asks for, so that the page does not wait for it."""
    return {key: told[key] for key in ("pane", "number") if isinstance(told.get(key), str | int)}


_ANY = {"pane": "", "number": 0, "plane": "axial", "base": "", "size": [16, 16],
        "centre": [0, 0, 0], "field": 1}  # fmt: skip
"""A request of which only the look is asked for."""
