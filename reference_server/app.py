"""The reference server: one listener for sessions of every dialect, `/languages`, tokens and health.

`Server.handle` serves one byte stream, whether that is TCP, TLS or a pipe in memory. Time is the event loop's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from protocol.translator.handshake import LANGUAGES_PATH, TOKEN_PATH
from protocol.translator.rejection import Rejected, Rejection
from protocol.websocket import ServerEnd
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.auth import BODY_LIMIT, Authority, token_response
from reference_server.connection import Connection
from reference_server.control import CONTROL_BODY_LIMIT, Control
from reference_server.dialects import Dialect, Opening, dialects
from reference_server.engines.base import Engine
from reference_server.http_front import HttpFront
from reference_server.journal import Journal
from reference_server.languages import languages_response
from reference_server.policy import Settings
from reference_server.responses import CORS, JSON, method_not_allowed, preflight, refuse
from reference_server.tap import Tap

HEALTH_PATH = "/speechwire/health"

_logger = logging.getLogger("speechwire.server")
_logger.addHandler(logging.NullHandler())
_SESSION_METHODS = ("GET", "HEAD", "OPTIONS")
_HEALTH_METHODS = ("GET", "HEAD", "OPTIONS")
_REFUSED_AT_ONCE = 100  # connections beyond the bound that still get an answer

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Listener:
    """An open port."""

    host: str
    port: int
    _server: asyncio.Server

    async def close(self) -> None:
        """Take no more connections; those that are open go on."""
        self._server.close()


@dataclass(frozen=True, slots=True)
class _Upgrade:
    """An upgrade request that is accepted."""

    end: ServerEnd
    response: HttpResponse
    dialect: Dialect
    opening: Opening


class Server:
    """The reference server.

    Args:
        settings: Keys, limits, policies.
        engine: What hears, translates and speaks.
        tap: Makes what stands between the wire and the sessions, for each connection anew.
        wall_clock: Seconds since 1970, for tokens and the header Date.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        tap: Callable[[], Tap] = Tap,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.journal = Journal(settings.limits.journal_sessions, settings.limits.journal_messages)
        self._tap = tap
        self._wall_clock = wall_clock
        self._authority = Authority(settings.keys, settings.secret, settings.token_lifetime_s, wall_clock)
        self._dialects = dialects(settings, self._authority, engine)
        self._control = Control(engine, self.journal) if settings.control else None
        self._listeners: list[Listener] = []
        self._open: dict[asyncio.Task[None], Connection | HttpFront] = {}
        self._leaving = False

    # Life.

    async def start(self) -> None:
        """Make the engine ready; before the first connection."""
        await self.engine.start()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Listener:
        """Open a port, 0 for any free one. Raises OSError when it cannot be opened."""
        times = self.settings.limits
        server = await asyncio.start_server(
            self.handle,
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=times.header_s if tls else None,
            ssl_shutdown_timeout=times.close_s if tls else None,
        )
        bound_host, bound_port = server.sockets[0].getsockname()[:2]
        listener = Listener(bound_host, bound_port, server)
        self._listeners.append(listener)
        return listener

    async def shutdown(self) -> None:
        """Go away: no new connections, results in flight first, then 1001; within the time of the limits."""
        self._leaving = True
        for listener in self._listeners:
            await listener.close()
        for task, served in list(self._open.items()):
            if isinstance(served, Connection):
                served.shutdown()
            elif served.idle:
                task.cancel()
        if self._open:
            _, late = await asyncio.wait(list(self._open), timeout=self.settings.limits.shutdown_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=self.settings.limits.close_s)
        await self.engine.stop()

    # One connection.

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one byte stream to its end. Raises nothing for what a peer does."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        tap = self._tap()
        front = HttpFront(reader, writer, self.settings.limits, self._wall_clock)
        try:
            if len(self._open) >= self.settings.limits.connections or self._leaving:
                await self._turn_away(front, tap)
                return
            self._open[task] = front
            await self._serve(front, (reader, writer), tap, task)
        except asyncio.CancelledError:
            if not self._leaving:
                raise
        except Exception:  # a defect of ours must not end the listener, nor show to the peer
            _logger.exception("a connection failed")
        finally:
            self._open.pop(task, None)
            tap.finished(_now())
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        """Close what is still open, and cut it off when the last bytes do not get away."""
        writer.close()
        try:
            async with asyncio.timeout(self.settings.limits.close_s):
                await writer.wait_closed()
        except (OSError, TimeoutError):
            writer.transport.abort()

    async def _turn_away(self, front: HttpFront, tap: Tap) -> None:
        if len(self._open) < self.settings.limits.connections + _REFUSED_AT_ONCE:
            retry = (("Retry-After", str(self.settings.limits.retry_after_s)), ("Connection", "close"))
            rejection = Rejection(503, "ServiceUnavailable", "connections: expected fewer at the same time; try later")
            await front.respond(tap.response(front.complete(refuse(rejection, retry)), _now()))

    async def _serve(self, front: HttpFront, streams: Streams, tap: Tap, task: asyncio.Task[None]) -> None:
        """Answer requests until the connection ends or becomes a WebSocket."""
        peer = streams[1].get_extra_info("peername")
        while (request := await front.request(self._body_limit)) is not None:
            if isinstance(request, HttpResponse):
                await front.respond(tap.response(front.complete(request), _now()))
                return
            tap.request(request, _now())
            answer = self._answer(request, peer)
            upgrade = answer if isinstance(answer, _Upgrade) else None
            plain = answer.response if isinstance(answer, _Upgrade) else answer
            response = tap.response(front.complete(plain), _now())
            if upgrade is None or response.status != 101:
                if not await front.respond(response) or self._leaving:
                    return
                continue
            streams[1].write(upgrade.end.accepted(response))
            request_id = header(response.headers, "X-RequestId") or ""
            record = self.journal.open(upgrade.dialect.name, request, request_id, _now())
            limits = self.settings.limits
            connection = Connection(upgrade.end, streams, upgrade.opening, self.engine, limits, tap, record)
            self._open[task] = connection
            await connection.run(front.early())
            return

    # Routing.

    def _body_limit(self, request: HttpRequest) -> int:
        path = request.path.lower()
        if self._control is not None and path in self._control.paths:
            return CONTROL_BODY_LIMIT
        return BODY_LIMIT

    def _answer(self, request: HttpRequest, peer: object) -> HttpResponse | _Upgrade:
        path = request.path.lower()
        if path in self._dialects:
            return self._admit(request, self._dialects[path])
        if path == LANGUAGES_PATH.lower():
            return languages_response(request, self.engine.catalogue)
        if path == TOKEN_PATH.lower():
            return token_response(request, self._authority)
        if path == HEALTH_PATH:
            return self._health(request)
        if self._control is not None and path in self._control.paths:
            return self._control.response(request, peer)
        known = [*self._dialects, LANGUAGES_PATH, TOKEN_PATH, HEALTH_PATH]
        return refuse(Rejection(404, "NotFound", f"path: expected one of {', '.join(known)}"))

    def _admit(self, request: HttpRequest, dialect: Dialect) -> HttpResponse | _Upgrade:
        """Check method, upgrade, credentials, parameters, in this order."""
        if request.method == "OPTIONS":
            return preflight(request, _SESSION_METHODS)
        if request.method not in _SESSION_METHODS:
            return method_not_allowed(request.method, _SESSION_METHODS)
        end = ServerEnd(self.settings.limits.frame_bytes)
        response = end.accept(_handshake(request))
        if response.status != 101:
            return _no_upgrade(request)
        try:
            return _Upgrade(end, response, dialect, dialect.admit(request))
        except Rejected as rejected:
            return refuse(rejected.rejection)

    def _health(self, request: HttpRequest) -> HttpResponse:
        if request.method == "OPTIONS":
            return preflight(request, _HEALTH_METHODS)
        if request.method not in _HEALTH_METHODS:
            return method_not_allowed(request.method, _HEALTH_METHODS)
        sessions = sum(isinstance(served, Connection) for served in self._open.values())
        body = {"status": "ok", "engine": self.engine.name, "sessions": sessions}
        return HttpResponse(200, (*JSON, *CORS, ("Cache-Control", "no-store")), json.dumps(body).encode())


def _handshake(request: HttpRequest) -> HttpRequest:
    """Return what concerns the opening handshake alone: whoever reads it next sees no credentials, and no long line."""
    names = {"host", "connection", "upgrade", "origin"}
    kept = (
        (name, value)
        for name, value in request.headers
        if name.lower() in names or name.lower().startswith("sec-websocket-")
    )
    return HttpRequest(request.method, request.path, tuple(kept))


def _no_upgrade(request: HttpRequest) -> HttpResponse:
    """Return the refusal of a request that opens no WebSocket (requirement translator.handshake.upgrade-required)."""
    wanted = {"connection": "upgrade", "upgrade": "websocket"}
    asks = all(word in (header(request.headers, name) or "").lower() for name, word in wanted.items())
    version = header(request.headers, "Sec-WebSocket-Version")
    if asks and request.method == "GET" and version == "13":
        message = "header 'Sec-WebSocket-Key': expected the base64 form of 16 bytes, and every handshake header once"
        return refuse(Rejection(400, "BadHandshake", message))
    headers = (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"))
    message = "upgrade: expected a WebSocket handshake, version 13, by GET"
    return refuse(Rejection(426, "UpgradeRequired", message), headers)


def _now() -> float:
    return asyncio.get_running_loop().time()
