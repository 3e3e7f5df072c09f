"""Messages that are not as the protocol has them: how they are answered, and that nobody else suffers.

Each is sent within a good turn; `mistakes` says how it is judged.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.speech.dialogue import Session, new_id, open_session
from conformance.cases.speech.mistakes import ISOLATED, Mistake, as_binary, as_text, block, fields, judge, outcome
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import need_reference, served
from protocol.wire import Headers, Kind

_FORM: Final = (1007,)
_HEADERS: Final = (1002,)
_MOST: Final = 1 << 20
_EXCESS: Final = 1 << 14  # more than headers can take
_TEXT, _BINARY = Kind.TEXT, Kind.BINARY
_UNREADABLE: Final = b"\xff\xfe"


async def _raw(kind: Kind, data: bytes, deliberate: str, session: Session, _: Turn) -> None:
    await session.raw(kind, data, deliberate=f"speech.client.{deliberate}")


def _bytes(requirement: str, what: str, kind: Kind, data: bytes) -> Mistake:
    """Return the mistake that exactly these bytes are."""
    deliberate = "frame-text" if kind is _TEXT else "frame-binary"
    return Mistake(requirement, what, _FORM, partial(_raw, kind, data, deliberate))


@case(
    "malformed.binary",
    "malformed.size-prefix",
    "malformed.header-size",
    "malformed.binary-utf8",
    "malformed.binary-ascii",
    ISOLATED,
    connections=2,
)
async def binary(context: Context) -> None:
    """Send binary messages that are too short, whose size is wrong, and whose headers are not UTF-8 or not ASCII."""

    async def longer_than_rest(session: Session, turn: Turn) -> None:
        head = block(fields(session, "audio", turn.id))
        await _raw(_BINARY, as_binary(head, b"", len(head) + 1), "frame-binary", session, turn)

    async def too_long(session: Session, turn: Turn) -> None:
        head = block((*fields(session, "audio", turn.id), ("X-Padding", "x" * 8192)))
        await _raw(_BINARY, as_binary(head), "frame-binary", session, turn)

    async def unreadable(session: Session, turn: Turn) -> None:
        head = block(fields(session, "audio", turn.id)) + b"X-Note:" + _UNREADABLE + b"\r\n"
        await _raw(_BINARY, as_binary(head), "frame-ascii", session, turn)

    async def accented(session: Session, turn: Turn) -> None:
        head = block((*fields(session, "audio", turn.id), ("X-Note", "é")))
        await _raw(_BINARY, as_binary(head), "frame-ascii", session, turn)

    await judge(
        context,
        (
            _bytes("malformed.size-prefix", "an empty binary message", _BINARY, b""),
            _bytes("malformed.size-prefix", "a binary message of one byte", _BINARY, b"\x00"),
            Mistake("malformed.header-size", "a header size that is more than what follows", _FORM, longer_than_rest),
            Mistake("malformed.header-size", "a header block of more than 8192 bytes", _FORM, too_long),
            Mistake("malformed.binary-utf8", "binary headers that are not UTF-8", _FORM, unreadable),
            Mistake("malformed.binary-ascii", "binary headers that are not ASCII", _FORM, accented, passes=True),
        ),
    )


@case(
    "malformed.text",
    "malformed.text-empty",
    "malformed.text-utf8",
    "malformed.text-separator",
    "malformed.header-line",
    ISOLATED,
    connections=2,
)
async def text(context: Context) -> None:
    """Send text messages that are empty, not UTF-8, without an empty line, and with lines that are no headers."""

    async def not_utf8(session: Session, turn: Turn) -> None:
        data = as_text(block(fields(session, "telemetry", turn.id)), b'{"x":"' + _UNREADABLE + b'"}')
        await _raw(_TEXT, data, "frame-text", session, turn)

    async def no_separator(session: Session, turn: Turn) -> None:
        await _raw(_TEXT, block(fields(session, "telemetry", turn.id)), "frame-text", session, turn)

    async def strange_line(line: bytes, session: Session, turn: Turn) -> None:
        await _raw(_TEXT, as_text(line + block(fields(session, "telemetry", turn.id))), "frame-text", session, turn)

    await judge(
        context,
        (
            _bytes("malformed.text-empty", "an empty text message", _TEXT, b""),
            Mistake("malformed.text-utf8", "a text message that is not UTF-8", _FORM, not_utf8),
            Mistake("malformed.text-separator", "a text message without an empty line", _FORM, no_separator),
            *(
                Mistake("malformed.header-line", f"a message with the header line {line!r}", _FORM, send)
                for line in ("no colon", ":no name")
                for send in (partial(strange_line, f"{line}\r\n".encode()),)
            ),
        ),
    )


async def _with(deliberate: str, change: dict[str, str | None], session: Session, turn: Turn) -> None:
    """Send a chunk of audio with these headers changed, or (None) left out."""
    headers: Headers = tuple(
        (name, value)
        for name, given in fields(session, "audio", turn.id)
        if (value := change.get(name, given)) is not None
    )
    await _raw(_BINARY, as_binary(block(headers)), deliberate, session, turn)


@case(
    "malformed.headers",
    "malformed.path",
    "malformed.request-id",
    "malformed.request-id-form",
    "malformed.timestamp",
    "malformed.duplicate-header",
    ISOLATED,
    connections=2,
)
async def headers(context: Context) -> None:
    """Send audio without Path, X-RequestId and X-Timestamp, with empty and impossible ones, and with one twice."""

    async def twice(session: Session, turn: Turn) -> None:
        head = block((*fields(session, "audio", turn.id), ("Path", "audio")))
        await _raw(_BINARY, as_binary(head), "header-once", session, turn)

    mistakes = [
        Mistake(f"malformed.{row}", f"audio with {what}", codes, partial(_with, deliberate, {name: value}))
        for row, what, codes, deliberate, name, value in (
            ("path", "no Path", _HEADERS, "header-path", "Path", None),
            ("path", "an empty Path", _HEADERS, "header-path", "Path", ""),
            ("request-id", "no X-RequestId", _HEADERS, "request-id", "X-RequestId", None),
            ("request-id", "an empty X-RequestId", _HEADERS, "request-id", "X-RequestId", ""),
            ("request-id-form", "an X-RequestId of 16 digits", _HEADERS, "request-id", "X-RequestId", "0" * 16),
            ("request-id-form", "an X-RequestId of letters", _HEADERS, "request-id", "X-RequestId", "z" * 32),
            ("timestamp", "no X-Timestamp", (), "timestamp", "X-Timestamp", None),
            ("timestamp", "the X-Timestamp yesterday", (), "timestamp-form", "X-Timestamp", "yesterday"),
        )
    ]
    mistakes.append(Mistake("malformed.duplicate-header", "audio with two Paths", (1002, 1007), twice))
    await judge(context, mistakes)


@case("malformed.dashed-id", "malformed.request-id-form")
async def dashed_id(context: Context) -> None:
    """Begin a turn with an id with dashes: it is refused with 1002, or served under exactly this id."""
    await need_reference(context)
    session = await open_session(context)
    turn = await session.begin(identity=context.guid(), deliberate="speech.client.request-id")
    refused = await outcome(turn)
    echoed = {message.message.request_id for message in turn.heard} == {turn.id}
    right = (refused is not None and refused.code == 1002) or (served(turn) and echoed)
    expected = f"close 1002, or a turn of the id {turn.id} byte for byte"
    context.check("malformed.request-id-form", right, expected, turn.state)


@case("malformed.json", "malformed.context-json", ISOLATED, connections=2)
async def json_bodies(context: Context) -> None:
    """Send speech.config, speech.context and event with bodies that are no JSON object."""

    async def body(path: str, data: bytes, session: Session, turn: Turn) -> None:
        identity = new_id(context) if path == "speech.context" else turn.id
        form = (
            "config-form" if path == "speech.config" else "context-form" if path == "speech.context" else "event-form"
        )
        await _raw(_TEXT, as_text(block(fields(session, path, identity)), data), form, session, turn)

    await judge(
        context,
        [
            Mistake(
                "malformed.context-json", f"{path} with the body {data!r}", _FORM, partial(body, path, data.encode())
            )
            for path, data in (
                ("speech.config", "config"),
                ("speech.context", '{"phraseDetection":'),
                ("speech.context", "[]"),
                ("event", '"updateLanguage"'),
            )
        ],
    )


@case("malformed.sizes", "malformed.text-size", "malformed.binary-size", ISOLATED, connections=2)
async def sizes(context: Context) -> None:
    """Send messages of no known path that are 1 MiB long, and longer."""

    async def large(kind: Kind, excess: int, session: Session, turn: Turn) -> None:
        head = block(fields(session, "speechwire.padding", turn.id))
        if kind is _TEXT:
            data = as_text(head, b"")
            data += b" " * (_MOST - len(data) + excess)
        else:
            data = as_binary(head, bytes(_MOST + excess))
        await session.raw(kind, data, deliberate="speech.client.chunk-size")

    for kind, row in ((_TEXT, "malformed.text-size"), (_BINARY, "malformed.binary-size")):
        session = await open_session(context)
        turn = await session.begin()
        await large(kind, 0, session, turn)
        await turn.say()
        await turn.finished()
        await session.close()
        if not served(turn):
            await need_reference(context)
        context.check(row, served(turn), f"a turn that goes on behind a {kind.value} message of 1 MiB", turn.state)
    await judge(
        context,
        (
            Mistake(
                "malformed.text-size", "a text message of 1 MiB and 16 KiB", (1009,), partial(large, _TEXT, _EXCESS)
            ),
            Mistake(
                "malformed.binary-size", "a payload of 1 MiB and 16 KiB", (1009,), partial(large, _BINARY, _EXCESS)
            ),
        ),
    )
