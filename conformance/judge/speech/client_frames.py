"""The form of what a client sends (requirements speech.client.*): frames, headers, ids, times.

What the observer broke on purpose is nobody's fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.speech import spoken
from conformance.judge.speech.framing import MOST_HEADER_BYTES, shown
from conformance.judge.speech.reading import View
from conformance.judge.speech.spoken import Said
from protocol.wire import Kind, Party

_BLANK = b"\r\n\r\n"
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_ID = re.compile(r"[0-9A-Fa-f]{32}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,7}Z")


def meant(view: View) -> Iterator[Said]:
    """Yield what the client said and meant so."""
    return (said for said in view.client_said if not said.seen.deliberate)


def texts(view: View) -> Findings:
    """speech.client.frame-text: headers with CRLF, an empty line, UTF-8; an audio.commit is headers alone."""
    name = "speech.client.frame-text"
    for said in meant(view):
        if said.seen.kind is not Kind.TEXT:
            continue
        data, at = said.seen.data, said.at
        block, separator, _ = data.partition(_BLANK)
        if not _is_utf8(data):
            yield broken(name, at, "UTF-8", shown(data))
        elif _BARE.search(block):
            yield broken(name, at, "CRLF behind each header line", shown(block))
        elif not separator:
            yield broken(name, at, "an empty line behind the headers", shown(data[-60:]))
        else:
            yield kept(name, at)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def binaries(view: View) -> Findings:
    """speech.client.frame-binary, frame-ascii: a length, so many bytes of headers in ASCII, a payload."""
    for said in meant(view):
        if said.seen.kind is not Kind.BINARY:
            continue
        data, at = said.seen.data, said.at
        name, size = "speech.client.frame-binary", int.from_bytes(data[:2], "big")
        if len(data) < 2 or size > min(MOST_HEADER_BYTES, len(data) - 2):
            expected = f"a length of two bytes up to {MOST_HEADER_BYTES}, and so many bytes behind it"
            yield broken(name, at, expected, f"{size} in a message of {len(data)} bytes")
            continue
        block = data[2 : 2 + size]
        *lines, rest = block.split(b"\r\n")
        if rest or not all(lines) or _BARE.search(block):
            yield broken(name, at, "one line a header, with CRLF behind each", shown(block))
        else:
            yield kept(name, at)
        name = "speech.client.frame-ascii"
        yield kept(name, at) if block.isascii() else broken(name, at, "headers in US-ASCII", shown(block))


def headers(view: View) -> Findings:
    """speech.client.header-path, header-once, request-id, timestamp, timestamp-form, content-type."""
    for said in meant(view):
        at = said.at
        name = "speech.client.header-path"
        if said.message is None or not said.path:
            yield broken(name, at, "a header Path that is not empty", "none")
            continue
        yield kept(name, at)
        names = [field.lower() for field, _ in said.message.headers]
        twice = next((field for field in names if names.count(field) > 1), None)
        name = "speech.client.header-once"
        yield kept(name, at) if twice is None else broken(name, at, f"one header {twice}", f"{names.count(twice)}")
        yield from _identity(said)
        yield from _time(said)
        yield from _content_type(said)


def _identity(said: Said) -> Findings:
    name, given = "speech.client.request-id", said.message.get("X-RequestId") if said.message is not None else None
    if given is None and said.path == spoken.CONFIG:
        return
    good = given is not None and _ID.fullmatch(given) is not None
    yield kept(name, said.at) if good else broken(name, said.at, "32 hex digits without dashes", _value(given))


def _time(said: Said) -> Findings:
    given = said.message.get("X-Timestamp") if said.message is not None else None
    name = "speech.client.timestamp"
    if not given:
        yield broken(name, said.at, "a header X-Timestamp", "none")
        return
    yield kept(name, said.at)
    name, good = "speech.client.timestamp-form", _TIME.fullmatch(given) is not None
    yield kept(name, said.at) if good else broken(name, said.at, "yyyy-MM-ddTHH:mm:ss.fffffffZ", _value(given))


def _content_type(said: Said) -> Findings:
    if said.seen.kind is not Kind.TEXT or not said.payload:
        return
    name, given = "speech.client.content-type", said.message.get("Content-Type") if said.message is not None else None
    good = given is not None and given.partition(";")[0].strip().lower() == "application/json"
    yield kept(name, said.at) if good else broken(name, said.at, "application/json", _value(given))


def _value(given: str | None) -> str:
    return "none" if given is None else repr(given[:60])


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, texts, "speech.client.frame-text"),
    rule(Party.CLIENT, binaries, "speech.client.frame-binary", "speech.client.frame-ascii"),
    rule(
        Party.CLIENT,
        headers,
        "speech.client.header-path",
        "speech.client.header-once",
        "speech.client.request-id",
        "speech.client.timestamp",
        "speech.client.timestamp-form",
        "speech.client.content-type",
    ),
)
