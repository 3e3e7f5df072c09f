"""Servers that answer messages without proper form in another way than they should."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.faults.registry import fault
from conformance.faults.speech.mutator import Mutator, members_of
from protocol.speech.framing import UspMessage
from protocol.wire import Abort, Close, Fragment, Outbound

_JSON = ("speech.config", "speech.context", "event")


class Skipping(Mutator):
    """Skips messages that break a requirement, named as below `speech.malformed`."""

    name = ""

    def on_wrong(self, fragment: Fragment, requirement: str) -> Iterable[Fragment]:
        """Drop them."""
        return () if requirement == f"speech.malformed.{self.name}" else (fragment,)


@fault("malformed.size-prefix", "skipped")
class SkipsShort(Skipping):
    """Skips binary messages that are too short."""

    name = "size-prefix"


@fault("malformed.header-size", "skipped")
class SkipsSizes(Skipping):
    """Skips binary messages whose size is more than what follows."""

    name = "header-size"


@fault("malformed.binary-utf8", "skipped")
class SkipsUnreadable(Skipping):
    """Skips binary messages whose headers are no UTF-8."""

    name = "binary-utf8"


@fault("malformed.text-empty", "skipped")
class SkipsEmpty(Skipping):
    """Skips empty text messages."""

    name = "text-empty"


@fault("malformed.text-utf8", "skipped")
class SkipsOtherText(Skipping):
    """Skips text messages that are no UTF-8."""

    name = "text-utf8"


@fault("malformed.text-separator", "skipped")
class SkipsHeadersAlone(Skipping):
    """Skips text messages without an empty line."""

    name = "text-separator"


@fault("malformed.header-line", "skipped")
class SkipsStrangeLines(Skipping):
    """Skips messages with lines that are no headers."""

    name = "header-line"


@fault("malformed.duplicate-header", "skipped")
class SkipsDuplicates(Skipping):
    """Skips messages with a header twice."""

    name = "duplicate-header"


@fault("malformed.request-id-form", "skipped")
class SkipsStrangeIds(Skipping):
    """Skips messages whose id is no UUID."""

    name = "request-id-form"


class Recoding(Mutator):
    """Closes with another code where a reason begins with certain words."""

    words = ""
    code = 1003

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change the code."""
        return (Close(self.code, close.reason),) if close.reason.startswith(self.words) else (close,)


@fault("malformed.path", "1003")
class OtherCodeForPath(Recoding):
    """Closes with 1003 for a message without Path."""

    words = "Missing/Empty header. Path"


@fault("malformed.request-id", "1003")
class OtherCodeForId(Recoding):
    """Closes with 1003 for a message without X-RequestId."""

    words = "Missing/Empty header. X-RequestId"


@fault("malformed.timestamp", "untouched")
class NoTimes(Mutator):
    """Does not look at times at all."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Put a time in the place of what is none."""
        if (message.get("X-Timestamp") or "")[:1].isdigit():
            return (message,)
        kept = tuple(pair for pair in message.headers if pair[0].lower() != "x-timestamp")
        return (replace(message, headers=(*kept, ("X-Timestamp", "0"))),)


@fault("malformed.context-json", "skipped")
class SkipsOtherJson(Mutator):
    """Skips bodies that are no JSON object."""

    def on_client(self, message: UspMessage) -> Iterable[UspMessage]:
        """Drop the message."""
        return () if message.path in _JSON and not members_of(message) else (message,)


@fault("malformed.text-size", "accepted", text_bytes=1 << 24)
class LongTexts(Mutator):
    """Takes texts of any length."""


@fault("malformed.binary-size", "accepted", binary_bytes=1 << 24)
class LongPayloads(Mutator):
    """Takes payloads of any length."""


@fault("malformed.isolated", "aborts", implies=("malformed.duplicate-header",))
class AbortsForDuplicates(Mutator):
    """Drops the connection for a header that is there twice."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Do so in place of the close."""
        return (Abort(),) if "twice" in close.reason else (close,)
