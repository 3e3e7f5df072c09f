"""The form of what a server sends, byte by byte (requirements speech.frame.*)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.judge.findings import Finding, Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import SERVER_BINARIES, SERVER_PATHS, SERVER_TEXTS, Said, members_of
from conformance.judge.verdict import Verdict
from protocol.speech.context import member, part
from protocol.wire import Kind, Party

MOST_HEADER_BYTES = 8192
_BLANK = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_SHOWN = 60
_SPELLINGS = ("Path", "X-RequestId", "Content-Type", "X-StreamId")
_JSON = re.compile(r"application/json(?:\s*;\s*charset\s*=\s*\"?utf-8\"?)?", re.IGNORECASE)
_ONE_READER_BREAKS = 0x8000  # JS reads the length as a signed number (fact F-15); up to here nobody is hurt


def texts(view: View) -> Findings:
    """speech.frame.text-crlf, text-separator, one-separator, text-json: headers, an empty line, one JSON object."""
    for said in view.server_said:
        if said.seen.kind is not Kind.TEXT:
            continue
        at = said.at
        block, separator, body = said.seen.data.partition(_BLANK)
        bare = _BARE.search(block)
        if bare is not None:
            yield broken("speech.frame.text-crlf", at, "CRLF behind each header line", _place(block, bare.start()))
            continue
        yield kept("speech.frame.text-crlf", at)
        name = "speech.frame.text-separator"
        if not separator:
            yield broken(name, at, "an empty line behind the headers", shown(said.seen.data[-_SHOWN:]))
            continue
        yield kept(name, at)
        name = "speech.frame.one-separator"
        if _BLANK in body:
            yield broken(name, at, "no CRLFCRLF in the body", _place(body, body.index(_BLANK)))
        else:
            yield kept(name, at)
        yield from _json(said, body)


def _json(said: Said, body: bytes) -> Findings:
    formless = said.path == spoken.TURN_END or said.path not in SERVER_TEXTS
    if not body and (formless or said.path == spoken.END_DETECTED):
        return  # an empty speech.endDetected is another requirement's matter
    if members_of(body) is None:
        expected = "one JSON object in UTF-8, or nothing" if formless else "one JSON object in UTF-8"
        yield broken("speech.frame.text-json", said.at, expected, shown(body) if body else "nothing")
    else:
        yield kept("speech.frame.text-json", said.at)


def binaries(view: View) -> Findings:
    """speech.frame.binary-size, binary-ascii, known-binary: a length, so many bytes of headers, a payload."""
    for said in view.server_said:
        if said.seen.kind is not Kind.BINARY:
            continue
        data, at = said.seen.data, said.at
        size = int.from_bytes(data[:2], "big")
        name = "speech.frame.binary-size"
        if len(data) < 2 or size > len(data) - 2:
            observed = (
                f"a length of {size} in a message of {len(data)} bytes" if len(data) > 1 else f"{len(data)} bytes"
            )
            yield broken(name, at, "a length of two bytes, and so many bytes behind it", observed)
            continue
        if size > MOST_HEADER_BYTES:
            verdict = Verdict.NON_STRICT if size < _ONE_READER_BREAKS else None
            yield broken(name, at, f"headers of at most {MOST_HEADER_BYTES} bytes", f"{size} bytes", verdict)
        else:
            yield kept(name, at)
        yield from _block(data[2 : 2 + size], at)
        name = "speech.frame.known-binary"
        if said.path in SERVER_BINARIES:
            yield kept(name, at)
        elif said.path:
            yield broken(name, at, " or ".join(SERVER_BINARIES), said.path[:_SHOWN])


def _block(block: bytes, at: int) -> Findings:
    name = "speech.frame.binary-ascii"
    *lines, rest = block.split(b"\r\n")
    if not block.isascii():
        yield broken(name, at, "headers in US-ASCII", shown(block))
    elif rest or not all(lines) or _BARE.search(block):
        yield broken(name, at, "one line a header, with CRLF behind each", shown(block))
    else:
        yield kept(name, at)


def headers(view: View) -> Findings:
    """speech.frame.header-path, header-request-id, header-once, header-case, path-case, content-type, no-timestamp."""
    for said in view.server_said:
        at = said.at
        if said.message is None:
            yield broken("speech.frame.header-path", at, "a header Path", shown(said.seen.data))
            continue
        path, identity = said.message.path, said.message.request_id
        yield _given("speech.frame.header-path", at, "Path", path)
        yield _given("speech.frame.header-request-id", at, "X-RequestId", identity)
        names = [name for name, _ in said.message.headers]
        yield from _names(names, at)
        if said.path in SERVER_PATHS:
            name = "speech.frame.path-case"
            yield kept(name, at) if path == said.path else broken(name, at, said.path, path)
            yield kept("speech.frame.known-text", at)
        elif said.path and said.seen.kind is Kind.TEXT:
            yield broken("speech.frame.known-text", at, "a path of the protocol", said.path[:_SHOWN])
        if said.seen.kind is Kind.TEXT and said.payload:
            name, value = "speech.frame.content-type", said.message.get("Content-Type")
            good = value is not None and _JSON.fullmatch(value) is not None
            yield kept(name, at) if good else broken(name, at, "application/json", value or "no Content-Type")


def _given(name: str, at: int, field: str, value: str) -> Finding:
    return kept(name, at) if value else broken(name, at, f"a header {field} that is not empty", "none")


def _names(names: Sequence[str], at: int) -> Findings:
    lower = [name.lower() for name in names]
    twice = next((name for name in names if lower.count(name.lower()) > 1), None)
    name = "speech.frame.header-once"
    yield kept(name, at) if twice is None else broken(name, at, f"one header {twice}", f"{lower.count(twice.lower())}")
    name = "speech.frame.header-case"
    right = {spelling.lower(): spelling for spelling in _SPELLINGS}
    wrong = next((given for given in names if right.get(given.lower(), given) != given), None)
    yield kept(name, at) if wrong is None else broken(name, at, right[wrong.lower()], wrong)
    name = "speech.frame.no-timestamp"
    yield broken(name, at, "no X-Timestamp", "one") if "x-timestamp" in lower else kept(name, at)


def continuation(view: View) -> Findings:
    """speech.frame.continuation: no headers of continuation for a client that has not asked for them."""
    name = "speech.frame.continuation"
    for turn in view.turns:
        body = turn.context.body if turn.context is not None else None
        asked = member(part(body or {}, "audio"), "streams") is not None
        for said in turn.server:
            fields = [field for field, _ in said.message.headers] if said.message is not None else []
            sent = next((field for field in fields if field.lower().startswith("x-continuation")), None)
            if sent is not None and not asked:
                yield broken(name, said.at, "no such header: speech.context has no audio.streams", sent)
            elif sent is not None:
                yield kept(name, said.at)


def shown(data: bytes) -> str:
    """Return the beginning of some bytes, for a person."""
    return repr(data[:_SHOWN])[1:] + ("…" if len(data) > _SHOWN else "")


def _place(data: bytes, at: int) -> str:
    return f"{shown(data[max(0, at - 20) : at + 20])} at offset {at}"


RULES: Sequence[Rule[View]] = (
    rule(
        Party.SERVER,
        texts,
        "speech.frame.text-crlf",
        "speech.frame.text-separator",
        "speech.frame.one-separator",
        "speech.frame.text-json",
    ),
    rule(
        Party.SERVER,
        binaries,
        "speech.frame.binary-size",
        "speech.frame.binary-ascii",
        "speech.frame.known-binary",
    ),
    rule(
        Party.SERVER,
        headers,
        "speech.frame.header-path",
        "speech.frame.header-request-id",
        "speech.frame.header-once",
        "speech.frame.header-case",
        "speech.frame.path-case",
        "speech.frame.content-type",
        "speech.frame.no-timestamp",
        "speech.frame.known-text",
    ),
    rule(Party.SERVER, continuation, "speech.frame.continuation"),
)
