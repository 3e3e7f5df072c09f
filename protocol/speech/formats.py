"""The two frames of the speech dialects as construct formats: what `framing` reads and writes by hand.

    BINARY    header size (16 bits, big-endian), headers, payload
    TEXT      headers up to the first blank line, body
    FIELD     one header: a name up to the first colon, and its value

Nothing of construct leaves this module. `read` and `write` take and give what their twins in `framing` do; this is
the form to read, that one the form to run.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from construct import (
    Construct,
    ConstructError,
    GreedyBytes,
    Int16ub,
    Prefixed,
    StreamError,
    Struct,
    stream_read_entire,
    stream_seek,
    stream_tell,
    stream_write,
)

from protocol.errors import PeerViolation
from protocol.speech.framing import (
    BINARY_UTF8,
    COMMIT,
    DUPLICATE,
    HEADER_LINE,
    HEADER_SIZE,
    MOST_HEADER_BYTES,
    SIZE_PREFIX,
    TEXT_EMPTY,
    TEXT_SEPARATOR,
    TEXT_UTF8,
    UspMessage,
    malformed,
    shown,
)
from protocol.wire import Headers, Kind, Message


class Until(Construct):  # type: ignore[misc] # construct ships no types
    """Bytes up to a terminator, which is eaten; construct's own NullTerminated finds only aligned ones."""

    def __init__(self, terminator: bytes) -> None:
        super().__init__()
        self.terminator = terminator

    def _parse(self, stream: Any, context: Any, path: Any) -> bytes:
        start = stream_tell(stream, path)
        rest: bytes = stream_read_entire(stream, path)
        found, terminator, _ = rest.partition(self.terminator)
        if not terminator:
            raise StreamError("the terminator is missing", path=path)
        stream_seek(stream, start + len(found) + len(terminator), 0, path)
        return found

    def _build(self, obj: bytes, stream: Any, context: Any, path: Any) -> bytes:
        stream_write(stream, obj + self.terminator, len(obj) + len(self.terminator), path)
        return obj


BINARY = Struct("headers" / Prefixed(Int16ub, GreedyBytes), "payload" / GreedyBytes)
TEXT = Struct("headers" / Until(b"\r\n\r\n"), "body" / GreedyBytes)
FIELD = Struct("name" / Until(b":"), "value" / GreedyBytes)


def read(kind: Kind, data: bytes) -> UspMessage:
    """Return the message in a WebSocket message's payload; PeerViolation at `offset N` if it cannot be understood."""
    return _binary(data) if kind is Kind.BINARY else _text(data)


def _binary(data: bytes) -> UspMessage:
    if len(data) < Int16ub.sizeof():
        raise malformed(SIZE_PREFIX, 0, "a header size in 2 bytes", f"{len(data)} bytes in all")
    size = int(Int16ub.parse(data))
    try:
        frame = BINARY.parse(data)
    except ConstructError:
        frame = None
    if frame is None or size > MOST_HEADER_BYTES:
        allowed = min(MOST_HEADER_BYTES, len(data) - Int16ub.sizeof())
        raise malformed(HEADER_SIZE, 0, f"a header size of at most {allowed}", str(size))
    block = bytes(frame.headers)
    _utf8(block, BINARY_UTF8, Int16ub.sizeof())
    headers = _fields(block.removesuffix(b"\r\n"), Int16ub.sizeof()) if block not in (b"", b"\r\n") else ()
    return UspMessage(Kind.BINARY, headers, bytes(frame.payload))


def _text(data: bytes) -> UspMessage:
    if not data:
        raise malformed(TEXT_EMPTY, 0, "headers and a body", "nothing")
    _utf8(data, TEXT_UTF8, 0)
    try:
        frame = TEXT.parse(data)
    except ConstructError:
        return _headers_alone(data)
    return UspMessage(Kind.TEXT, _fields(bytes(frame.headers), 0), bytes(frame.body))


def _headers_alone(data: bytes) -> UspMessage:
    """Return an `audio.commit`; nothing else comes without a blank line."""
    try:
        message = UspMessage(Kind.TEXT, _fields(data.removesuffix(b"\r\n"), 0), b"")
    except PeerViolation:
        message = None
    if message is None or message.path.lower() != COMMIT:
        raise malformed(TEXT_SEPARATOR, len(data), "CR LF CR LF between headers and body", "the end of the message")
    return message


def _utf8(data: bytes, requirement: str, offset: int) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise malformed(requirement, offset + error.start, "UTF-8", f"0x{data[error.start]:02x}") from None


def _fields(block: bytes, offset: int) -> Headers:
    fields: list[tuple[str, str]] = []
    for line in block.split(b"\r\n"):
        try:
            field = FIELD.parse(line)
        except ConstructError:
            field = None
        name = "" if field is None else bytes(field.name).decode().strip(" \t")
        if field is None or not name or b"\r" in line or b"\n" in line:
            raise malformed(HEADER_LINE, offset, "Name:Value", shown(line.decode()))
        fields.append((name, bytes(field.value).decode().strip(" \t")))
        offset += len(line) + 2
    for name, count in Counter(name.lower() for name, _ in fields).items():
        if count > 1:
            raise malformed(DUPLICATE, 0, f"one {name}", f"{count} of them")
    return tuple(fields)


def write(message: UspMessage) -> Message:
    """Return the WebSocket message. Raises ValueError when the headers do not fit into a binary one."""
    coding = "utf-8" if message.kind is Kind.TEXT else "ascii"
    fields = [
        FIELD.build({"name": name.encode(coding), "value": value.encode(coding)}) for name, value in message.headers
    ]
    if message.kind is Kind.TEXT:
        return Message(Kind.TEXT, (TEXT.build({"headers": b"\r\n".join(fields), "body": message.body}),))
    block = b"".join(field + b"\r\n" for field in fields)
    if len(block) > MOST_HEADER_BYTES:
        raise ValueError(f"the headers of a binary message take at most {MOST_HEADER_BYTES} bytes, not {len(block)}")
    return Message(Kind.BINARY, (BINARY.build({"headers": block, "payload": message.body}),))
