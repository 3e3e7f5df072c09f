"""Servers that cannot take every stream that real clients send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.message_faults import Ending
from conformance.faults.speech.mutator import Mutator, Picky
from protocol.speech.framing import UspMessage
from protocol.wire import Abort, Close, Fragment, Outbound, PeerClosed

_HEADER = 44
_SMALL = 3200
_SEVEN_SECONDS = 7 * 32_000
_RATE = 24  # where a header has the rate, and the number of channels before it
_CHANNELS = 22


def _header(message: UspMessage) -> bytes:
    """Return the body of audio that begins with a header of which the format can be read, or nothing."""
    whole = message.path == "audio" and message.body.startswith(b"RIFF") and len(message.body) >= _HEADER
    return message.body if whole else b""


@fault("audio.header-alone", "refused", implies=("turn.start-first", "status.initial-silence"))
class HeaderWithSamples(Picky):
    """Expects samples behind the header in the same message."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a header and nothing else."""
        return len(_header(message)) == _HEADER


@fault(
    "audio.header-sizes-open",
    "refused",
    implies=("audio.header-alone", "turn.start-first", "status.initial-silence"),
)
class TrueSizes(Picky):
    """Takes streams of known length only."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse sizes of 0."""
        return _header(message)[40:44] == bytes(4)


@fault("audio.burst", "refused", implies=("result.final-always", "turn.several"))
class ShortBuffer(Picky):
    """Takes no more than seven seconds of a conversation at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0.0
        self._before = 0

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed | Abort]:
        """Note what had come before this moment."""
        if time > self._begun:
            self._begun, self._before = time, self.received
        return super().inbound(event, time)

    def refuses(self, message: UspMessage) -> bool:
        """Refuse what does not go in."""
        return self.continuous and message.path == "audio" and self.received - self._before > _SEVEN_SECONDS


@fault(
    "audio.after-end-detected",
    "closes",
    implies=("audio.late-id", "close.idle-1000", "close.behind-turn-end"),
)
class OverIsOver(Picky):
    """Takes a small message of audio behind the end of speech for an error; large ones were on their way."""

    def __init__(self) -> None:
        super().__init__()
        self._over = ""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Note the end of speech."""
        if message.path == "speech.endDetected":
            self._over = message.request_id
        return super().on_said(message)

    def refuses(self, message: UspMessage) -> bool:
        """Refuse more of it."""
        small = message.path == "audio" and 0 < len(message.body) <= _SMALL
        if message.path == "speech.context":
            self._over = ""
        # A server that waits longer than usual for speech has other reasons not to be over.
        return small and message.request_id == self._over and "initialSilenceTimeout" not in str(self.context)


@fault("audio.header-with-samples", "refused")
class HeaderAlone(Picky):
    """Expects the header in a message of its own."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse samples behind it."""
        return len(_header(message)) > _HEADER


@fault("audio.header-split", "refused")
class WholeHeader(Picky):
    """Expects the whole header in the first message."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse less."""
        return message.path == "audio" and b"RIFF".startswith(message.body[:4]) and 0 < len(message.body) < _HEADER


@fault("audio.rates", "48-khz-refused")
class LowRates(Picky):
    """Does not take 48 kHz."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse the header."""
        return _header(message)[_RATE : _RATE + 4] == (48_000).to_bytes(4, "little")


@fault("audio.stereo", "refused")
class Mono(Picky):
    """Does not take two channels."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse the header."""
        return _header(message)[_CHANNELS : _CHANNELS + 2] == (2).to_bytes(2, "little")


@fault("audio.chunk-size", "refused", implies=("malformed.binary-size",), binary_bytes=8_192)
class ShortChunks(Mutator):
    """Closes for binary messages of more than 16 KiB."""


@fault("audio.real-time", "at-the-end")
class HeldBack(Mutator):
    """Listens to a conversation once it is over, or has ten seconds of it."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[UspMessage] = []

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Hold audio back until something else comes."""
        self._held.append(message)
        more = message.path == "audio" and bool(message.body) and self.received < 10 * 32_000
        if more and self.continuous and message.request_id == self.identity:
            return ()
        held, self._held = self._held, []
        return held


@fault("audio.end", "ignored", implies=("turn.end-last",))
class NoEnd(Mutator):
    """Does not take an empty message for the end of a conversation that consists of a few words alone."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        short = self.continuous and 16_000 < self.received < 80_000
        return () if message.path == "audio" and not message.body and short else (message,)


class Stopping(Picky):
    """Knows whether the last message of audio was the end of a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = ""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Note that behind the message."""
        out = tuple(super().on_client(message))
        if message.path == "audio":
            self.stopped = "" if message.body else message.request_id
        return out


@fault("audio.end-repeated", "closes")
class EndOnce(Stopping):
    """Closes for a second empty message."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it."""
        return message.path == "audio" and not message.body and self.stopped == message.request_id


@fault("audio.end-voided", "final")
class EndIsFinal(Mutator):
    """Ignores what follows an empty message."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = ""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop it."""
        if message.path != "audio":
            return (message,)
        if not message.body:
            self._stopped = message.request_id
        return () if message.body and message.request_id == self._stopped else (message,)


@fault("audio.late-id", "end-refused")
class NoLateEnd(Picky):
    """Closes for the end of the stream of a turn of which the client has seen the end, since it has reported on it."""

    def __init__(self) -> None:
        super().__init__()
        self._reported: set[str] = set()

    def refuses(self, message: UspMessage) -> bool:
        """Note telemetry, and refuse an empty message behind it."""
        if message.path == "telemetry":
            self._reported.add(message.request_id)
        return message.path == "audio" and not message.body and message.request_id in self._reported


@fault("audio.unknown-id", "closes")
class NoStrayAudio(Ending):
    """Closes for audio of an id that nobody has begun."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it while a turn is open."""
        stray = message.path == "audio" and message.request_id not in self.known
        return stray and self.turn >= 0 and not message.body.startswith(b"R")


@fault("audio.no-header", "1003")
class OtherCodeForNoHeader(Mutator):
    """Closes with 1003 for audio without a header."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code."""
        return (Close(1003, close.reason),) if "RIFF" in close.reason else (close,)


@fault("audio.bad-format", "unnamed")
class UnnamedFormat(Mutator):
    """Closes with 1003 for a header of a format that it does not take."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code."""
        named = close.reason.startswith("offset") and "RIFF" not in close.reason
        return (Close(1003, close.reason),) if named else (close,)


@fault("audio.header-each-turn", "once")
class HeaderOnce(Mutator):
    """Takes the header of a second turn of the same kind for sound."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Put 100 ms of silence behind it."""
        if self.turn != 0 or self.continuous or not _header(message):
            return (message,)
        return (replace(message, body=message.body + bytes(3_200)),)
