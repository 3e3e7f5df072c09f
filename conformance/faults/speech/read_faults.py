"""Servers that cannot read every form of message that real clients write."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import REFUSED, Mutator, Picky, as_fragment
from protocol.speech.framing import UspMessage
from protocol.wire import Fragment, Kind

_KNOWN = ("Path", "X-RequestId", "X-Timestamp", "Content-Type", "X-StreamId", "X-Client-Commit-Token")


@fault("read.header-order", "path-first")
class PathFirst(Picky):
    """Expects Path before X-Timestamp in all messages with a body."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse another order."""
        names = [name.lower() for name, _ in message.headers]
        commit = message.path == "audio.commit"
        return not commit and "x-timestamp" in names and names.index("x-timestamp") < names.index("path")


@fault("read.header-case", "exact")
class ExactNames(Picky):
    """Knows header names in their usual spelling alone."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a message without Path in this spelling."""
        return "Path" not in dict(message.headers)


@fault("read.space-after-colon", "refused")
class NoBlanks(Mutator):
    """Takes no blank behind a colon."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Refuse a message with one in its first line."""
        head = fragment.data[2 if fragment.kind is Kind.BINARY else 0 :].partition(b"\r\n")[0]
        refused = fragment.first and b": " in head
        return (as_fragment(REFUSED, fragment.time),) if refused else super().on_fragment(fragment)


@fault("read.first-colon", "every-colon")
class EveryColon(Picky):
    """Does not understand a value with colons of which it does not know what it is."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse the message, where it does not break a header that nobody knows as such."""
        return any(value == "a:b:c" for _, value in message.headers)


@fault("read.timestamp-digits", "seven")
class SevenDigits(Picky):
    """Expects seven digits behind the point of a time."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse fewer."""
        _, point, digits = (message.get("X-Timestamp") or "").partition(".")
        return bool(point) and len(digits) != len("1234567Z")


@fault("read.timestamp-free", "refused")
class ReadsTimes(Picky):
    """Reads X-Timestamp, and closes for what is no time."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a number."""
        return (message.get("X-Timestamp") or "").isdecimal()


@fault("read.content-type-absent", "refused")
class WantsType(Picky):
    """Expects a Content-Type with each speech.context."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse one without."""
        return message.path == "speech.context" and message.get("Content-Type") is None


@fault("read.stream-id", "numbers")
class NumberedStreams(Picky):
    """Takes a number for X-StreamId alone."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse a word."""
        return not (message.stream_id or "1").isdecimal()


@fault("read.unknown-header", "refused")
class KnownHeaders(Picky):
    """Closes for a header that it does not know."""

    def refuses(self, message: UspMessage) -> bool:
        """Refuse the message."""
        known = {name.lower() for name in _KNOWN}
        return any(name.lower() not in known for name, _ in message.headers)


@fault("read.fragmented-message", "first-frame")
class FirstFrame(Mutator):
    """Takes the first frame of a message for all of it."""

    def on_fragment(self, fragment: Fragment) -> Iterable[Fragment]:
        """Drop the others of messages with frames that a client has cut so short."""
        if fragment.first and not fragment.final and len(fragment.data) < 2:
            return (as_fragment(REFUSED, fragment.time),)
        return super().on_fragment(fragment)
