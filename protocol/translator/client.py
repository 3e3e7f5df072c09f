"""The client's side of a conversation in `translator`, without I/O.

The shell opens the connection with the target of `build_target`, calls `start` when the 101 is there, `audio` as often
as it has samples and `finish` behind the last ones. It hands in every event with its time and carries out what comes
back: `Message` and `Close` go to the socket, everything else to the application. When `next_deadline` is reached it
calls `receive(Tick(now))`.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.order import Conversation
from protocol.riff import build_header
from protocol.translator import order
from protocol.translator.messages import Final, Partial, parse
from protocol.wire import Close, Fragment, Inbound, Kind, Message, Outbound, Party, PeerClosed

SERVER, CLIENT = Party.SERVER, Party.CLIENT


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """How a client session behaves.

    Attributes:
        chunk_ms: Audio in one message (requirement translator.client.chunk-size).
        silence_ms: Silence sent behind the last audio (translator.client.silence).
        quiet_s: The session is over when, behind that silence, a final is there and so long nothing more has come.
        patience_s: How long to wait for anything at all.
        limit_s: How long to wait behind the audio, whatever comes.
        voice_bytes: Longest voice that is taken.
    """

    chunk_ms: int = 100
    silence_ms: int = 2500
    quiet_s: float = 1.5
    patience_s: float = 40.0  # a voice that is made by a model can take half a minute
    limit_s: float = 120.0
    voice_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Heard:
    """A result came."""

    time: float
    result: Partial | Final


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice of a final came: a complete WAV or MP3 file. `id` is the final's."""

    time: float
    id: str | None
    file: bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """The server broke a requirement; the session goes on without that message."""

    time: float
    violation: PeerViolation


@dataclass(frozen=True, slots=True)
class Over:
    """The session has ended. `complete` tells whether every final that was due came before it."""

    time: float
    code: int
    reason: str
    complete: bool


Output = Outbound | Heard | Voice | Trouble | Over


class ClientSession:
    """One conversation, from the accepted handshake on.

    Args:
        format: Shape of the samples that `audio` will be given.
        speaks: Whether voices were asked for.
        policy: How to behave.
    """

    def __init__(self, format: PcmFormat, *, speaks: bool, policy: ClientPolicy | None = None) -> None:  # noqa: A002
        self.format = format
        self.policy = policy or ClientPolicy()
        self.order = Conversation(order.TABLE, CLIENT)
        self._speaks = speaks
        self._rest = b""
        self._finished: float | None = None
        self._last: float = 0.0
        self._finals = 0
        self._unspoken: list[str] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._over = False

    @property
    def next_deadline(self) -> float | None:
        """When to call `receive(Tick)`; None while audio is still to come, and once the session is over."""
        if self._over or self._finished is None:
            return None
        wait = self.policy.quiet_s if self._settled else self.policy.patience_s
        return min(max(self._last, self._finished) + wait, self._finished + self.policy.limit_s)

    @property
    def _settled(self) -> bool:
        """Whether nothing is known to be due: no utterance is open, no voice outstanding."""
        return self._finals > 0 and self.order.state(SERVER) == order.LISTENING

    def start(self) -> list[Output]:
        """Return the audio header, the first message of every conversation."""
        self.order.step(CLIENT, order.HEADER)
        return [Message.binary(build_header(self.format))]

    def audio(self, pcm: bytes) -> list[Output]:
        """Return samples as messages of one chunk each; what does not fill a chunk waits for more."""
        size = self.format.ms_to_bytes(self.policy.chunk_ms)
        data = self._rest + pcm
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        return [self._chunk(data[at : at + size]) for at in range(0, whole, size)]

    def finish(self, time: float) -> list[Output]:
        """Return the rest of the audio and the silence that ends the last utterance; then wait for the results."""
        messages = self.audio(bytes(self.format.ms_to_bytes(self.policy.silence_ms)))
        rest, self._rest = self._rest, b""
        if rest:
            messages.append(self._chunk(rest))
        self._finished = time
        return messages

    def _chunk(self, data: bytes) -> Message:
        self.order.step(CLIENT, order.AUDIO)
        return Message.binary(data)

    def receive(self, event: Inbound) -> list[Output]:
        """Take what came from the server, or the passing of time; return what to send and what to tell."""
        if self._over:
            return []
        if isinstance(event, PeerClosed):
            self._over = True
            complete = self._finished is not None and self._settled and event.code == 1000
            return [Over(event.time, event.code, event.reason, complete)]
        if isinstance(event, Fragment):
            return self._fragment(event)
        deadline = self.next_deadline
        if deadline is None or event.time < deadline:
            return []
        complete = self._settled
        self._over = True
        self.order.step(CLIENT, order.CLOSE)
        return [Close(1000, ""), Over(event.time, 1000, "", complete)]

    def _fragment(self, event: Fragment) -> list[Output]:
        """Put a message together from its frames (translator.client.fragmented-results)."""
        self._last = event.time
        if event.first:
            self._parts, self._size = [], 0
        self._parts.append(event.data)
        self._size += len(event.data)
        if self._size > self.policy.voice_bytes:
            self._over = True
            self.order.step(CLIENT, order.CLOSE)
            reason = "a message is too long"
            return [Close(1009, reason), Over(event.time, 1009, reason, False)]
        if not event.final:
            return []
        data, self._parts = b"".join(self._parts), []
        try:
            return [self._message(event, data)]
        except PeerViolation as violation:
            return [Trouble(event.time, violation)]

    def _message(self, event: Fragment, data: bytes) -> Output:
        if event.kind is Kind.BINARY:
            self._step(order.VOICE)
            return Voice(event.time, self._unspoken.pop(0) if self._unspoken else None, data)
        result = parse(data)
        if isinstance(result, Partial):
            self._step(order.PARTIAL)
            return Heard(event.time, result)
        spoken = self._speaks and bool(result.translation)
        if spoken:
            self._unspoken.append(result.id)
        self._finals += 1
        self._step(order.SPOKEN_FINAL if spoken else order.FINAL)
        return Heard(event.time, result)

    def _step(self, message: str) -> None:
        """Follow the server through the order table; what it does out of order is taken all the same."""
        if self.order.may(SERVER, message):
            self.order.step(SERVER, message)
        else:
            self.order.resume(SERVER, message)
