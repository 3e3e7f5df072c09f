"""How the judge reads single messages of the speech dialects: what was said, and what it means as a result.

Reading is lenient where judging is strict: a final in the other dialect's shape, or with a member of a wrong type, is
still a final, so that one departure is reported once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.judge.reading import Seen
from protocol.errors import PeerViolation
from protocol.speech.framing import UspMessage, read
from protocol.speech.messages import V1, V2
from protocol.wire import Kind, header

AUDIO = "audio"
CONFIG, CONTEXT, EVENT, TELEMETRY, COMMIT = "speech.config", "speech.context", "event", "telemetry", "audio.commit"
TURN_START, TURN_END = "turn.start", "turn.end"
START_DETECTED, END_DETECTED = "speech.startDetected", "speech.endDetected"
HYPOTHESIS, PHRASE, RESPONSE = "translation.hypothesis", "translation.phrase", "translation.response"
PLAIN_HYPOTHESIS, PLAIN_PHRASE = "speech.hypothesis", "speech.phrase"
SYNTHESIS, SYNTHESIS_END = "translation.synthesis", "translation.synthesis.end"
AUDIO_START, AUDIO_END = "audio.start", "audio.end"

PLAIN = "plain"
"""The shape of a result of recognition alone."""

SERVER_TEXTS = (
    TURN_START,
    TURN_END,
    START_DETECTED,
    END_DETECTED,
    HYPOTHESIS,
    PHRASE,
    RESPONSE,
    PLAIN_HYPOTHESIS,
    PLAIN_PHRASE,
    SYNTHESIS_END,
    AUDIO_START,
    AUDIO_END,
)
"""Paths of the text messages that a server sends, spelled as they have to be."""

SERVER_BINARIES = (SYNTHESIS, AUDIO)
"""Paths of its binary messages."""

SERVER_PATHS = (*SERVER_TEXTS, *SERVER_BINARIES)

_SPELLED = {path.lower(): path for path in (*SERVER_PATHS, CONFIG, CONTEXT, EVENT, TELEMETRY, COMMIT)}
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Said:
    """A message of either party.

    Attributes:
        seen: The WebSocket message.
        message: What it reads as, well-formed or not; None where not even a path can be made out.
        path: The known path that it means, or its own as it is spelled; "" where there is none.
        key: Its request id in lower case without dashes: which turn it means, however it is spelled.
        body: The JSON object in a text message, or None.
    """

    seen: Seen
    message: UspMessage | None
    path: str
    key: str
    body: Mapping[str, Any] | None

    @property
    def at(self) -> int:
        """Index of the entry that completes it."""
        return self.seen.last

    @property
    def payload(self) -> bytes:
        """The bytes behind its headers."""
        return self.message.body if self.message is not None else b""


def read_said(seen: Seen) -> Said:
    """Return what a complete WebSocket message says."""
    try:
        message: UspMessage | None = read(seen.kind, seen.data)
    except PeerViolation:
        message = _salvaged(seen)
    if message is None or not message.path:
        return Said(seen, message, "", key_of(message.request_id) if message else "", None)
    path, key = _SPELLED.get(message.path.lower(), message.path), key_of(message.request_id)
    return Said(seen, message, path, key, members_of(message.body) if seen.kind is Kind.TEXT else None)


def _salvaged(seen: Seen) -> UspMessage | None:
    """Return what can be made out of a message that breaks its form: line ends of any kind, headers of any number."""
    if seen.kind is Kind.BINARY:
        end = 2 + int.from_bytes(seen.data[:2], "big")
        block, body = seen.data[2:end], seen.data[end:]
    else:
        block, *rest = _BLANK_LINE.split(seen.data, maxsplit=1)
        body = rest[0] if rest else b""
    fields = (line.partition(":") for line in block.decode(errors="replace").splitlines())
    headers = tuple((name.strip(), value.strip()) for name, colon, value in fields if colon)
    return UspMessage(seen.kind, headers, body) if header(headers, "Path") else None


def key_of(request_id: str) -> str:
    """Return the turn that a request id means, in whatever form."""
    return request_id.lower().replace("-", "")


def members_of(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object that a body is, or None."""
    try:
        members = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One translation of a result: its language tag as the server spells it, and its text."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """A hypothesis or a phrase.

    Attributes:
        said: The message.
        shape: `speech-v1` or `speech-v2` for a translation in that shape, `plain` for recognition alone.
        final: Whether it is a phrase.
        speech: The members around Offset and Duration.
        translation: The members around Translations; empty where there are none.
    """

    said: Said
    shape: str
    final: bool
    speech: Mapping[str, Any]
    translation: Mapping[str, Any]

    @property
    def at(self) -> int:
        """Index of its entry."""
        return self.said.at

    @property
    def status(self) -> str:
        """The RecognitionStatus; "" where there is none."""
        return _text(self.speech.get("RecognitionStatus"))

    @property
    def text(self) -> str:
        """What was said."""
        names = ("DisplayText", "Text") if self.final else ("Text", "DisplayText")
        return next((text for name in names if (text := _text(self.speech.get(name)))), "")

    @property
    def offset(self) -> int | None:
        """Offset in ticks, None where it is no integer."""
        return ticks(self.speech.get("Offset"))

    @property
    def end(self) -> int | None:
        """Offset + Duration in ticks, None where one of them is no integer: a final acknowledges audio up to here."""
        offset, duration = self.offset, ticks(self.speech.get("Duration"))
        return None if offset is None or duration is None else offset + duration

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its translations."""
        found = self.translation.get("Translations")
        members = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return tuple(
            Entry(_text(one.get("Language")), _text(one.get("Text")) or _text(one.get("DisplayText")))
            for one in members
        )

    @property
    def primary(self) -> Mapping[str, Any]:
        """The member PrimaryLanguage; empty where there is none."""
        return _members(self.speech.get("PrimaryLanguage"))

    @property
    def speaks(self) -> bool:
        """Whether it is a final with words."""
        return self.final and self.status == "Success" and bool(self.text)

    @property
    def silent(self) -> bool:
        """Whether it is a final that says that nothing was said."""
        return self.final and (self.status in _SILENT or (self.status == "Success" and not self.text))

    @property
    def failed(self) -> bool:
        """Whether it is a final that reports an error."""
        return self.final and self.status not in {*_SILENT, "Success", "EndOfDictation"}

    @property
    def counts(self) -> bool:
        """Whether it is a final that an application sees; EndOfDictation only acknowledges audio."""
        return self.final and self.status != "EndOfDictation"


_SILENT = frozenset({"NoMatch", "InitialSilenceTimeout", "BabbleTimeout"})


def read_result(said: Said) -> Result | None:
    """Return a message as a result, or None if it is none."""
    if said.body is None:
        return None
    body = said.body
    match said.path:
        case "translation.hypothesis" | "translation.phrase":
            return Result(said, V1, said.path == PHRASE, body, _members(body.get("Translation")))
        case "speech.hypothesis" | "speech.phrase":
            return Result(said, PLAIN, said.path == PLAIN_PHRASE, body, _EMPTY)
        case "translation.response":
            final = "SpeechPhrase" in body
            return Result(said, V2, final, _members(body.get("SpeechPhrase" if final else "SpeechHypothesis")), body)
    return None


def ticks(value: object) -> int | None:
    """Return a time as an integer; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _members(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _EMPTY


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
