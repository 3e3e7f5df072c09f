"""The mistakes that a conversation may hold one of, and how a server has to answer each.

A step that is a mistake is written as the step that it would be, and then damaged (`damage_speech`), or it is in the
wrong place of the conversation. This is the judge's own list, from the register; the cases have another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from conformance.cases.speech.mistakes import as_binary, as_text
from conformance.programs.program import AUDIO, CONFIG, CONTEXT, EVENT, HEADER, TELEMETRY
from protocol.wire import Kind

_NO_OBJECTS: Final = (b"[]", b"1", b'"x"', b"{", b"null", b'{"a":}')
_NO_UTF8: Final = (b"\xff", b"\xc3\x28", b"\xe2\x82")
_FORM, _ORDER, _DATA = (1007,), (1002,), (1003,)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        requirement: What says how it is answered, without the folder's name.
        breaks: The requirement about clients that it breaks, in the same way.
        on: The steps that can be made wrong so.
        codes: The close codes of a right answer; none where every code is right.
        damages: Whether a good message is damaged (`damage_speech`); else it is written so, or in the wrong place.
    """

    requirement: str
    breaks: str
    on: Collection[str]
    codes: Collection[int]
    damages: bool = True


_BODIES, _BINARIES = (TELEMETRY, EVENT), (HEADER, AUDIO)

MISTAKES: Final[Mapping[str, Mapping[str, Mistake]]] = {
    "speech": {
        "short": Mistake("malformed.size-prefix", "client.frame-binary", _BINARIES, _FORM),
        "size-beyond": Mistake("malformed.header-size", "client.frame-binary", _BINARIES, _FORM),
        "binary-utf8": Mistake("malformed.binary-utf8", "client.frame-ascii", _BINARIES, _FORM),
        "empty": Mistake("malformed.text-empty", "client.frame-text", _BODIES, _FORM),
        "text-utf8": Mistake("malformed.text-utf8", "client.frame-text", _BODIES, _FORM),
        "no-separator": Mistake("malformed.text-separator", "client.frame-text", _BODIES, _FORM),
        "no-colon": Mistake("malformed.header-line", "client.frame-text", _BODIES, _FORM),
        "no-path": Mistake("malformed.path", "client.header-path", (*_BODIES, AUDIO), _ORDER),
        "no-id": Mistake("malformed.request-id", "client.request-id", (*_BODIES, AUDIO), _ORDER),
        "short-id": Mistake("malformed.request-id-form", "client.request-id", (*_BODIES, AUDIO), _ORDER),
        "no-time": Mistake("malformed.timestamp", "client.timestamp", (*_BODIES, AUDIO), ()),
        "twice": Mistake("malformed.duplicate-header", "client.header-once", (*_BODIES, AUDIO), (1002, 1007)),
        "no-object": Mistake("malformed.context-json", "client.context-form", (CONFIG, CONTEXT, EVENT), _FORM),
        "no-riff": Mistake("audio.no-header", "client.audio-header", (HEADER,), _FORM, damages=False),
        "codec": Mistake("audio.bad-format", "client.audio-format", (HEADER,), _FORM, damages=False),
        "unconfigured": Mistake("config.before-audio", "client.config-first", (AUDIO,), _ORDER, damages=False),
        "no-context": Mistake("context.required", "client.context-first", (AUDIO,), _ORDER, damages=False),
        "reused-id": Mistake("context.reused-id", "client.request-id", (CONTEXT,), _ORDER, damages=False),
    },
    "translator": {
        "text": Mistake("audio.text-message", "client.binary-only", (AUDIO,), _DATA),
        "no-riff": Mistake("audio.header-first", "client.header-first", (HEADER,), _DATA),
        "codec": Mistake("audio.format", "client.pcm-format", (HEADER,), _DATA),
    },
}
"""By folder and name."""

BESIDE: Final[Mapping[str, str]] = {"speech": "malformed.isolated", "translator": "session.isolation"}
"""What a server owes to a connection beside one on which a mistake is made."""


def damage_speech(name: str, at: int, kind: Kind, head: bytes, body: bytes) -> bytes:
    """Return the payload of a message of the speech dialects that has been damaged.

    Args:
        name: Name of the mistake.
        at: Any number, from which place and extent of the damage follow.
        kind: Kind of the message.
        head: Its header block, without an empty line.
        body: Its body.
    """
    misframed = _misframed(name, at, head, body)
    if misframed is not None:
        return misframed
    lines = _misworded(name, at, head.split(b"\r\n")[:-1])
    head = b"".join(line + b"\r\n" for line in lines)
    return as_text(head, body) if kind is Kind.TEXT else as_binary(head, body)


def _misframed(name: str, at: int, head: bytes, body: bytes) -> bytes | None:
    """Return a message whose parts are not where they should be; None for other mistakes."""
    match name:
        case "short":
            return bytes(at % 2)
        case "size-beyond":
            return as_binary(head, body, min(0xFFFF, len(head) + len(body) + 1 + at))
        case "empty":
            return b""
        case "no-separator":
            return head
        case "text-utf8":
            place = at % (len(body) + 1)
            return as_text(head, body[:place] + b"\xff" + body[place:])
        case "no-object":
            return as_text(head, _NO_OBJECTS[at % len(_NO_OBJECTS)])
        case _:
            return None


def _misworded(name: str, at: int, lines: list[bytes]) -> list[bytes]:
    """Return header lines of which one is wrong."""
    match name:
        case "binary-utf8":
            place = at % len(lines)
            return [*lines[:place], lines[place] + _NO_UTF8[at % len(_NO_UTF8)], *lines[place + 1 :]]
        case "no-colon":
            place = at % (len(lines) + 1)
            return [*lines[:place], (b"nothing", b":no name")[at % 2], *lines[place:]]
        case "no-path":
            return _changed(lines, b"Path:", b"", at)
        case "no-id":
            return _changed(lines, b"X-RequestId:", b"", at)
        case "no-time":
            return _changed(lines, b"X-Timestamp:", b"yesterday", at)
        case "short-id":
            wrong = (b"0" * (at % 32 or 1), b"0" * (33 + at % 9), b"g" * 32)[at % 3]
            return _changed(lines, b"X-RequestId:", wrong, 1)
        case _:
            return [*lines, lines[at % 2]]


def _changed(lines: list[bytes], name: bytes, value: bytes, at: int) -> list[bytes]:
    """Leave out a header, or give it another value: the choice is in whether `at` is odd."""
    kept = [line for line in lines if not line.startswith(name)]
    return [*kept, name + value] if at % 2 else kept
