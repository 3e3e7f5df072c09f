"""One connection to a server under test: sends anything, hides nothing, records everything.

`dial` opens a WebSocket, `fetch` makes a plain HTTP exchange. A background task reads, so that what the peer says is
recorded at the time at which it came, also while audio is being sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.peers.budget import CLOSE, HANDSHAKE, HTTP, RESULT, Budget
from conformance.transcript import (
    Answered,
    Asked,
    Barrier,
    CloseFrame,
    Ended,
    Ending,
    Expired,
    Frame,
    Recorder,
)
from protocol.websocket import ABNORMAL, ClientEnd, Event, Pong, Unreadable
from protocol.wire import Close, Fragment, Headers, HttpRequest, HttpResponse, Kind, Party, PeerClosed

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]
CLIENT, SERVER = Party.CLIENT, Party.SERVER

_NOT_FOR_PLAIN_HTTP = frozenset(
    {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"}
)
_READ = 1 << 16
_STALL_S = 2.0  # a server that works at the pace of speech takes what is sent slowly, but it takes it
_FLOOD = 256 << 20  # bytes from one peer on one connection; more is not an answer to anything we send


class DialError(Exception):
    """There is no connection. `layer` is `name`, `tcp`, `tls` or `http`; `reason` is one sentence.

    `hangs` tells a peer that took the connection and then kept silent from one that could not be reached.
    """

    def __init__(self, layer: str, reason: str, *, hangs: bool = False) -> None:
        super().__init__(reason)
        self.layer = layer
        self.reason = reason
        self.hangs = hangs


@dataclass(frozen=True, slots=True)
class Address:
    """Where the peer is, and how to open a byte stream to it."""

    host: str
    port: int
    secure: bool
    connect: Connect

    @classmethod
    def tcp(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Address:
        """Return the address of a server behind TCP, with TLS if a context is given."""

        async def connect() -> Streams:
            return await asyncio.open_connection(host, port, ssl=tls, limit=_READ)

        return cls(host, port, tls is not None, connect)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole message from the peer, with the times of its first and its last frame."""

    started: float
    ended: float
    kind: Kind
    data: bytes
    frames: int


Answer = Received | PeerClosed | Unreadable


class Link:
    """An open WebSocket connection. `closed` holds how it ended, once it has."""

    def __init__(
        self, end: ClientEnd, streams: Streams, recorder: Recorder, budget: Budget, response: HttpResponse
    ) -> None:
        self.response = response
        self.recorder = recorder
        self.closed: PeerClosed | Unreadable | None = None
        self._end = end
        self._reader, self._writer = streams
        self._budget = budget
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._pongs: asyncio.Queue[Pong] = asyncio.Queue()
        self._parts: list[Fragment] = []
        self._closing = False
        self._left = False
        self._read_task = asyncio.ensure_future(self._read())

    @staticmethod
    def now() -> float:
        """Return the loop's time, the clock of every transcript."""
        return asyncio.get_running_loop().time()

    # Sending.

    async def frame(
        self,
        kind: Kind,
        data: bytes,
        *,
        first: bool = True,
        final: bool = True,
        deliberate: str | None = None,
    ) -> None:
        """Send one frame; nothing once the connection is closing."""
        if not self._end.open:
            return
        self._end.send_fragment(kind, data, first=first, final=final)
        self.recorder.add(Frame(self.now(), CLIENT, kind, data, first, final, deliberate))
        await self._flush()

    async def binary(self, data: bytes, *, deliberate: str | None = None) -> None:
        """Send a binary message in one frame."""
        await self.frame(Kind.BINARY, data, deliberate=deliberate)

    async def text(self, text: str, *, deliberate: str | None = None) -> None:
        """Send a text message in one frame."""
        await self.frame(Kind.TEXT, text.encode(), deliberate=deliberate)

    async def ping(self, data: bytes) -> bool:
        """Send a ping and tell whether its pong came in time. (A pong orders no results.)"""
        seconds, begun = self._budget.wait(CLOSE), self.now()
        self._end.ping(data)
        await self._flush()
        try:
            async with asyncio.timeout(seconds):
                while (await self._pongs.get()).data != data:
                    pass
                return True
        except TimeoutError:
            self.recorder.add(Expired(self.now(), "a pong", seconds))
            self._budget.expired(CLOSE, begun, self.now())
            return False

    # Receiving.

    async def answer(self, what: str, budget: float | None = None, kind: str = RESULT) -> Answer | None:
        """Return the next message or the end of the connection; None, recorded, when none comes in time."""
        seconds = self._budget.wait(kind) if budget is None else budget
        if self._answers.empty() and self.closed is not None:
            return self.closed
        begun = self.now()
        try:
            async with asyncio.timeout(seconds):
                return await self._answers.get()
        except TimeoutError:
            self.recorder.add(Expired(self.now(), what, seconds))
            self._budget.expired(kind, begun, self.now())
            return None

    def barrier(self, what: str) -> None:
        """Record that everything up to here has been said."""
        self.recorder.add(Barrier(self.now(), what))

    # Ending.

    async def close(self, code: int = 1000, reason: str = "", *, deliberate: str | None = None) -> Answer | None:
        """Make the closing handshake and return how the connection ended; None when the peer does not answer."""
        if self._end.open:
            self._end.send(Close(code, reason))
            self.recorder.add(CloseFrame(self.now(), CLIENT, code, reason, deliberate))
            self._closing = True
            await self._flush()
        while self.closed is None:
            if await self.answer("the server's close frame", kind=CLOSE) is None:
                break
        self._drop()
        return self.closed

    async def finish(self) -> None:
        """Leave without caring: close if open, wait no longer than needed, end the reader."""
        if self.closed is None and not self._closing:
            await self.close()
        self._drop()
        self._read_task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._read_task

    def _drop(self) -> None:
        if self.closed is None and not self._left:
            self.recorder.add(Ended(self.now(), CLIENT, Ending.GIVEN_UP, "the observer ended the connection"))
        self._left = True
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.transport.abort()

    # The shell around the sans-I/O end.

    def _write(self) -> None:
        data, eof = self._end.take()
        with contextlib.suppress(OSError):  # the reader reports how the connection ended
            if data:
                self._writer.write(data)
            if eof and self._writer.can_write_eof() and not self._writer.is_closing():
                self._writer.write_eof()

    async def _flush(self) -> None:
        """Write, and wait for a slow reader; a peer that takes nothing for a whole budget is left."""
        self._write()
        while True:
            waiting = self._writer.transport.get_write_buffer_size()
            seconds = max(_STALL_S, self._budget.wait(RESULT))
            begun = self.now()
            try:
                async with asyncio.timeout(seconds):
                    await self._writer.drain()
            except OSError:
                return  # the reader reports how the connection ended
            except TimeoutError:
                if self._writer.transport.get_write_buffer_size() < waiting:
                    continue
                self.recorder.add(Expired(self.now(), "the server to read what is sent", seconds))
                self._budget.expired(RESULT, begun, self.now())
                self._drop()
                self._settle(PeerClosed(self.now(), ABNORMAL, ""))
            return

    async def _read(self) -> None:
        for event in self._end.early(self.now()):
            self._take(event)
        how, detail, taken = Ending.EOF, "", 0
        while True:
            try:
                data = await self._reader.read(_READ)
            except OSError as error:
                how, detail, data = Ending.RESET, str(error) or type(error).__name__, b""
            taken += len(data)
            for event in self._end.receive(data, self.now()):
                self._take(event)
            self._write()  # without waiting: who does not read while writing can be the cause of what it waits for
            if taken > _FLOOD:
                how, detail, data = Ending.GIVEN_UP, f"the server sent more than {_FLOOD} bytes", b""
                self._take(Unreadable(self.now(), ABNORMAL, detail))
            if not data:
                break
        if self._left:
            return  # the end that is read now is our own doing
        self.recorder.add(Ended(self.now(), CLIENT if how is Ending.GIVEN_UP else SERVER, how, detail))
        if self.closed is None:
            self._settle(PeerClosed(self.now(), ABNORMAL, ""))

    def _take(self, event: Event) -> None:
        if isinstance(event, Pong):
            self._pongs.put_nowait(event)
        elif isinstance(event, Fragment):
            self.recorder.add(Frame(event.time, SERVER, event.kind, event.data, event.first, event.final))
            if event.first:
                self._parts = []
            self._parts.append(event)
            if event.final:
                data = b"".join(part.data for part in self._parts)
                started = self._parts[0].time
                self._answers.put_nowait(Received(started, event.time, event.kind, data, len(self._parts)))
                self._parts = []
        elif isinstance(event, PeerClosed):
            if event.code != ABNORMAL:
                self.recorder.add(CloseFrame(event.time, SERVER, event.code, event.reason))
            self._settle(event)
        else:
            self.recorder.add(Ended(event.time, SERVER, Ending.UNREADABLE, event.reason))
            self._settle(event)

    def _settle(self, event: PeerClosed | Unreadable) -> None:
        if self.closed is None:
            self.closed = event
            self._answers.put_nowait(event)


async def dial(
    address: Address,
    target: str,
    headers: Headers,
    recorder: Recorder,
    budget: Budget,
    *,
    leave_out: frozenset[str] = frozenset(),
    deliberate: str | None = None,
) -> Link | HttpResponse:
    """Make the opening handshake; return the link, or the response that refused it.

    Raises:
        DialError: There was no HTTP response, or no connection at all; the recorder holds what was seen.
    """
    end, streams, response = await _exchange(
        address, target, headers, recorder, budget, kind=HANDSHAKE, leave_out=leave_out, deliberate=deliberate
    )
    if end.refused is None:
        return Link(end, streams, recorder, budget, response)
    streams[1].transport.abort()
    if response.status == 101:
        recorder.add(Ended(Link.now(), CLIENT, Ending.UNREADABLE, end.refused))
        raise DialError("http", f"the 101 response is not a WebSocket handshake: {end.refused}")
    return response


async def fetch(
    address: Address,
    request: HttpRequest,
    recorder: Recorder,
    budget: Budget,
    *,
    deliberate: str | None = None,
) -> HttpResponse:
    """Make one plain HTTP exchange on a connection of its own; errors as for `dial`."""
    headers = (*request.headers, ("Content-Length", str(len(request.body)))) if request.body else request.headers
    headers = (*headers, ("Connection", "close"))
    _, streams, response = await _exchange(
        address,
        request.target,
        headers,
        recorder,
        budget,
        kind=HTTP,
        method=request.method,
        body=request.body,
        leave_out=_NOT_FOR_PLAIN_HTTP,
        deliberate=deliberate,
    )
    streams[1].transport.abort()
    return response


async def _exchange(
    address: Address,
    target: str,
    headers: Headers,
    recorder: Recorder,
    budget: Budget,
    *,
    kind: str,
    method: str = "GET",
    body: bytes = b"",
    leave_out: frozenset[str] = frozenset(),
    deliberate: str | None = None,
) -> tuple[ClientEnd, Streams, HttpResponse]:
    """Connect, send a request, wait for its response."""
    seconds = budget.wait(kind)
    begun = Link.now()
    end = ClientEnd(address.host, address.port, secure=address.secure, target=target)
    streams: Streams | None = None
    try:
        async with asyncio.timeout(seconds):
            streams = await _open(address)
            asked = end.request(headers, method=method, leave_out=leave_out)
            recorder.add(Asked(Link.now(), HttpRequest(method, target, asked.headers, body), deliberate))
            streams[1].write(end.take()[0] + body)
            response = await _response(end, streams[0])
    except TimeoutError:
        budget.expired(kind, begun, Link.now())
        recorder.add(Expired(Link.now(), "an HTTP response", seconds))
        _give_up(streams)
        if streams is None:
            raise DialError("tcp", f"no connection to {address.host}:{address.port} within {seconds:.1f} s") from None
        raise DialError("http", f"no HTTP response within {seconds:.1f} s", hangs=True) from None
    except (OSError, ValueError) as error:
        recorder.add(Ended(Link.now(), SERVER, Ending.UNREADABLE, str(error)))
        _give_up(streams)
        raise DialError("http", f"no HTTP response: {str(error) or type(error).__name__}") from error
    recorder.add(Answered(Link.now(), response))
    return end, streams, response


async def _open(address: Address) -> Streams:
    try:
        return await address.connect()
    except ssl.SSLError as error:
        raise DialError("tls", f"no TLS connection: {error.reason or error}") from error
    except OSError as error:
        layer = "name" if type(error).__name__ == "gaierror" else "tcp"
        place = f"{address.host}:{address.port}"
        raise DialError(layer, f"no connection to {place}: {error.strerror or error}") from error


async def _response(end: ClientEnd, reader: asyncio.StreamReader) -> HttpResponse:
    while True:
        data = await reader.read(_READ)
        response = end.handshake(data)
        if response is not None:
            return response
        if not data:
            raise ConnectionError("the server ended the connection")


def _give_up(streams: Streams | None) -> None:
    if streams is not None:
        streams[1].transport.abort()
