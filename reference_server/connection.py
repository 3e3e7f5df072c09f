"""One WebSocket connection: bytes to session to bytes, with every wait bounded.

A reader task hands what comes to the session; the session's orders go to the pipeline, its messages to the socket.
Nothing here waits while it dispatches, so that messages leave in the order in which the session gave them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from protocol.events import Audio, AudioEnded, AudioStarted, Fault, FromPipeline
from protocol.websocket import ABNORMAL, Event, Pong, ServerEnd, Unreadable
from protocol.wire import Abort, Close, Fragment, Message, PeerClosed, Tick
from reference_server.engines.base import ABRUPT, Engine
from reference_server.journal import Record
from reference_server.opening import Opening, Output
from reference_server.pipeline import Pipeline
from reference_server.policy import Limits
from reference_server.tap import Tap

_logger = logging.getLogger("speechwire.server")
_READ_BYTES = 1 << 16
_PIECE_BYTES = 4096  # of tiny frames this takes a few ms; then others get their turn
_LATE_S = 0.05  # by which a deadline may be missed before the loop counts as held up
_STOPPING = 4  # pipelines that may be on their way out before nothing more is read


class Connection:
    """A session on its connection, from behind the handshake to the end of the byte stream.

    Each `AudioStarted` of the session begins a pipeline and drops the one before it, of which nothing more is heard;
    before the first one, orders for a pipeline have nobody to go to.

    Args:
        end: The accepting end, its handshake made.
        streams: The connection's bytes.
        opening: What the handshake agreed on.
        engine: What hears and speaks.
        limits: Times and sizes.
        tap: What stands between wire and session.
        record: Where the session is noted down.
    """

    def __init__(
        self,
        end: ServerEnd,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        opening: Opening,
        engine: Engine,
        limits: Limits,
        tap: Tap,
        record: Record,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = end
        self._reader, self._writer = streams
        self._limits = limits
        self._tap = tap
        self._record = record
        self._session = opening.session(self._loop.time())
        self._opening = opening
        self._engine = engine
        self._pipeline: Pipeline | None = None
        self._stopping: list[Pipeline] = []
        self._deadline: asyncio.TimerHandle | None = None
        self._late = False
        self._guard: asyncio.TimerHandle | None = None
        self._allowance = float(limits.overhead_bytes)
        self._allowed_at = self._loop.time()

    async def run(self, early: bytes) -> None:
        """Serve until the byte stream ends; `early` is what came in one piece with the handshake."""
        self._schedule()
        try:
            await self._read(early)
        except Exception:  # a defect of ours must end this session alone
            _logger.exception("a session failed")
            self._give_up(self._opening.failed)
        finally:
            for timer in (self._deadline, self._guard):
                if timer is not None:
                    timer.cancel()
            self._replace(None)
            await asyncio.gather(*(pipeline.stop() for pipeline in self._stopping))
            self._record.ended(self._loop.time())

    def shutdown(self) -> None:
        """End the session because the server goes away."""
        self._dispatch(self._session.shutdown(self._loop.time()))

    # Bytes in.

    async def _read(self, data: bytes) -> None:
        while True:
            for at in range(0, len(data), _PIECE_BYTES):
                self._receive(data[at : at + _PIECE_BYTES])
                await self._drain()
                await asyncio.sleep(0)
            await self._room()
            try:
                data = await self._reader.read(_READ_BYTES)
            except OSError:
                data = b""
            if not data:
                self._receive(b"")
                return

    async def _room(self) -> None:
        """Wait while there is too much to do already."""
        if self._pipeline is not None:
            await self._pipeline.room()
        while len(self._stopping) > _STOPPING:
            await self._stopping[0].stop()
            self._forget_idle()

    def _receive(self, data: bytes) -> None:
        carried = 0
        for event in self._end.receive(data, self._loop.time()):
            carried += len(event.data) if isinstance(event, Fragment) else 0
            self._take(event)
        self._flush()
        self._ration(len(data) - carried)

    def _take(self, event: Event) -> None:
        if isinstance(event, Pong):
            return
        if isinstance(event, Unreadable):
            # The end has answered with its own close frame; for the session this is the end of its peer.
            self._record.sent(Close(event.code, event.reason), event.time)
            event = PeerClosed(event.time, ABNORMAL, event.reason)
        self._record.received(event)
        for passed in self._tap.inbound(event, event.time):
            self._dispatch([passed] if isinstance(passed, Abort) else self._session.receive(passed))

    def _ration(self, overhead: int) -> None:
        """Close on a peer that keeps the server busy with what is no audio: pings, empty frames, single bytes."""
        now = self._loop.time()
        grown = self._allowance + (now - self._allowed_at) * self._limits.overhead_bytes_per_s
        # What waits in the reframer is counted as overhead first and given back with its frame.
        self._allowance = min(grown, self._limits.overhead_bytes) - overhead
        self._allowed_at = now
        if self._allowance < 0 and self._end.open:
            self._give_up(self._opening.flooded)

    # Session and pipeline.

    async def _deliver(self, result: FromPipeline) -> None:
        if isinstance(result, Fault) and result.code == ABRUPT:
            self._dispatch([AudioEnded(flush=False), Abort()])
            return
        self._dispatch(self._session.result(result))
        await self._drain()

    def _dispatch(self, outputs: Sequence[Output]) -> None:
        now = self._loop.time()
        for output in outputs:
            if isinstance(output, Message | Close | Abort):
                for passed in self._tap.outbound(output, now):
                    self._send(passed, now)
            elif isinstance(output, AudioStarted):
                audio = sum(len(other.data) for other in outputs if isinstance(other, Audio))
                self._record.started(output.format, audio)
                before = 0 if self._pipeline is None else self._pipeline.utterances
                new = Pipeline(self._engine, output.format, output.task, self._limits, self._deliver, before)
                self._replace(new)
            elif self._pipeline is not None:
                if isinstance(output, Audio):
                    self._record.heard(len(output.data))
                self._pipeline.put(output)
        self._schedule()

    def _replace(self, new: Pipeline | None) -> None:
        """Put a new pipeline, or none, in the place of the present one."""
        if self._pipeline is not None:
            self._pipeline.put(AudioEnded(flush=False))
            self._stopping.append(self._pipeline)
        self._forget_idle()
        self._pipeline = new
        if new is not None:
            new.start()

    def _forget_idle(self) -> None:
        self._stopping = [pipeline for pipeline in self._stopping if not pipeline.idle]

    def _schedule(self) -> None:
        """Have the session called at its next deadline. A deadline that moves away is looked at again when due."""
        due = self._session.next_deadline
        if due is None or (self._deadline is not None and self._deadline.when() <= due):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._deadline = None
        due, now = self._session.next_deadline, self._loop.time()
        behind = due is not None and now - due > _LATE_S
        if behind and not self._late:
            # The loop was held up: what came in time may still lie unread, and is not to be taken for late.
            self._late = True
            self._deadline = self._loop.call_later(_LATE_S, self._tick)
            return
        self._late = False
        if due is not None and now >= due:
            self._dispatch(self._session.receive(Tick(now)))
        else:
            self._schedule()

    def _give_up(self, close: Close) -> None:
        """Close over the session's head."""
        now = self._loop.time()
        self._dispatch(self._session.receive(PeerClosed(now, ABNORMAL, "")))
        self._send(close, now)

    # Bytes out.

    def _send(self, event: Message | Close | Abort, now: float) -> None:
        self._record.sent(event, now)
        if isinstance(event, Abort):
            self._abort()
            return
        self._end.send(event)
        self._flush()

    def _flush(self) -> None:
        data, eof = self._end.take()
        if data and not self._writer.is_closing():
            self._writer.write(self._tap.written(data, self._loop.time()))
        if not self._end.open and self._guard is None:
            self._guard = self._loop.call_later(self._limits.close_s, self._abort)
        if eof and not self._writer.is_closing():
            if self._writer.can_write_eof():
                with contextlib.suppress(OSError):  # the peer has reset the connection in the meantime
                    self._writer.write_eof()
            else:
                self._writer.close()

    async def _drain(self) -> None:
        """Wait for a slow reader, once much is waiting for it; end the connection of one that reads nothing."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() <= self._limits.write_buffer_bytes:
            return
        try:
            async with asyncio.timeout(self._limits.drain_s):
                await self._writer.drain()
        except TimeoutError:
            _logger.info("a client that reads nothing was cut off")
            self._abort()
        except OSError:
            pass  # the reader sees how the connection ended

    def _abort(self) -> None:
        self._writer.transport.abort()
