"""The server: the files of the page, a table, a web socket, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from ..errors import InputError, OutputError, WDualMineError
from ..resources import resource_path
from .catalogue import Catalogue
from .guard import COOKIE_SECONDS, HEADERS, LOOPBACK, Guard
from .rendering_thread import RenderingThread
from .viewer import Viewer

_LOG = logging.getLogger(__name__)
_SCRIPTS = (
    "connection",
    "elements",
    "haste",
    "layouts",
    "legends",
    "link",
    "panes",
    "picture_pane",
    "region",
    "screenshot",
    "studies",
    "volume_pane",
    "windows",
    "workbench",
)
_FILES = {
    "": ("index.html", "text/html"),
    "style.css": ("style.css", "text/css"),
    **{f"{name}.js": (f"{name}.js", "text/javascript") for name in _SCRIPTS},
}
_LONGEST_MESSAGE = 1 << 14
_CLOSING = 2.0  # s, that a viewer has to answer that it is let go
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Address:
    """Where and how to listen.

    Attributes:
        host: name or number of an interface.
        port: 0 takes a free one.
        certificate, key: PEM files for TLS; None for none.
        idle_seconds: after which a viewer that asks for nothing is let go.
        most_viewers: at a time.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    idle_seconds: float = 900.0
    most_viewers: int = 16

    @property
    def is_loopback(self) -> bool:
        return self.host in (*LOOPBACK, "::1")


class Server:
    """Serves ``catalogue`` to whoever holds the address."""

    def __init__(self, catalogue: Catalogue, address: Address) -> None:
        hosts = LOOPBACK if address.is_loopback else ()
        self.guard = Guard(hosts, address.certificate is not None)
        self._catalogue, self._address = catalogue, address
        self._rendering = RenderingThread()
        self._sockets: set[web.WebSocketResponse] = set()
        self._port = 0
        self._files = {
            name: (resource_path(f"Web/{file}").read_bytes(), kind)
            for name, (file, kind) in _FILES.items()
        }

    @property
    def url(self) -> str:
        """The address with the token; once the server listens."""
        scheme = "https" if self.guard.encrypted else "http"
        host = self._address.host
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self._port}/?token={self.guard.token}"

    @property
    def viewers(self) -> int:
        """How many there are now."""
        return len(self._sockets)

    async def run(self, listening: Callable[[str], None]) -> None:
        """Until it is cancelled.

        Args:
            listening: called with :attr:`url`.

        Raises:
            OutputError: the port cannot be had.
            InputError: the certificate or its key cannot be read.
        """
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            tls = _tls(self._address)
            site = web.TCPSite(runner, self._address.host, self._address.port, ssl_context=tls)
            try:
                await site.start()
            except OSError as error:
                raise OutputError(
                    f"Port {self._address.port} of {self._address.host} cannot be had "
                    f"({error.strerror})",
                    "Choose another with --port, or leave it out for a free one",
                ) from error
            self._port = runner.addresses[0][1]
            listening(self.url)
            await self._warm()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _warm(self) -> None:
        """Read the only study before somebody waits for it."""
        try:
            if self._catalogue.fusing is None and not self._catalogue.rows():
                study, _ = await asyncio.to_thread(self._catalogue.open, 0)
                await self._rendering.prepare(study)
        except Exception:  # who asks for it is told
            _LOG.debug("the study could not be read ahead", exc_info=True)

    def application(self) -> web.Application:
        """What answers; its own, for tests."""
        application = web.Application(middlewares=[self._guarded], client_max_size=1 << 10)
        for name in self._files:
            application.router.add_get(f"/{name}", self._file)
        application.router.add_get("/studies", self._studies)
        application.router.add_get("/socket", self._socket)
        application.cleanup_ctx.append(self._lifetime)
        return application

    async def _lifetime(self, _application: web.Application) -> AsyncIterator[None]:
        yield
        for socket in list(self._sockets):
            await socket.close(code=1001)
        await self._rendering.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            answer = await self._let_in(request, handler)
        except web.HTTPException as error:
            answer = web.Response(status=error.status, text=f"{error.status}\n")
        except WDualMineError as error:
            answer = web.json_response({"failure": str(error)}, status=409)
        except Exception:
            _LOG.exception("a defect while answering %s", request.path)
            answer = web.Response(status=500, text="500\n")
        if not answer.prepared:
            self._mark(answer)
        return answer

    async def _let_in(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self.guard.is_host(request.headers.get("Host", "")):
            return web.Response(status=421, text="This is not the name of this server.\n")
        token = request.query.get("token")
        if token is not None and request.path == "/" and request.method == "GET":
            if not self.guard.is_token(token):
                return _refused()
            # The token leaves the address at once, so that it is in no history and no screenshot.
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(
                self._cookie_name(request),
                self.guard.new_cookie(),
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="Strict",
                secure=self.guard.encrypted,
                path="/",
            )
            return answer
        if not self.guard.is_cookie(request.cookies.get(self._cookie_name(request), "")):
            return _refused()
        return await handler(request)

    def _mark(self, answer: web.StreamResponse) -> None:
        answer.headers.update(HEADERS)
        if self.guard.encrypted:
            answer.headers["Strict-Transport-Security"] = "max-age=31536000"

    def _cookie_name(self, request: web.Request) -> str:
        # Browsers send cookies to every port of a host.
        return f"wdualmine-{request.url.port or 0}"

    async def _file(self, request: web.Request) -> web.StreamResponse:
        body, kind = self._files[request.path.removeprefix("/")]
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def _studies(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(await asyncio.to_thread(self._catalogue.rows))

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        origin, host = request.headers.get("Origin", ""), request.headers.get("Host", "")
        if not self.guard.is_origin(origin, host):
            raise web.HTTPForbidden()
        if len(self._sockets) >= self._address.most_viewers:
            raise web.HTTPServiceUnavailable()
        socket = web.WebSocketResponse(
            max_msg_size=_LONGEST_MESSAGE, heartbeat=30, compress=False, timeout=_CLOSING
        )
        self._mark(socket)
        self._sockets.add(socket)
        try:
            await socket.prepare(request)
            viewer = Viewer(socket, self._catalogue, self._rendering)
            await viewer.serve(self._address.idle_seconds)
        finally:
            self._sockets.discard(socket)
        return socket


def _refused() -> web.Response:
    text = "Open the address that `wdualmine serve` printed.\n"
    return web.Response(status=403, text=text)


def _tls(address: Address) -> ssl.SSLContext | None:
    if address.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password: a question for one would wait for ever where nobody reads it.
        context.load_cert_chain(address.certificate, address.key, password="")
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{address.certificate} and its key cannot be used for TLS ({error})",
            "Give a certificate and an unencrypted key as PEM files",
        ) from error
    return context
