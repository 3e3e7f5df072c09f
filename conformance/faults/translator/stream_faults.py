"""Servers that want streams at another speed, or in other pieces, than real clients send them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.mutator import PONG
from conformance.faults.registry import fault
from conformance.faults.translator.audio_faults import HeaderFault
from conformance.faults.translator.mutator import Members, Mutator
from protocol.riff import RiffHeader
from protocol.wire import Fragment, Kind

_MOST_AT_ONCE = 64_000
_LARGE = 1_000_000
_SMALL_FRAME = 4096


def refused(fragment: Fragment) -> tuple[Fragment]:
    """Return what a session refuses, in the place of a frame: a text."""
    return (replace(fragment, kind=Kind.TEXT, data=b""),)


@fault("audio.header-44", "refused", implies=("audio.ping", "endpoint.final-after-silence"))
class Only46(HeaderFault):
    """Takes a fmt chunk of 18 bytes only."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse shorter ones."""
        return header.fmt_size == 16


@fault("audio.zero-sizes", "refused", implies=("audio.ping", "endpoint.final-after-silence"))
class NoZeroSizes(HeaderFault):
    """Takes streams of known length only."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse a size of 0."""
        return header.announced is None


@fault("audio.chunk-any-size", "one-sample")
class NoSingleSamples(Mutator):
    """Takes a message of a single sample for an error."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Refuse it."""
        alone = fragment.first and fragment.final and len(fragment.data) == 2
        return refused(fragment) if alone and fragment.data not in b"RIFF" else (fragment,)


class MessageFault(Mutator):
    """Counts the bytes of the message that is coming in."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Count."""
        self.size = len(fragment.data) + (0 if fragment.first else self.size)
        return (fragment,)


@fault("audio.burst", "cut-off", implies=("audio.large-message", "audio.fragmented"))
class ShortBuffer(MessageFault):
    """Has room for two seconds of a message and loses the rest."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Empty what does not go in."""
        super().on_fragment(fragment)
        return (replace(fragment, data=b""),) if self.size > _MOST_AT_ONCE else (fragment,)


@fault("audio.large-message", "refused")
class NoLargeMessage(MessageFault):
    """Refuses a message of a megabyte."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Refuse the rest of it."""
        super().on_fragment(fragment)
        return refused(fragment) if self.size > _LARGE else (fragment,)


@fault("audio.fragmented", "refused")
class NoFragments(Mutator):
    """Takes a message in small frames for an error."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Refuse a frame with more behind it."""
        part = not fragment.final and 0 < len(fragment.data) < _SMALL_FRAME
        return refused(fragment) if part and fragment.kind is Kind.BINARY else (fragment,)


@fault("audio.real-time", "impatient")
class Impatient(Mutator):
    """Refuses audio that comes no faster than it is spoken."""

    def __init__(self) -> None:
        super().__init__()
        self._last: float | None = None
        self._slow = 0

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Refuse the fifth message in a row that comes late."""
        late = self._last is not None and fragment.time - self._last > 0.05
        self._last, self._slow = fragment.time, self._slow + 1 if late else 0
        return refused(fragment) if self._slow == 5 else (fragment,)


@fault("audio.ping", "unanswered")
class NoPong(Mutator):
    """Does not answer pings."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the pongs."""
        return () if opcode == PONG else (frame,)


@fault("timing.header-not-counted", "counted", implies=("timing.bytes-match-ticks",))
class CountsHeader(HeaderFault):
    """Counts places in the stream from the first byte of the header."""

    def __init__(self) -> None:
        super().__init__()
        self._size = 0

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Note how long the header is."""
        self._size = len(self._first) - len(rest)
        return False

    def on_result(self, members: Members) -> Iterable[Members]:
        """Move the place."""
        if "audioStreamPosition" not in members:
            return (members,)
        return ({**members, "audioStreamPosition": members["audioStreamPosition"] + self._size},)


@fault(
    "timing.offset-grows",
    "stuck",
    implies=("timing.offset-from-start", "timing.position-from-start", "timing.partial-shares-offset"),
)
class StuckOffset(Mutator):
    """Gives to each final the place of the first one."""

    def __init__(self) -> None:
        super().__init__()
        self._first: Members = {}

    def on_result(self, members: Members) -> Iterable[Members]:
        """Repeat two members."""
        if "audioTimeOffset" not in members or members["type"] != "final":
            return (members,)
        names = ("audioTimeOffset", "audioStreamPosition")
        self._first = self._first or {name: members[name] for name in names}
        return ({**members, **self._first},)


@fault("voice.not-for-empty", "speaks-anyway")
class SpeaksAnyway(Mutator):
    """Sends a voice with a final that has no text."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop the texts of a final behind which a voice comes."""
        if not self.wants("TextToSpeech") or members["type"] != "final":
            return (members,)
        return ({**members, "recognition": "", "translation": ""},)
