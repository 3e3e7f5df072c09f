"""Servers that stumble over a combination that nobody would write down: only conversations that were drawn find them.

Each closes, or loses something, where one special form meets one place. The cases have every form once, elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from conformance.faults.mutator import PONG
from conformance.faults.registry import fault
from conformance.faults.speech.mutator import REFUSED, Mutator, Picky, Result, as_fragment
from protocol.speech.framing import UspMessage
from protocol.wire import Fragment, Kind, Outbound

_IDLE = ("close.idle-1000", "close.behind-turn-end")
_HEADER = 44


def _names(message: UspMessage) -> list[str]:
    return [name for name, _ in message.headers]


class _Frames(Mutator):
    """Refuses a message for one of its frames; `wrong` says for which."""

    def wrong(self, fragment: Fragment) -> bool:
        """Tell whether this server stumbles over a frame."""
        return False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Have the session close."""
        refused = self.wrong(fragment)
        return (as_fragment(REFUSED, fragment.time),) if refused else super().on_fragment(fragment)


@fault("read.fragmented-message", "report", needs="generation", implies=_IDLE)
class WholeReports(_Frames):
    """Puts messages together that it needs, and telemetry is none."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over a first frame of telemetry."""
        return fragment.first and not fragment.final and b"path:telemetry" in fragment.data.lower()


@fault("read.fragmented-message", "empty-end", needs="generation", implies=_IDLE)
class WholeEnd(_Frames):
    """Puts messages together as their audio comes, and the message that ends a stream has none."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = b""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over the last frame of audio without a sample."""
        self._parts = fragment.data if fragment.first else self._parts + fragment.data
        if fragment.first or not fragment.final or fragment.kind is not Kind.BINARY:
            return False
        bodiless = int.from_bytes(self._parts[:2], "big") + 2 == len(self._parts)
        return bodiless and b"path:audio" in self._parts.lower()


@fault("turn.several", "ninth", needs="generation", implies=_IDLE)
class NinthTurn(Picky):
    """Has room for eight conversations on a connection."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse what begins the ninth."""
        return message.path == "speech.context" and self.turn >= 7 and self.continuous


@fault("read.header-order", "time-before-path", needs="generation", implies=_IDLE)
class TimeBeforePath(Picky):
    """Does not find a Path that stands directly behind the time."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse such a message."""
        names = _names(message)
        place = names.index("Path") if "Path" in names else 0
        return place > 1 and names[place - 1] == "X-Timestamp"


@fault("read.header-case", "camel", needs="generation", implies=_IDLE)
class Camel(Picky):
    """Compares the letters of Path in pairs."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse the name with the second letter alone in upper case."""
        return "pAth" in _names(message)


@fault("read.unknown-header", "long", needs="generation", implies=_IDLE)
class ShortHeaders(Picky):
    """Has 64 bytes for the value of a header."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a longer one."""
        return any(len(value) > 64 for name, value in message.headers if name == "X-Speechwire")


@fault("read.stream-id", "two-digits", needs="generation", implies=_IDLE)
class OneDigit(Picky):
    """Has ten streams, from 0 to 9."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a number of two digits."""
        return len(message.stream_id or "") == 2 and message.path == "audio"


@fault("audio.header-split", "behind-riff", needs="generation")
class BehindRiff(Picky):
    """Waits for the rest of a header, unless there is nothing but its first word and one byte."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a first message that ends right there."""
        return message.path == "audio" and message.body.startswith(b"RIFF") and 4 < len(message.body) < 8


@fault("audio.header-with-samples", "a-quarter-second", needs="generation")
class QuarterSecond(Picky):
    """Expects no more than a thousand bytes of sound behind a header."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse more."""
        size = len(message.body) - _HEADER
        return message.body.startswith(b"RIFF") and 1000 < size < 1600


@fault("audio.chunk-size", "odd-samples", needs="generation", implies=("audio.header-with-samples",))
class OddSamples(Picky):
    """Works on pairs of samples."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a message of an odd number of them, unless it is very short."""
        size = len(message.body)
        behind_header = message.path == "audio" and self.received - size >= _HEADER
        return behind_header and 640 < size < 3200 and size % 4 == 2


@fault("turn.new-id-abandons", "twice", needs="generation", implies=("turn.several",))
class AbandonedTwice(Picky):
    """Gives up a turn for another one once on a connection."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ""
        self._given_up = 0

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Note the end of a turn."""
        self._open = "" if message.path == "turn.end" else self._open
        return super().on_said(message)

    def refuses(self, message: UspMessage) -> bool:
        """Refuse to give up a second one."""
        if message.path == "speech.context":
            self._given_up += bool(self._open) and message.request_id != self._open
            self._open = message.request_id
        return self._given_up > 1


@fault("context.keys-case", "mixed", needs="generation")
class MixedKeys(Picky):
    """Knows keys in lower case, in upper case, and as they are written in the documents."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse any other spelling of the first one."""
        key = next(iter(self.context), "") if message.path == "speech.context" else ""
        return key not in (key.lower(), key.upper(), "phraseDetection")


@fault("context.mode-case", "mixed", needs="generation")
class MixedMode(Picky):
    """Knows modes in lower case, in upper case, and with a capital."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse any other spelling."""
        detection = self.context.get("phraseDetection", {}) if message.path == "speech.context" else {}
        mode = str(detection.get("mode", "")) if isinstance(detection, dict) else ""
        return mode not in (mode.lower(), mode.upper(), mode.capitalize())


@fault("context.open", "empty", needs="generation")
class NothingInIt(Picky):
    """Looks at the first of the things in a member that it does not know."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a context with a member in which there is none."""
        return message.path == "speech.context" and self.context.get("speechwire", 0) in ({}, [], "")


@fault("config.open", "array", needs="generation", implies=_IDLE)
class NoArrays(Picky):
    """Knows objects, and no arrays, in a configuration."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse an array in a member of no known name."""
        return message.path == "speech.config" and b'"speechwire":[' in message.body


@fault("telemetry.tolerated", "too-early", needs="generation", implies=_IDLE)
class TooEarly(Picky):
    """Has nothing to which telemetry could belong, as long as no turn has started."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse it before the first turn."""
        return message.path == "telemetry" and self.turn < 0


@fault("event.finished-id", "of-the-last-but-one", needs="generation", implies=_IDLE)
class LastButOne(Picky):
    """Remembers one turn that is over."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: list[str] = []

    def refuses(self, message: UspMessage) -> bool:
        """Refuse an event of an older one."""
        if message.path == "speech.context" and message.request_id not in self._ids:
            self._ids.append(message.request_id)
        return message.path == "event" and message.request_id in self._ids[:-2]


@fault("unknown.binary-path", "empty", needs="generation")
class EmptyNote(Picky):
    """Looks into the first byte of a binary message that it does not know, where it expects sound."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Expect none behind a turn."""
        self.received = 0 if message.path == "turn.end" else self.received
        return super().on_said(message)

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a message without a byte in the middle of a turn."""
        return message.path == "speechwire.note" and not message.body and self.received > 0


@fault("read.ping", "before-audio", needs="generation")
class PingBeforeAudio(Mutator):
    """Waits for audio, once a turn has begun, and for nothing else."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the pongs between a context and its audio."""
        return () if opcode == PONG and self.identity and not self.received else (frame,)


# How long a connection beside takes is not known to the last millisecond when this one is held again alone; and a ping
# takes a moment.
@fault("turn.end-last", "late-end", needs="generation", implies=("malformed.isolated", "turn.isolation", "read.ping"))
class LateEnd(Mutator):
    """Forgets the end of a turn if its stream ends a moment behind the last audio: it waits for one of the two."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0
        self._late = self._lost = False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Note when audio comes."""
        self._late = 0.0015 < fragment.time - self._last < 0.0425
        self._last = fragment.time
        return super().on_fragment(fragment)

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Keep in mind whether this is the end, and late."""
        if message.path == "audio":
            self._lost = self._late and not message.body and message.request_id == self.identity
        return (message,)

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop what ends such a turn."""
        return () if message.path == "turn.end" and self._lost else super().on_said(message)


@fault("turn.isolation", "one-memory", needs="generation")
class OneMemory(Mutator):
    """Keeps what was said last in one place: who says something else meanwhile hears that."""

    shared = True
    _said: ClassVar[dict[int, str]] = {}

    def on_result(self, result: Result) -> Iterable[Result]:
        """Say what was said last on another connection that is still open."""
        if not result.final or not result.speaks:
            return (result,)
        name = "Text" if "Text" in result.speech else "DisplayText"
        others = [text for other, text in OneMemory._said.items() if other != id(self)]
        OneMemory._said[id(self)] = str(result.speech[name])
        return (result.saying(**{name: others[-1]}),) if others else (result,)

    def finished(self, time: float) -> None:
        """Forget it at the end of the connection."""
        OneMemory._said.pop(id(self), None)


@fault("malformed.header-size", "far-beyond", needs="generation", implies=("malformed.isolated",))
class FarBeyond(Mutator):
    """Waits for the rest of a message whose header block is said to be much longer than what came."""

    def on_wrong(self, fragment: Fragment, requirement: str) -> Iterable[Fragment]:
        """Skip it."""
        size, rest = int.from_bytes(fragment.data[:2], "big"), len(fragment.data) - 2
        return () if fragment.kind is Kind.BINARY and 40 < rest < size - 40 else (fragment,)


@fault("malformed.header-line", "the-last", needs="generation")
class LastLine(Mutator):
    """Does not look at the last line of a header block."""

    def on_wrong(self, fragment: Fragment, requirement: str) -> Iterable[Fragment]:
        """Skip a message that is wrong there."""
        head = fragment.data.partition(b"\r\n\r\n")[0]
        last = head.rpartition(b"\r\n")[2]
        return () if last in (b"nothing", b":no name") else (fragment,)


@fault("malformed.context-json", "null", needs="generation")
class NullObject(Mutator):
    """Takes null for an object that is not there."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Skip such a message."""
        return () if message.body == b"null" else (message,)
