"""The client's side of a conversation in the speech dialects, without I/O.

The shell calls `start`, and then does what comes back: for `Dial` it opens a connection, with the same connection id
every time, and calls `opened` or `failed`; `Message` and `Close` go to the socket; everything else is told to the
application. It gives samples with `audio` and says with `finish` that there are no more. It hands in every event with
its time, and calls `receive(Tick(now))` when `next_deadline` is reached.

One connection has many turns. What finals have not acknowledged goes out again in the next turn, and on the next
connection when one breaks (requirement speech.client.replay).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import build_header
from protocol.speech import order
from protocol.speech.client.hearing import Numbering, Told, Trouble, Turn
from protocol.speech.client.line import Line, check_id
from protocol.speech.client.opening import System, Wish, config_body, context_body
from protocol.speech.client.replay import Replay, Throttle
from protocol.speech.client.telemetry import Attempt, Report, Stamp, failures
from protocol.speech.framing import UspMessage
from protocol.speech.handshake import Mode
from protocol.speech.parsing import parse
from protocol.wire import Inbound, Outbound, PeerClosed, Tick

FINAL_CODES: Final = frozenset({1002, 1003, 1007, 4000})
"""Close codes behind which another attempt would end in the same way (requirement speech.client.retries)."""


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """How a client session behaves.

    Attributes:
        chunk_ms: Audio in one message.
        chunk_bytes: The same in bytes; the smaller one counts (requirement speech.client.chunk-size).
        burst_ms: Audio that goes out at once on a connection.
        speed: Multiple of the pace of speech at which the rest follows; None for no limit (speech.client.pace).
        retries: Attempts to connect again, or turns that acknowledge less than a message, before it gives up.
        retry_s: Time between attempts.
        patience_s: How long to wait for anything at all once the audio of a turn has ended.
        limit_s: How long to wait for the end of a turn, whatever comes.
        voice_bytes: Longest message that is taken, and most audio of voices that are still coming.
    """

    chunk_ms: int = 100
    chunk_bytes: int = 8192
    burst_ms: int = 5000
    speed: float | None = 2.0
    retries: int = 4
    retry_s: float = 0.25
    patience_s: float = 40.0  # a voice that is made by a model can take half a minute
    limit_s: float = 120.0
    voice_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Dial:
    """The shell is to open a connection, and to call `opened` or `failed`."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection broke, or could not be made; the session waits, and tries again."""

    time: float
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """The session has ended. `complete` tells whether the server has ended the last turn, and all audio is in one."""

    time: float
    code: int
    reason: str
    complete: bool


Output = Outbound | Dial | Told | Lost | Over


@dataclass(frozen=True, slots=True)
class _Open:
    """A connection that is open, with its turn."""

    line: Line
    throttle: Throttle
    turn: Turn


class ClientSession:
    """One conversation, over all its connections.

    Args:
        dialect: `speech-v1` or `speech-v2`.
        format: Shape of the samples that `audio` will be given.
        wish: What is wanted of the service.
        system: Who the client is.
        connection_id: The id that every handshake carries.
        ids: Gives fresh request ids: 32 hex digits in lower case.
        stamp: Writes the shell's times in UTC.
        policy: How to behave.
    """

    def __init__(
        self,
        dialect: str,
        format: PcmFormat,  # noqa: A002 - the shape is called so everywhere
        wish: Wish,
        *,
        system: System,
        connection_id: str,
        ids: Iterator[str],
        stamp: Stamp,
        policy: ClientPolicy | None = None,
    ) -> None:
        self.dialect = dialect
        self.format = format
        self.wish = wish
        self.connection_id = connection_id
        self.policy = policy or ClientPolicy()
        self._system = system
        self._ids = ids
        self._stamp = stamp
        size = min(format.ms_to_bytes(self.policy.chunk_ms), self.policy.chunk_bytes)
        self._chunk = size - size % format.block_align
        self._replay = Replay(format, self._chunk)
        self._numbering = Numbering()
        self._open: _Open | None = None
        self._finished = False
        self._retry_at: float | None = None
        self._vain = 0
        self._barren = 0
        self._failed: list[Attempt] = []

    # What the shell asks and tells.

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None while there is nothing to wait for but the peer or the application."""
        if self._open is None:
            return self._retry_at
        turn = self._open.turn
        if turn.ended is not None:
            patience = max(self._open.line.heard, turn.ended) + self.policy.patience_s
            return min(patience, turn.ended + self.policy.limit_s)
        size = self._replay.ready(rest=self._finished)
        return self._open.throttle.due(size) if size else None

    def start(self) -> list[Output]:
        """Ask for the first connection."""
        return [Dial()]

    def opened(self, begun: float, time: float) -> list[Output]:
        """Take the 101 of an attempt that began at `begun`; return what opens connection and turn."""
        line = Line(self.dialect, self._stamp, self.policy.voice_bytes, time)
        throttle = Throttle(self.format, self.policy.burst_ms, self.policy.speed, time)
        config = config_body(self._system, self.format, self.wish.mode)
        outputs: list[Output] = [line.text(order.CONFIG, "speech.config", "", config, time)]
        if self._failed:
            body = failures(self._failed, self.connection_id, self._stamp)
            outputs.append(line.text(order.TELEMETRY, "telemetry", next(self._ids), body, time))
            self._failed = []
        return [*outputs, *self._begin(line, throttle, Report(connected=Attempt(begun, time)), time)]

    def failed(self, begun: float, time: float, error: str, reason: str, *, retry: bool) -> list[Output]:
        """Take an attempt that failed: the word for telemetry, a sentence, and whether another one may help."""
        self._failed.append(Attempt(begun, time, error))
        return self._again(time, 1006, reason, retry=retry)

    def audio(self, pcm: bytes, time: float) -> list[Output]:
        """Take whole samples; return the messages that may go out now."""
        self._replay.give(pcm)
        return self._pump(time)

    def finish(self, time: float) -> list[Output]:
        """Note that no more samples come; return what may go out now."""
        self._finished = True
        return self._pump(time)

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the server, or the passing of time; return what to do and what to tell."""
        if isinstance(event, Tick):
            return self._tick(event.time)
        if self._open is None:
            return []
        if isinstance(event, PeerClosed):
            self._open = None
            return self._again(event.time, event.code, event.reason)
        try:
            message = self._open.line.take(event)
            return [] if message is None else self._message(self._open, message, event.time)
        except PeerViolation as violation:
            return [Trouble(event.time, violation)]
        except OverflowError as error:
            return self._close(self._open.line, event.time, 1009, str(error), complete=False)

    def _tick(self, time: float) -> list[Output]:
        deadline = self.next_deadline
        if deadline is None or time < deadline:
            return []
        if self._open is None:
            self._retry_at = None
            return [Dial()]
        return self._pump(time) or self._close(self._open.line, time, 1000, "", complete=False)

    def _again(self, time: float, code: int, reason: str, *, retry: bool = True) -> list[Output]:
        """Try another connection after a while, or end the session."""
        if not retry or code in FINAL_CODES or self._vain >= self.policy.retries:
            return [Over(time, code, reason, False)]
        self._vain += 1
        self._retry_at = time + self.policy.retry_s
        return [Lost(time, code, reason)]

    def _close(self, line: Line, time: float, code: int, reason: str, *, complete: bool) -> list[Output]:
        self._open = None
        return [line.close(code, reason), Over(time, code, reason, complete)]

    # Turns.

    def _begin(self, line: Line, throttle: Throttle, report: Report, time: float) -> list[Output]:
        """Return context, header and what may go out of the audio of a new turn."""
        base = self._replay.rewind()
        ticks = self.format.bytes_to_ticks(base)
        turn = Turn(next(self._ids), base, ticks, report, self._numbering, self.wish.voices)
        self._open = _Open(line, throttle, turn)
        context = line.text(order.CONTEXT, "speech.context", turn.id, context_body(self.wish), time)
        kind = (("Content-Type", "audio/x-wav"),)
        header = line.audio(order.HEADER, turn.id, build_header(self.format), time, kind)
        return [context, header, *self._pump(time)]

    def _pump(self, time: float) -> list[Output]:
        """Return the audio that is due, and the empty message behind the last of it."""
        if self._open is None or self._open.turn.ended is not None:
            return []
        line, throttle, turn = self._open.line, self._open.throttle, self._open.turn
        outputs: list[Output] = []
        while (size := self._replay.ready(rest=self._finished)) and throttle.due(size) <= time:
            throttle.count(size)
            turn.report.listened(time)
            outputs.append(line.audio(order.AUDIO, turn.id, self._replay.take(size), time))
        if self._everything_sent:
            outputs += self._end(line, turn, time)
        return outputs

    @property
    def _everything_sent(self) -> bool:
        return self._finished and self._replay.sent == self._replay.given

    @staticmethod
    def _end(line: Line, turn: Turn, time: float) -> list[Output]:
        """Return the empty message that ends a turn's audio, once (requirement speech.client.end)."""
        if turn.ended is not None:
            return []
        turn.ended = time
        return [line.audio(order.END, turn.id, b"", time)]

    def _message(self, now: _Open, message: UspMessage, time: float) -> list[Output]:
        line, turn = now.line, now.turn
        if not check_id(message, turn.id):
            return []
        turn.report.received(message.path, time)
        said = parse(message)
        line.follow(said)
        outputs: list[Output] = [*turn.hear(said, time)]
        if self._replay.acknowledge(turn.base + self.format.ticks_to_bytes(turn.reached)):
            self._vain = 0
        if turn.over:
            return [*outputs, *self._turn_over(now, time)]
        if turn.size > self.policy.voice_bytes:
            return [*outputs, *self._close(line, time, 1009, "a voice is too long", complete=False)]
        if turn.stopped or (self.wish.mode is Mode.INTERACTIVE and turn.results):
            outputs += self._end(line, turn, time)
        return outputs

    def _turn_over(self, now: _Open, time: float) -> list[Output]:
        """Report a turn that the server has ended, and go on behind what it acknowledged, or end the session."""
        line, turn = now.line, now.turn
        body = turn.report.body(self.connection_id, self._stamp)
        telemetry = line.text(order.TELEMETRY, "telemetry", turn.id, body, time)
        progress = self._replay.acknowledged - turn.base
        self._barren = 0 if progress >= self._chunk else self._barren + 1
        complete = not turn.given_up and self._barren <= self.policy.retries
        if self.wish.mode is Mode.INTERACTIVE:
            complete = complete and turn.results > 0
        elif complete and not (self._everything_sent and not (self._replay.outstanding and progress)):
            return [telemetry, *self._begin(line, now.throttle, Report(), time)]
        return [telemetry, *self._close(line, time, 1000, "", complete=complete)]
