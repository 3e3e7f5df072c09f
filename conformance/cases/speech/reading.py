"""What a server of the speech dialects said, read as leniently as can be.

Whether it was said in the right form is judged elsewhere, by the rules of the wire. A case has to understand a server
that departs from one of them, so that one mistake shows up once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.peers.link import Received
from protocol.errors import PeerViolation
from protocol.speech.framing import UspMessage, read
from protocol.wire import Headers, Kind

_PHRASES: Final = ("translation.phrase", "speech.phrase")
_HYPOTHESES: Final = ("translation.hypothesis", "speech.hypothesis", "speech.fragment")
_VOICE: Final = ("audio", "translation.synthesis")
_VOICE_ENDS: Final = ("audio.end", "translation.synthesis.end")
_RESPONSE: Final = "translation.response"
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the server.

    Attributes:
        time: When its last frame came, by the loop's clock.
        message: What it is; without headers if it cannot be read at all.
        members: The JSON object in the body of a text message; empty if there is none.
        path: The path in lower case.
    """

    time: float
    message: UspMessage
    members: Mapping[str, Any]
    path: str = field(init=False)

    def __post_init__(self) -> None:
        # Once: what was heard is looked through again and again.
        object.__setattr__(self, "path", self.message.path.lower())

    # What it is.

    @property
    def turn(self) -> str:
        """The request id in the form in which ids are compared here: letters in lower case, without dashes."""
        return folded(self.message.request_id)

    @property
    def is_final(self) -> bool:
        """Whether it is a final result, of a translation or plain, whatever its status."""
        return self.path in _PHRASES or (self.path == _RESPONSE and "SpeechPhrase" in self.members)

    @property
    def is_interim(self) -> bool:
        """Whether it is a hypothesis, of a translation or plain."""
        return self.path in _HYPOTHESES or (self.path == _RESPONSE and not self.is_final)

    @property
    def is_chunk(self) -> bool:
        """Whether it is a part of a voice."""
        return self.message.kind is Kind.BINARY and self.path in _VOICE

    @property
    def is_voice_end(self) -> bool:
        """Whether it ends a voice."""
        return self.path in _VOICE_ENDS

    # What it says.

    @property
    def speech(self) -> Mapping[str, Any]:
        """The members about what was recognised; in `speech-v2` they are a level deeper."""
        if self.path != _RESPONSE:
            return self.members
        return _object(self.members, "SpeechPhrase") or _object(self.members, "SpeechHypothesis")

    @property
    def translation(self) -> Mapping[str, Any]:
        """The members about the translation; in `speech-v1` they are a level deeper."""
        return self.members if self.path == _RESPONSE else _object(self.members, "Translation")

    @property
    def status(self) -> str:
        """The RecognitionStatus, or ""."""
        return str(self.speech.get("RecognitionStatus", ""))

    @property
    def text(self) -> str:
        """What was recognised, or ""."""
        return _text(self.speech, "DisplayText", "Text")

    @property
    def offset(self) -> int | None:
        """Where it begins, in ticks from the turn's first sample; None where that is not said."""
        return _ticks(self.speech.get("Offset"))

    @property
    def duration(self) -> int | None:
        """How long it is, in ticks; None where that is not said."""
        return _ticks(self.speech.get("Duration"))

    @property
    def covered(self) -> int:
        """Up to where the audio is acknowledged, in ticks: offset and duration together; 0 where they are missing."""
        return (self.offset or 0) + (self.duration or 0)

    @property
    def language(self) -> str | None:
        """The language that was found to be spoken, or None."""
        found = _object(self.speech, "PrimaryLanguage").get("Language")
        return found if isinstance(found, str) else None

    @property
    def translations(self) -> tuple[tuple[str, str], ...]:
        """Language and text of each translation, in order."""
        entries = self.translation.get("Translations")
        found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        return tuple((str(entry.get("Language", "")), _text(entry, "Text", "DisplayText")) for entry in found)

    @property
    def translation_status(self) -> str | None:
        """The TranslationStatus, or None."""
        found = self.translation.get("TranslationStatus")
        return found if isinstance(found, str) else None

    @property
    def failure_reason(self) -> str | None:
        """The FailureReason of a translation or a voice, or None."""
        found = self.translation.get("FailureReason", self.members.get("FailureReason"))
        return found if isinstance(found, str) else None


def heard(received: Received) -> Heard:
    """Return a message of the server as it is to be understood."""
    try:
        message = read(received.kind, received.data)
    except PeerViolation:
        message = _forgiving(received.kind, received.data)
    members = _members(message.body) if message.kind is Kind.TEXT else _NOTHING
    return Heard(received.ended, message, members)


def folded(identity: str) -> str:
    """Return an id in the form in which ids are compared here: letters in lower case, without dashes."""
    return identity.replace("-", "").strip("{}").lower()


def _forgiving(kind: Kind, data: bytes) -> UspMessage:
    """Return what a message without proper form means: bare line feeds, twice the same header, no blank line."""
    if kind is Kind.BINARY:
        size = int.from_bytes(data[:2], "big")
        block, body = data[2 : 2 + size], data[2 + size :]
    else:
        block, *rest = _BLANK_LINE.split(data, maxsplit=1)
        body = rest[0] if rest else b""
    return UspMessage(kind, _fields(block.decode(errors="replace")), body)


def _fields(block: str) -> Headers:
    pairs = (line.partition(":") for line in block.splitlines())
    return tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon and name.strip())


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _NOTHING
    return document if isinstance(document, dict) else _NOTHING


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = members.get(name)
    return found if isinstance(found, dict) else _NOTHING


def _text(members: Mapping[str, Any], *names: str) -> str:
    found = (members.get(name) for name in names)
    return next((text for text in found if isinstance(text, str) and text), "")


def _ticks(value: object) -> int | None:
    """Return a number of ticks, also one that is written as text or as a float."""
    try:
        return int(float(value)) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
