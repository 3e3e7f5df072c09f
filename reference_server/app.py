"""The reference server: one listener for sessions of every dialect, `/languages`, tokens and health.

`Server.handle` serves one byte stream, whether that is TCP, TLS or a pipe in memory. Time is the event loop's.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from protocol.rejection import Rejection
from protocol.wire import HttpRequest, HttpResponse, header
from reference_server.connection import Connection
from reference_server.engines.base import Engine
from reference_server.http_front import HttpFront
from reference_server.journal import Journal
from reference_server.policy import Settings
from reference_server.responses import refuse
from reference_server.routing import Router, Upgrade
from reference_server.tap import Tap

_logger = logging.getLogger("speechwire.server")
_logger.addHandler(logging.NullHandler())
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
        self._router = Router(settings, engine, self.journal, wall_clock, lambda: self.sessions)
        self._listeners: list[Listener] = []
        self._open: dict[asyncio.Task[None], Connection | HttpFront] = {}
        self._accepted: set[asyncio.Task[None]] = set()
        self._refusing = 0
        self._leaving = False

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return sum(isinstance(served, Connection) for served in self._open.values())

    # Life.

    async def start(self) -> None:
        """Make the engine ready; before the first connection."""
        await self.engine.start()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Listener:
        """Open a port, 0 for any free one. Raises OSError when it cannot be opened."""
        times = self.settings.limits
        server = await asyncio.start_server(
            self._accept,
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
        served_by = self._accepted | self._open.keys()
        if served_by:
            _, late = await asyncio.wait(served_by, timeout=self.settings.limits.shutdown_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=self.settings.limits.close_s)
        await self.engine.stop()

    # One connection.

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self.handle(reader, writer))
        self._accepted.add(task)
        task.add_done_callback(self._accepted.discard)

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
            tap.finished(_now())
            await self._close(writer)
            self._open.pop(task, None)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        """Close what is still open, and cut it off when the last bytes do not get away."""
        writer.close()
        try:
            async with asyncio.timeout(self.settings.limits.close_s):
                await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()

    async def _turn_away(self, front: HttpFront, tap: Tap) -> None:
        """Answer 503, or nothing when many are being answered so already."""
        if self._refusing >= _REFUSED_AT_ONCE:
            return
        self._refusing += 1
        try:
            seconds = self.settings.limits.retry_after_s
            message = f"the server is full; try again in {seconds} s"
            response = refuse(Rejection(503, "ServiceUnavailable", message, retry_after_s=seconds))
            await front.respond(tap.response(front.complete(response), _now()))
        finally:
            self._refusing -= 1

    async def _serve(self, front: HttpFront, streams: Streams, tap: Tap, task: asyncio.Task[None]) -> None:
        """Answer requests until the connection ends or becomes a WebSocket."""
        peer = streams[1].get_extra_info("peername")
        while (request := await front.request(self._router.body_limit)) is not None:
            if isinstance(request, HttpResponse):
                await front.respond(tap.response(front.complete(request), _now()))
                return
            request = tap.request(request, _now())
            answer = self._router.answer(request, peer)
            upgrade = answer if isinstance(answer, Upgrade) else None
            plain = answer.response if isinstance(answer, Upgrade) else answer
            response = tap.response(front.complete(plain), _now())
            if upgrade is not None and response.status == 101:
                streams[1].write(upgrade.end.accepted(response))
                self._open[task] = connection = self._connection(request, upgrade, response, streams, tap)
                await connection.run(front.early())
                return
            if not await front.respond(response) or self._leaving:
                return

    def _connection(
        self, request: HttpRequest, upgrade: Upgrade, response: HttpResponse, streams: Streams, tap: Tap
    ) -> Connection:
        request_id = header(response.headers, "X-RequestId") or ""
        record = self.journal.open(upgrade.dialect.name, request, request_id, _now())
        return Connection(upgrade.end, streams, upgrade.opening, self.engine, self.settings.limits, tap, record)


def _now() -> float:
    return asyncio.get_running_loop().time()
