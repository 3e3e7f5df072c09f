"""The two frames of the speech dialects, written by hand for the hot path: every message passes here, every 100 ms.

`formats` describes the same bytes in construct; a property test holds both equal, errors included.

A text message is `Name:Value CRLF … CRLF CRLF body`. A binary one is a big-endian 16-bit number, so many bytes of
`Name:Value CRLF`, and the payload. Reading forgives what real clients do (a blank behind the colon, headers in any
order and letter case, no CRLF behind the last header of a binary message, an `audio.commit` without a body) and what
cannot be understood is a PeerViolation at its offset. `departures` forgives nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from protocol.errors import PeerViolation
from protocol.wire import Headers, Kind, Message, header

MOST_HEADER_BYTES: Final = 8192
"""Largest header block of a binary message (requirement speech.malformed.header-size)."""

SIZE_PREFIX: Final = "speech.malformed.size-prefix"
HEADER_SIZE: Final = "speech.malformed.header-size"
BINARY_UTF8: Final = "speech.malformed.binary-utf8"
BINARY_ASCII: Final = "speech.malformed.binary-ascii"
TEXT_EMPTY: Final = "speech.malformed.text-empty"
TEXT_UTF8: Final = "speech.malformed.text-utf8"
TEXT_SEPARATOR: Final = "speech.malformed.text-separator"
HEADER_LINE: Final = "speech.malformed.header-line"
DUPLICATE: Final = "speech.malformed.duplicate-header"
PATH: Final = "speech.malformed.path"
REQUEST_ID: Final = "speech.malformed.request-id"
REQUEST_ID_FORM: Final = "speech.malformed.request-id-form"
TIMESTAMP: Final = "speech.malformed.timestamp"

COMMIT: Final = "audio.commit"
"""The path of the one text message that consists of headers alone (fact C-10)."""

_CRLF = b"\r\n"
_BLANK_LINE = b"\r\n\r\n"
_BLANKS = " \t"
_ID: Final = re.compile(r"[0-9A-Fa-f]{32}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?|\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class UspMessage:
    """One message: `headers` in wire order with trimmed values, and the body as it came.

    Attributes:
        path: The header Path, or "" if there is none.
        request_id: The header X-RequestId as it was spelled, or "" if there is none.
    """

    kind: Kind
    headers: Headers
    body: bytes
    path: str = field(init=False, repr=False, compare=False)
    request_id: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once: whoever handles a message asks for them again and again.
        object.__setattr__(self, "path", header(self.headers, "Path") or "")
        object.__setattr__(self, "request_id", header(self.headers, "X-RequestId") or "")

    def get(self, name: str) -> str | None:
        """Return the value of a header, its name compared without case, or None."""
        return header(self.headers, name)

    @property
    def stream_id(self) -> str | None:
        """The header X-StreamId, or None."""
        return self.get("X-StreamId")


def read(kind: Kind, data: bytes) -> UspMessage:
    """Return the message in a WebSocket message's payload.

    Raises:
        PeerViolation: It cannot be understood; `at` is `offset N` of the payload.
    """
    return _read_binary(data) if kind is Kind.BINARY else _read_text(data)


def _read_binary(data: bytes) -> UspMessage:
    if len(data) < 2:
        raise malformed(SIZE_PREFIX, 0, "a header size in 2 bytes", f"{len(data)} bytes in all")
    end = 2 + (data[0] << 8 | data[1])
    if end - 2 > MOST_HEADER_BYTES or end > len(data):
        raise malformed(HEADER_SIZE, 0, _sizes(len(data)), str(end - 2))
    block = data[2:end]
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        raise malformed(BINARY_UTF8, 2 + error.start, "UTF-8", f"0x{block[error.start]:02x}") from None
    text = text.removesuffix("\r\n")
    return UspMessage(Kind.BINARY, _fields(text, 2) if text else (), data[end:])


def _read_text(data: bytes) -> UspMessage:
    if not data:
        raise malformed(TEXT_EMPTY, 0, "headers and a body", "nothing")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise malformed(TEXT_UTF8, error.start, "UTF-8", f"0x{data[error.start]:02x}") from None
    end = data.find(_BLANK_LINE)
    if end >= 0:
        return UspMessage(Kind.TEXT, _fields(data[:end].decode(), 0), data[end + 4 :])
    alone = _commit(data)
    if alone is None:
        raise malformed(TEXT_SEPARATOR, len(data), "CR LF CR LF between headers and body", "the end of the message")
    return alone


def _commit(data: bytes) -> UspMessage | None:
    """Return a message of headers alone if it is an `audio.commit`."""
    text = data.decode()
    try:
        message = UspMessage(Kind.TEXT, _fields(text.removesuffix("\r\n"), 0), b"")
    except PeerViolation:
        return None
    return message if message.path.lower() == COMMIT else None


def _fields(text: str, offset: int) -> Headers:
    """Return the fields of a header block without its last CRLF; `offset` is where it begins in the message."""
    fields: list[tuple[str, str]] = []
    for line in text.split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or not name.strip(_BLANKS) or "\r" in line or "\n" in line:
            raise malformed(HEADER_LINE, offset, "Name:Value", shown(line))
        fields.append((name.strip(_BLANKS), value.strip(_BLANKS)))
        offset += len(line.encode()) + 2
    if len({name.lower() for name, _ in fields}) < len(fields):
        counts = Counter(name.lower() for name, _ in fields)
        twice = next(name for name, count in counts.items() if count > 1)
        raise malformed(DUPLICATE, 0, f"one {twice}", f"{counts[twice]} of them")
    return tuple(fields)


def departures(kind: Kind, data: bytes) -> tuple[PeerViolation, ...]:
    """Return everything about a message's form that is not as the documents have it, in its order.

    That is what `read` and `addressed` raise, and in binary messages also what they forgive: headers that are not
    ASCII (speech.malformed.binary-ascii), or whose last one does not end in CRLF (speech.malformed.header-line).
    """
    try:
        message = read(kind, data)
    except PeerViolation as violation:
        return (violation,)
    found: list[PeerViolation] = []
    if kind is Kind.BINARY:
        block = data[2 : len(data) - len(message.body)]
        if not block.isascii():
            at = next(index for index, byte in enumerate(block) if byte > 0x7F)
            found.append(malformed(BINARY_ASCII, 2 + at, "ASCII", f"0x{block[at]:02x}"))
        if block and not block.endswith(_CRLF):
            found.append(malformed(HEADER_LINE, 2 + len(block), "CR LF behind the last header", "none"))
    try:
        addressed(message)
    except PeerViolation as violation:
        found.append(violation)
    return tuple(found)


def addressed(message: UspMessage) -> None:
    """Raise PeerViolation unless the message says what it is and to which turn it belongs.

    Path is required everywhere, X-RequestId in every message but `speech.config`, where it may be absent; it is 32 hex
    digits without dashes (speech.malformed.path, request-id, request-id-form).
    """
    if not message.path:
        raise PeerViolation(PATH, "header Path", "a path", _absent(message, "Path"))
    name = "X-RequestId"
    if not message.request_id:
        if message.path.lower() == "speech.config" and message.get(name) is None:
            return
        raise PeerViolation(REQUEST_ID, f"header {name}", "32 hex digits", _absent(message, name))
    if not _ID.fullmatch(message.request_id):
        raise PeerViolation(
            REQUEST_ID_FORM, f"header {name}", "32 hex digits without dashes", shown(message.request_id)
        )


def stamped(message: UspMessage) -> None:
    """Raise PeerViolation unless a client's message says when it was made: a time in UTC, or a number (Z-08)."""
    value = message.get("X-Timestamp")
    if value is None or not _TIME.fullmatch(value):
        observed = "none" if value is None else shown(value)
        raise PeerViolation(TIMESTAMP, "header X-Timestamp", "a time or a number", observed)


def write(message: UspMessage) -> Message:
    """Return the WebSocket message. Raises ValueError when the headers do not fit into a binary one."""
    lines = "".join(f"{name}:{value}\r\n" for name, value in message.headers)
    if message.kind is Kind.TEXT:
        return Message(Kind.TEXT, (lines.encode() + _CRLF + message.body,))
    block = lines.encode("ascii")
    if len(block) > MOST_HEADER_BYTES:
        raise ValueError(f"the headers of a binary message take at most {MOST_HEADER_BYTES} bytes, not {len(block)}")
    return Message(Kind.BINARY, (len(block).to_bytes(2, "big") + block + message.body,))


def text(path: str, request_id: str, body: Mapping[str, Any], headers: Headers = ()) -> UspMessage:
    """Return a text message with a compact JSON body; without `request_id` there is no such header.

    The JSON has no raw line break in it: one client splits a message at every CR LF CR LF (fact F-12).
    """
    identity = (("X-RequestId", request_id),) if request_id else ()
    own = (*identity, ("Content-Type", "application/json; charset=utf-8"), ("Path", path))
    document = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return UspMessage(Kind.TEXT, (*own, *headers), document.encode(errors="replace"))


def binary(path: str, request_id: str, payload: bytes, headers: Headers = ()) -> UspMessage:
    """Return a binary message."""
    return UspMessage(Kind.BINARY, (("X-RequestId", request_id), ("Path", path), *headers), payload)


def malformed(requirement: str, offset: int, expected: str, observed: str) -> PeerViolation:
    """Return the violation at an offset of the message."""
    return PeerViolation(requirement, f"offset {offset}", expected, observed)


def shown(text: str) -> str:
    """Return somebody's text as an error shows it: quoted, at most 60 characters of it."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _sizes(length: int) -> str:
    return f"a header size of at most {min(MOST_HEADER_BYTES, length - 2)}"


def _absent(message: UspMessage, name: str) -> str:
    return "an empty one" if message.get(name) is not None else "none"
