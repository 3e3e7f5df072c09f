"""An event loop whose clock jumps when it is idle, and pipes in memory that look like sockets.

Under this loop a wait of 90 minutes takes no time at all, and the same program always takes the same course. Only
what runs in the loop may be waited for: a thread or a real socket would be overtaken by the clock.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
_HIGH_WATER = 1 << 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _JumpingSelector(selectors.SelectSelector):
    """Never blocks, nor looks at files: the time that a wait would have taken is added to the clock instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return nothing; jump by `timeout`."""
        if timeout is None:
            raise RuntimeError("virtual time stands still: every task waits for something outside the loop")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, which starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class _MemoryTransport(asyncio.Transport):
    """One end of a pipe in memory, with the flow control of a socket transport."""

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        super().__init__({"peername": ("127.0.0.1", 0), "sockname": name})
        self._loop = loop
        self._protocol = asyncio.Protocol()  # does nothing, as before the connection and behind its end
        self._other: _MemoryTransport | None = None
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._paused = False
        self._strained = False
        self._closing = False
        self._eof_sent = False

    def attach(self, protocol: asyncio.Protocol, other: _MemoryTransport) -> None:
        """Connect to the protocol of this end and to the other end."""
        self._protocol, self._other = protocol, other
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hand bytes to the other end, later and in order, as a socket would."""
        if not (self._closing or self._eof_sent) and data:
            self._loop.call_soon(self._peer()._arrive, bytes(data))

    def can_write_eof(self) -> bool:
        """Return True: a half-closed pipe still reads."""
        return True

    def write_eof(self) -> None:
        """Half-close."""
        if not self._eof_sent:
            self._eof_sent = True
            self._loop.call_soon(self._peer()._arrive, b"")

    def is_closing(self) -> bool:
        """Tell whether this end was closed."""
        return self._closing

    def close(self) -> None:
        """Close this end; the other reads an end of file."""
        if not self._closing:
            self.write_eof()
            self._closing = True
            self._loop.call_soon(self._lost, None)

    def abort(self) -> None:
        """Reset: the other end loses the connection at once."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._peer()._reset)
            self._loop.call_soon(self._lost, None)

    def pause_reading(self) -> None:
        """Hold bytes back until `resume_reading`."""
        self._paused = True

    def resume_reading(self) -> None:
        """Deliver what was held back, later, as a socket would: a reader resumes before it begins to wait."""
        self._paused = False
        self._loop.call_soon(self._deliver)

    def get_write_buffer_size(self) -> int:
        """Return the bytes that the other end holds back."""
        return self._peer()._held_bytes

    def _peer(self) -> _MemoryTransport:
        assert self._other is not None  # noqa: S101 - both ends are attached before anything runs
        return self._other

    def _arrive(self, data: bytes) -> None:
        if self._closing:
            return
        if self._paused or self._held:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._held_bytes > _HIGH_WATER:
                self._peer()._strain()
        else:
            self._hand_over(data)

    def _deliver(self) -> None:
        while self._held and not self._paused:
            data = self._held.popleft()
            self._held_bytes -= len(data)
            self._hand_over(data)
        if not self._held:
            self._peer()._relax()

    def _hand_over(self, data: bytes) -> None:
        if data:
            self._protocol.data_received(data)
        else:
            self._protocol.eof_received()

    def _strain(self) -> None:
        if not self._strained:
            self._strained = True
            self._protocol.pause_writing()

    def _relax(self) -> None:
        if self._strained:
            self._strained = False
            self._protocol.resume_writing()

    def _reset(self) -> None:
        if not self._closing:
            self._closing = True
            self._lost(ConnectionResetError("the peer reset the connection"))

    def _lost(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, asyncio.Protocol()
        protocol.connection_lost(error)
        self._held.clear()
        self._held_bytes = 0
        self._peer()._relax()  # what it writes from now on is lost, but it does not wait for ever


def pipe() -> tuple[Streams, Streams]:
    """Return the two ends of a new connection in memory."""
    loop = asyncio.get_running_loop()
    transports = _MemoryTransport(loop, "left"), _MemoryTransport(loop, "right")
    ends: list[Streams] = []
    for mine, other in (transports, transports[::-1]):
        reader = asyncio.StreamReader(limit=1 << 16, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        mine.attach(protocol, other)
        ends.append((reader, asyncio.StreamWriter(mine, protocol, reader, loop)))
    return ends[0], ends[1]


class MemoryListener:
    """A server in memory: every `connect` runs `handle` on the other end of a new pipe."""

    def __init__(self, handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._handle = handle
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self) -> Streams:
        """Open a connection and return the client's end."""
        ours, theirs = pipe()
        task = asyncio.ensure_future(self._serve(*theirs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return ours

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handle(reader, writer)
        finally:
            writer.close()

    async def close(self) -> None:
        """End every connection that is still served."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
