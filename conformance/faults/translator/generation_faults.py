"""Servers that stumble over a combination that nobody would write down: only sessions that were drawn find them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from conformance.faults.mutator import PONG, with_query
from conformance.faults.registry import fault
from conformance.faults.translator.audio_faults import HeaderFault
from conformance.faults.translator.mutator import Members, Mutator
from conformance.faults.translator.stream_faults import refused
from protocol.riff import RiffHeader
from protocol.wire import Fragment, HttpRequest, Kind, Outbound

_HEADER = 44


class _Frames(Mutator):
    """Refuses audio for one of its frames; `wrong` says for which.

    Attributes:
        received: Bytes that had come before the present frame.
        size: Bytes of the present message, so far.
        frames: Frames of it, so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received = self.size = self.frames = 0

    def wrong(self, fragment: Fragment) -> bool:
        """Tell whether this server stumbles over a frame."""
        return False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Have the session close."""
        self.size = len(fragment.data) + (0 if fragment.first else self.size)
        self.frames = 1 + (0 if fragment.first else self.frames)
        stumbles = fragment.kind is Kind.BINARY and self.wrong(fragment)
        self.received += len(fragment.data)
        return refused(fragment) if stumbles else (fragment,)


@fault("audio.odd-bytes", "large", needs="generation")
class LargeOdd(_Frames):
    """Keeps half a sample of a small message, and not of a large one."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over a large message with half a sample."""
        return fragment.final and self.size % 2 == 1 and self.size > 4800 and self.received >= _HEADER


@fault("audio.chunk-any-size", "odd-samples", needs="generation", implies=("audio.odd-bytes",))
class OddSamples(_Frames):
    """Works on pairs of samples."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over a message of middling size with an odd number of them."""
        return fragment.final and 640 < self.size < 3200 and self.size % 4 == 2 and self.received >= _HEADER


@fault("audio.fragmented", "two-in-a-row", needs="generation")
class TwoInARow(_Frames):
    """Puts one message together, and not the next one, too."""

    def __init__(self) -> None:
        super().__init__()
        self._before = False

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over the end of the second of two messages in several frames."""
        if not fragment.final:
            return False
        whole = fragment.first
        twice, self._before = self._before and not whole, not whole
        return twice and self.size < 8000


@fault("audio.fragmented", "empty-in-small", needs="generation")
class EmptyInSmall(_Frames):
    """Takes an empty frame of a small message for the end of the audio."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over it."""
        small = 0 < self.size < 2000 and self.received > _HEADER
        return small and not fragment.first and not fragment.data


@fault("audio.header-split", "four-messages", needs="generation")
class FourMessages(_Frames):
    """Has room for three parts of a header."""

    def __init__(self) -> None:
        super().__init__()
        self._messages = 0

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over the fourth if it is the last."""
        self._messages += fragment.final
        return self._messages == 4 and self.received + len(fragment.data) == _HEADER


@fault("audio.header-with-audio", "half-a-sample", needs="generation")
class HalfASample(_Frames):
    """Expects whole samples behind a header."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over half a one."""
        return self.received == 0 and fragment.final and self.size > _HEADER and self.size % 2 == 1


@fault("audio.extra-chunks", "three", needs="generation")
class ThreeChunks(HeaderFault):
    """Skips two chunks that it does not know."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse a third."""
        return self._first.count(b"LIST") > 2


@fault("audio.true-sizes", "short", needs="generation")
class TooShort(HeaderFault):
    """Does not take a file of less than a tenth of a second."""

    def refuses(self, header: RiffHeader, rest: bytes) -> bool:
        """Refuse its size."""
        return header.announced is not None and header.announced < 3200


@fault("audio.empty-message", "at-first", needs="generation")
class EmptyFirst(_Frames):
    """Takes an empty message before any sound for the end of the session, if it has to tell times."""

    def wrong(self, fragment: Fragment) -> bool:
        """Stumble over it."""
        empty = fragment.first and fragment.final and not fragment.data
        return empty and self.received == _HEADER and self.wants("TimingInfo")


@fault("audio.ping", "before-sound", needs="generation")
class PingFirst(_Frames):
    """Answers pings once there is sound."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the pongs between the header and the first sound."""
        return () if opcode == PONG and self.received == _HEADER else (frame,)


@fault("handshake.parameter-order", "version-last", needs="generation")
class VersionLast(Mutator):
    """Takes what stands before api-version for parameters of an older version, if features are among them."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Lose the source language."""
        names = [pair.partition("=")[0] for pair in request.query.split("&")]
        wrong = "features" in names and names[-1] == "api-version"
        return with_query(request, {"from": None}) if wrong else request


@fault("handshake.feature-case", "camel", needs="generation")
class CamelFeatures(Mutator):
    """Compares features in pairs of letters."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a feature whose second letter alone is in upper case."""
        features = self.asked.query.partition("features=")[2].partition("&")[0]
        wrong = features[:1].islower() and features[1:2].isupper()
        return with_query(request, {"features": "Nothing"}) if wrong else request


@fault("final.always", "third", needs="generation")
class ThirdFinal(Mutator):
    """Has room for two utterances of a session that has partial results and no voice."""

    def __init__(self) -> None:
        super().__init__()
        self._finals = 0

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Drop the third final, and what comes behind it."""
        self._finals += members["type"] == "final"
        return () if self._finals > 2 and self.wants("Partial") and not self.wants("TextToSpeech") else (members,)


@fault("session.isolation", "one-memory", needs="generation")
class OneMemory(Mutator):
    """Keeps what was said last in one place: who says something else meanwhile hears that."""

    shared = True
    _said: ClassVar[dict[int, str]] = {}

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Say what was said last in another session that is still open."""
        if members["type"] != "final" or not members["recognition"]:
            return (members,)
        others = [text for other, text in OneMemory._said.items() if other != id(self)]
        OneMemory._said[id(self)] = members["recognition"]
        return ({**members, "recognition": others[-1]},) if others else (members,)

    def finished(self, time: float) -> None:
        """Forget it at the end of the session."""
        OneMemory._said.pop(id(self), None)


@fault("audio.text-message", "behind-a-short-one", needs="generation")
class TextUnseen(_Frames):
    """Does not look at the kind of a message that comes behind a short one."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Skip such a text."""
        last, self._last = self._last, len(fragment.data)
        return (
            ()
            if fragment.kind is Kind.TEXT and 0 < last < 600 and self.received > _HEADER
            else super().on_fragment(fragment)
        )
