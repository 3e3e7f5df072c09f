"""Servers that get the connection wrong: its paths, its control frames, and whose audio is whose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from conformance.faults.mutator import PONG
from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, Result, refuse
from protocol.speech.framing import UspMessage, text, write
from protocol.speech.handshake import PATHS
from protocol.wire import Abort, Close, Fragment, HttpRequest, HttpResponse, Outbound, PeerClosed

_V1, _V2 = PATHS["speech-v1"][0], PATHS["speech-v2"]
_TICKS_A_BYTE = 10_000_000 // 32_000
_STRAY = write(text("turn.end", "0" * 32, {}, ())).data


class OtherPathOnly(Mutator):
    """Serves a path that is not the documented one."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse the documented path."""
        return refuse(request) if request.path in (_V1, _V2[0]) else request


@fault("endpoint.v1-path", "capitals", path=_V1.upper(), dialects=["speech-v1"])
class CapitalsOnly(OtherPathOnly):
    """Serves the path of v1 in capital letters only."""


@fault("endpoint.v2-path", "short-only", path=_V2[1], dialects=["speech-v2"])
class ShortOnly(OtherPathOnly):
    """Serves the short path of v2 only."""


@fault("endpoint.redirect-absolute", "relative", implies=("endpoint.path-case",))
class RelativeRedirect(Mutator):
    """Sends who writes the path in capital letters to the right one, on the same host and without the query."""

    def on_response(self, response: HttpResponse) -> HttpResponse:
        """Put a redirect in the place of the 101."""
        if response.status != 101 or self.asked.path in (_V1, *_V2):
            return response
        return HttpResponse(307, (("Location", self.asked.path.lower()), ("Content-Length", "0")))


@fault("query.none", "refused")
class WantsLanguages(Mutator):
    """Wants to know languages before it lets anybody in."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse a query without a word."""
        return refuse(request) if self.for_speech and not request.query else request


@fault("close.answer", "just-ends")
class JustEnds(Mutator):
    """Ends the connection without an answer to the client's close frame."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the answer."""
        return () if self.answers_close(opcode) else (frame,)


@fault("close.no-data-after", "one-more")
class OneMore(Mutator):
    """Has one more message behind its close frame."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Add a message behind the answer."""
        stray = bytes((0x81, 126)) + len(_STRAY).to_bytes(2) + _STRAY
        return (frame, stray) if self.answers_close(opcode) else (frame,)


@fault("close.reads-on", "resets")
class Resets(Mutator):
    """Resets a connection on which data comes behind the server's close."""

    def inbound(self, event: Fragment | PeerClosed, time: float) -> Iterable[Fragment | PeerClosed | Abort]:
        """Abort at the next frame."""
        if self.began_close and isinstance(event, Fragment):
            return (Abort(),)
        return super().inbound(event, time)


@fault("read.ping", "unanswered")
class NoPong(Mutator):
    """Does not answer pings."""

    def on_frame(self, opcode: int, frame: bytes) -> Iterable[bytes]:
        """Drop the pongs."""
        return () if opcode == PONG else (frame,)


@fault("turn.isolation", "one-clock", implies=("result.offsets-grow", "result.within-audio"))
class OneClock(Mutator):
    """Counts the audio of all connections on which somebody is speaking in one place."""

    shared = True
    _speaking: ClassVar[dict[int, int]] = {}

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Count."""
        if message.path.lower() == "audio":
            OneClock._speaking[id(self)] = OneClock._speaking.get(id(self), 0) + len(message.body)
        return (message,)

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Forget what was counted when the turn ends."""
        if message.path == "turn.end":
            OneClock._speaking.pop(id(self), None)
        return super().on_said(message)

    def on_result(self, result: Result) -> Iterable[Result]:
        """Move a final by what others have said meanwhile."""
        others = sum(size for other, size in OneClock._speaking.items() if other != id(self))
        if not others or not result.final or "Offset" not in result.speech:
            return (result,)
        return (result.saying(Offset=result.speech["Offset"] + others * _TICKS_A_BYTE),)

    def finished(self, time: float) -> None:
        """Forget it at the end of the connection, too."""
        OneClock._speaking.pop(id(self), None)


@fault("malformed.binary-ascii", "another-code")
class AsciiOnly(Mutator):
    """Closes with 1011 for binary headers that are not ASCII."""

    _odd = False

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Have the session close."""
        self._odd = any(not value.isascii() for _, value in message.headers)
        return (replace(message, headers=()),) if self._odd else (message,)

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code."""
        return (replace(close, code=1011),) if self._odd else (close,)
