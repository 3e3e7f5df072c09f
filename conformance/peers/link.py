"""One connection to a server under test: sends anything, hides nothing, records everything.

`dial` opens a WebSocket, `fetch` makes a plain HTTP exchange. A background task reads, so that what the peer says is
recorded at the time at which it came, also while audio is being sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from conformance.peers.address import Address, DialError, Streams
from conformance.peers.budget import CLOSE, HANDSHAKE, HTTP, RESULT, Budget
from conformance.peers.exchange import exchange, now
from conformance.transcript import (
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

CLIENT, SERVER = Party.CLIENT, Party.SERVER

_NOT_FOR_PLAIN_HTTP = frozenset(
    {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions"}
)
_READ = 1 << 14
_STALL_S = 2.0  # a server that works at the pace of speech takes what is sent slowly, but it takes it
_PONG = 6  # bytes of an empty one
_EVENT = 512  # bytes that an event costs beside its payload: of very small messages a few bytes are a flood, too
_SLOWEST = 16_000  # bytes per second; who reads more slowly cannot follow speech


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
    """An open WebSocket connection. `closed` holds how it ended, once it has, `sent_at` when a frame was last sent."""

    def __init__(
        self, end: ClientEnd, streams: Streams, recorder: Recorder, budget: Budget, response: HttpResponse
    ) -> None:
        self.response = response
        self.recorder = recorder
        self.closed: PeerClosed | Unreadable | None = None
        self.sent_at = self.now()
        self._end = end
        self._reader, self._writer = streams
        self._budget = budget
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._pongs: asyncio.Queue[Pong | None] = asyncio.Queue()  # None at the end of the connection
        self._parts: list[Fragment] = []
        self._closing = False
        self._left = False
        self._sent = 0
        self._read_task = asyncio.ensure_future(self._read())

    now = staticmethod(now)

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
        self.sent_at = self.now()
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
            async with self._budget.limit(seconds):
                while (pong := await self._pongs.get()) is not None:
                    if pong.data == data:
                        self._budget.came(CLOSE)
                        return True
        except TimeoutError:
            self.gave_up("a pong", begun, CLOSE)
        else:
            self._pongs.put_nowait(None)  # the next ping has to find out, too
        return False

    # Receiving.

    async def answer(
        self, what: str, budget: float | None = None, kind: str = RESULT, *, due: float | None = None
    ) -> Answer | None:
        """Return the next message or the end of the connection; None, recorded, when none comes in time.

        `due` is the time since which it should be there: the last part of the wait that is as long as the kind's
        budget, if nothing else is said. In a shorter wait nothing is due.
        """
        usual = self._budget.wait(kind)
        seconds = usual if budget is None else budget
        if not self._answers.empty():
            return self._answers.get_nowait()
        if self.closed is not None or self._left:
            return self.closed
        try:
            async with self._budget.limit(seconds):
                return await self._answers.get()
        except TimeoutError:
            if due is None and seconds < usual:
                self.recorder.add(Expired(self.now(), what, seconds))
            else:
                self.gave_up(what, self.now() - usual if due is None else due, kind)
            return None

    def gave_up(self, what: str, due: float, kind: str = RESULT) -> None:
        """Record that `what`, due since a time, has not come."""
        ended = self.now()
        self.recorder.add(Expired(ended, what, ended - due))
        self._budget.expired(kind, due, ended)

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
        if not self._left:
            await self._await_close()
        self._drop()
        return self.closed

    async def _await_close(self) -> None:
        """Wait for the end of the connection; what is said before that does not make the wait longer."""
        begun, seconds = self.now(), self._budget.wait(CLOSE)
        try:
            async with self._budget.limit(seconds):
                while self.closed is None:
                    await self._answers.get()
        except TimeoutError:
            self.gave_up("the server's close frame", begun, CLOSE)
            return
        self._budget.came(CLOSE)

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

    def _write(self) -> int:
        """Write what there is to write; return how many bytes that is."""
        data, eof = self._end.take()
        with contextlib.suppress(OSError):  # the reader reports how the connection ended
            if data and not self._writer.is_closing():
                self._writer.write(data)
                self._sent += len(data)
            if eof and self._writer.can_write_eof() and not self._writer.is_closing():
                self._writer.write_eof()
        return len(data)

    async def _flush(self) -> None:
        """Write, and wait for a slow reader; a peer that takes nothing for a whole budget, or too little, is left."""
        self._write()
        if not (waiting := self._writer.transport.get_write_buffer_size()):
            return
        begun, longest = self.now(), waiting / _SLOWEST
        while True:
            waiting = self._writer.transport.get_write_buffer_size()
            seconds = max(_STALL_S, self._budget.wait(RESULT))
            try:
                async with self._budget.limit(seconds):
                    await self._writer.drain()
            except TimeoutError:
                if self._writer.transport.get_write_buffer_size() < waiting and self.now() - begun < longest:
                    continue
                self.gave_up("the server to read what is sent", self.now() - seconds)
                self._drop()
                self._settle(PeerClosed(self.now(), ABNORMAL, ""))
            except OSError:  # behind TimeoutError, which is one
                pass  # the reader reports how the connection ended
            return

    async def _read(self) -> None:
        for event in self._end.early(self.now()):
            self._take(event)
        how, detail, taken, frames = Ending.EOF, "", 0, 0
        while True:
            try:
                data = await self._reader.read(_READ)
            except OSError as error:
                how, detail, data = Ending.RESET, str(error) or type(error).__name__, b""
            self._budget.heard(self.now())
            events = self._end.receive(data, self.now())
            taken, frames = taken + len(data), frames + len(events)
            for event in events:
                self._take(event)
            # Without waiting: who does not read while writing can be the cause of what it waits for. What is written
            # here are pongs.
            frames += self._write() // _PONG
            if taken + frames * _EVENT > self._budget.room(self._sent):
                self._flooded(f"the server sent {taken} bytes and went on")
                return
            if not data:
                break
        if self._left:
            return  # the end that is read now is our own doing
        self.recorder.add(Ended(self.now(), SERVER, how, detail))
        if self.closed is None:
            self._settle(PeerClosed(self.now(), ABNORMAL, ""))

    def _flooded(self, reason: str) -> None:
        """Leave a server that goes on and on; what it says behind the end of the session is no matter."""
        self._budget.flooded()
        if self.closed is None:
            self._take(Unreadable(self.now(), ABNORMAL, reason))
        self._drop()

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
            self._pongs.put_nowait(None)


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
    end, streams, response = await exchange(
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
    _, streams, response = await exchange(
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
