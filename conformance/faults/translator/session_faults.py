"""Servers that end sessions wrong, or mix them up."""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from conformance.faults.registry import fault
from conformance.faults.translator.mutator import Mutator
from protocol.rejection import Rejection
from protocol.wire import Close, Fragment, HttpResponse, Kind, Outbound
from reference_server.responses import refuse

_FINAL = json.dumps({"type": "final", "id": "999", "recognition": "", "translation": ""}).encode()
_STRAY = bytes((0x81, len(_FINAL))) + _FINAL


@fault("close.echo", "just-ends")
class JustEnds(Mutator):
    """Ends the connection without an answer to the client's close frame."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the answer."""
        return () if self.answers_close(opcode) else (frame,)


@fault("close.normal", "1001")
class GoesAway(Mutator):
    """Answers a good close with 1001."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Change the code."""
        if not self.answers_close(opcode) or frame[2:4] != struct.pack(">H", 1000):
            return (frame,)
        return (frame[:2] + struct.pack(">H", 1001) + frame[4:],)


@fault("close.bad-data", "1011", implies=("audio.header-first",))
class InternalError(Mutator):
    """Takes data that it cannot read for an error of its own."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code of a close for a stream without a header."""
        bad = close.code == 1003 and "RIFF" in close.reason
        return (Close(1011, "Internal Server Error: " + close.reason.partition(": ")[2]),) if bad else (close,)


@fault("close.label", "left-out")
class Unlabelled(Mutator):
    """Closes with a reason of its own wording."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Drop what stands before the colon."""
        return (Close(close.code, close.reason.partition(": ")[2] or "ended"),)


@fault("session.no-data-after-close", "one-more")
class OneMore(Mutator):
    """Has one more result behind its close frame."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Add a result behind the answer, where results have no times that it would have to have, too."""
        untimed = self.came and not self.wants("TimingInfo")
        return (frame, _STRAY) if self.answers_close(opcode) and untimed else (frame,)


@fault("session.no-server-message-before-audio", "greets")
class Greets(Mutator):
    """Says something in a session in which nothing was sent."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Put a message before the answer."""
        return (frame,) if self.came or not self.answers_close(opcode) else (_STRAY, frame)


@fault("session.isolation", "one-buffer")
class OneBuffer(Mutator):
    """Keeps the audio of all sessions in one place, and hears it in one that is silent."""

    shared = True
    _heard: ClassVar[deque[bytes]] = deque(maxlen=100)

    def __init__(self) -> None:
        super().__init__()
        self._silent = True
        self._hears = False

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Put what was heard last in another session in the place of silence."""
        if fragment.kind is not Kind.BINARY or fragment.data[:4] == b"RIFF":
            if not self.wants("TextToSpeech"):
                OneBuffer._heard.clear()
            return (fragment,)
        self._silent = self._silent and not any(fragment.data)
        if not self.wants("TextToSpeech"):
            OneBuffer._heard.append(fragment.data)
        elif self._silent and self.wants("Partial") and self._waiting():
            data = OneBuffer._heard.popleft()
            return (Fragment(fragment.time, fragment.kind, data, fragment.first, fragment.final),)
        return (fragment,)

    def _waiting(self) -> bool:
        """Tell whether there is something to hear; what is heard first is sound."""
        while not self._hears and OneBuffer._heard and not any(OneBuffer._heard[0]):
            OneBuffer._heard.popleft()
        self._hears = bool(OneBuffer._heard)
        return self._hears


@fault("session.several", "two-at-once")
class TwoAtOnce(Mutator):
    """Lets two sessions be open at a time."""

    shared = True
    _open: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self._counted = False

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Refuse a third."""
        if response.status != 101:
            return response
        if TwoAtOnce._open >= 2:
            refused = refuse(Rejection(429, "TooManyRequests", "two sessions are open: end one first"))
            return HttpResponse(
                429, (*refused.headers, ("X-RequestId", "00000000-0000-4000-8000-000000000429")), refused.body
            )
        TwoAtOnce._open += 1
        self._counted = True
        return response

    def finished(self, time: float) -> None:
        """Make room again."""
        TwoAtOnce._open -= self._counted


@fault("endpoint.pause-separates", "joins", implies=("endpoint.one-second",), endpoint_silence_ms=2000)
class Patient(Mutator):
    """Takes a pause of almost two seconds for one within a sentence."""


@fault("endpoint.max-utterance", "a-minute", max_utterance_ms=60_000)
class Enduring(Mutator):
    """Listens to speech without a pause for a minute."""
