"""Servers whose messages do not have the form that clients can read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Conversing, Mutator
from protocol.speech.framing import UspMessage, binary, text
from protocol.wire import Kind, Message, Outbound

_START_DETECTED = "speech.startDetected"
_CRLF = b"\r\n"


def _framed(block: bytes, payload: bytes, size: int | None = None) -> Message:
    return Message.binary((len(block) if size is None else size).to_bytes(2, "big") + block + payload)


def _block(message: UspMessage) -> bytes:
    return "".join(f"{name}:{value}\r\n" for name, value in message.headers).encode()


@fault("frame.text-crlf", "lf-only")
class BareLineFeeds(Mutator):
    """Ends the header lines of text messages with LF alone."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Drop each CR in front of the body."""
        if message.kind is not Kind.TEXT:
            return (message,)
        return (Message(Kind.TEXT, ((_block(message) + _CRLF).replace(_CRLF, b"\n") + message.body,)),)


@fault("frame.text-separator", "left-out")
class NoSeparator(Conversing):
    """Sends turn.end as headers alone, without the empty line, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send the header block and nothing else."""
        return (Message(Kind.TEXT, (_block(message),)),) if message.path == "turn.end" else (message,)


@fault("frame.one-separator", "pretty-json")
class BlankLineInBody(Conversing):
    """Has an empty line in the JSON of turn.start, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Put two line ends behind the first brace."""
        if message.path != "turn.start":
            return (message,)
        return (replace(message, body=b"{" + _CRLF + _CRLF + message.body[1:]),)


@fault("frame.text-json", "trailing-comma")
class TrailingComma(Conversing):
    """Writes a comma behind the last member of speech.startDetected, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Put it before the closing brace."""
        return (replace(message, body=message.body[:-1] + b",}"),) if message.path == _START_DETECTED else (message,)


@fault("frame.text-json", "latin-1")
class OtherCoding(Conversing):
    """Writes speech.startDetected in another coding than UTF-8, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add a member with a letter of Latin-1."""
        if message.path != _START_DETECTED:
            return (message,)
        return (replace(message, body=message.body[:-1] + ',"Note":"é"}'.encode("latin-1")),)


@fault("frame.binary-size", "over-8192")
class LongHeaders(Mutator):
    """Sends more than 8192 bytes of headers with a voice."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add a long header."""
        if message.kind is not Kind.BINARY:
            return (message,)
        return (_framed(_block(message) + b"X-Padding:" + b"x" * 8192 + _CRLF, message.body),)


@fault("frame.binary-ascii", "utf-8")
class AccentInHeaders(Mutator):
    """Sends a voice with a header that is not ASCII."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add one."""
        if message.kind is not Kind.BINARY:
            return (message,)
        return (_framed(_block(message) + "X-Note:é\r\n".encode(), message.body),)


@fault("frame.binary-ascii", "empty-line")
class BlankLineInHeaders(Mutator):
    """Ends the headers of a voice with an empty line, as those of text."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add the line, and count it."""
        return (_framed(_block(message) + _CRLF, message.body),) if message.kind is Kind.BINARY else (message,)


@fault("frame.header-path", "left-out")
class NoPath(Mutator):
    """Sends speech.startDetected again without Path, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add the message without it."""
        again = replace(message, headers=tuple(pair for pair in message.headers if pair[0] != "Path"))
        return (message, again) if message.path == _START_DETECTED and self.continuous else (message,)


@fault("frame.header-request-id", "left-out")
class NoIdentity(Mutator):
    """Sends speech.startDetected again without X-RequestId, in dictation."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add the message without it."""
        again = replace(message, headers=tuple(pair for pair in message.headers if pair[0] != "X-RequestId"))
        return (message, again) if message.path == _START_DETECTED and self.mode == "Dictation" else (message,)


@fault("frame.header-once", "content-type-twice")
class TypeTwice(Conversing):
    """Sends Content-Type twice, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add it once more to text messages."""
        again = tuple(pair for pair in message.headers if pair[0] == "Content-Type")
        return (replace(message, headers=(*message.headers, *again)),)


@fault("frame.header-case", "lower")
class LowerCaseNames(Mutator):
    """Writes header names in lower case."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Spell them all so."""
        return (replace(message, headers=tuple((name.lower(), value) for name, value in message.headers)),)


@fault("frame.path-case", "lower")
class LowerCasePaths(Mutator):
    """Writes all paths in lower case, speech.startdetected among them."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Spell them all so."""
        headers = tuple((name, value.lower() if name == "Path" else value) for name, value in message.headers)
        return (replace(message, headers=headers),)


@fault("frame.content-type", "plain-text")
class PlainText(Conversing):
    """Calls JSON plain text, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Replace the type."""
        headers = tuple((name, "text/plain" if name == "Content-Type" else value) for name, value in message.headers)
        return (replace(message, headers=headers),)


@fault("frame.no-timestamp", "timed")
class Timed(Conversing):
    """Sends an X-Timestamp, as clients do, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add the header."""
        return (replace(message, headers=(*message.headers, ("X-Timestamp", "2026-01-01T00:00:00.000Z"))),)


@fault("frame.known-binary", "unknown-path")
class UnknownBinary(Mutator):
    """Sends a binary message that no client knows, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it behind turn.start."""
        more = [binary("speech.audio", message.request_id, bytes(32))]
        return (message, *more) if message.path == "turn.start" and self.continuous else (message,)


@fault("frame.known-text", "unknown-path")
class UnknownText(Mutator):
    """Sends a text message that no client knows, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it behind turn.start."""
        more = [text("speech.hello", message.request_id, {})]
        return (message, *more) if message.path == "turn.start" and self.continuous else (message,)


@fault("frame.request-id-known", "made-up")
class MadeUpIdentity(Mutator):
    """Sends speech.startDetected for a turn that nobody has begun, too, in dictation."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Send it again, with an id of its own."""
        again = replace(message, headers=(("X-RequestId", "f" * 32), *message.headers[1:]))
        return (message, again) if message.path == _START_DETECTED and self.mode == "Dictation" else (message,)


@fault("frame.continuation", "unasked")
class Continuation(Conversing):
    """Sends headers of continuation to everybody, in conversations."""

    def on_said(self, message: UspMessage) -> Iterable[UspMessage | Outbound]:
        """Add one to turn.start."""
        if message.path != "turn.start":
            return (message,)
        return (replace(message, headers=(*message.headers, ("X-Continuation-Token", "1"))),)
