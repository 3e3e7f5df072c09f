"""How the reference server closes: the code and the reason for each thing that a client can do wrong.

The documents of the sibling protocol give these words (facts X-01 to X-05); a close frame holds 123 bytes of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from protocol.errors import PeerViolation
from protocol.wire import Close

_FORMAT = "Incorrect message format."
_REQUEST = "Invalid request."

_CLOSES: Mapping[str, tuple[int, str]] = {
    "speech.malformed.size-prefix": (1007, f"{_FORMAT} Binary message has invalid header size prefix."),
    "speech.malformed.header-size": (1007, f"{_FORMAT} Binary message has invalid header size."),
    "speech.malformed.binary-utf8": (1007, f"{_FORMAT} Binary message headers decoding into UTF-8 failed."),
    "speech.malformed.text-empty": (1007, f"{_FORMAT} Text message contains no data."),
    "speech.malformed.text-utf8": (1007, f"{_FORMAT} Text message decoding into UTF-8 failed."),
    "speech.malformed.text-separator": (1007, f"{_FORMAT} Text message contains no header separator."),
    "speech.malformed.header-line": (1007, f"{_FORMAT} A header is not of the form Name:Value."),
    "speech.malformed.duplicate-header": (1002, f"{_REQUEST} A header was sent twice."),
    "speech.malformed.path": (1002, "Missing/Empty header. Path."),
    "speech.malformed.request-id": (1002, "Missing/Empty header. X-RequestId."),
    "speech.malformed.request-id-form": (
        1002,
        f"{_REQUEST} X-RequestId header value was not specified in no-dash UUID format.",
    ),
    "speech.malformed.timestamp": (1002, "Missing/Empty header. X-Timestamp."),
    "speech.malformed.text-size": (1009, ""),
    "speech.malformed.binary-size": (1009, ""),
    "speech.context.reused-id": (1002, f"{_REQUEST} Reuse of request identifiers is not allowed."),
}


def close_for(violation: PeerViolation) -> Close:
    """Return the close that a violation of the client earns; 1007 with the sentence of any other one."""
    code, reason = _CLOSES.get(violation.requirement, (1007, ""))
    return Close(code, shortened(reason or f"{violation.at}: expected {violation.expected}, got {violation.observed}"))


def normal(why: str) -> Close:
    """Return the close of a connection on which nothing is going on (speech.close.idle-1000)."""
    return Close(1000, why)


def shortened(reason: str) -> str:
    """Return as much of a reason as a close frame holds."""
    return reason.encode()[:123].decode(errors="ignore")
