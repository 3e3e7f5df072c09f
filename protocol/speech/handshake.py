"""The handshake of the speech dialects: what a client may ask for in path, query and headers.

A server refuses only what it cannot serve at all: the connection id. Languages, voices and numbers that are wrong show
later, in the turn (fact P-19), and unknown parameters are nobody's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urlencode

from protocol.rejection import rejected
from protocol.request import CredentialKind, parameters
from protocol.speech.messages import V1, V2
from protocol.wire import HttpRequest, header

PATHS: Mapping[str, tuple[str, ...]] = {
    V1: ("/speech/translation/cognitiveservices/v1",),
    V2: ("/stt/speech/universal/v2", "/speech/universal/v2"),
}
"""The paths of each dialect, the usual one first (facts E-01 to E-03)."""

CREDENTIAL_NAMES: Mapping[CredentialKind, tuple[str, str]] = {
    CredentialKind.TOKEN: ("Authorization", "authorization"),
    CredentialKind.KEY: ("Ocp-Apim-Subscription-Key", "ocp-apim-subscription-key"),
}
"""Header and query parameter of each credential: a browser can set no header (fact H-06)."""

CONNECTION_ID = "X-ConnectionId"

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,9}")


class Mode(Enum):
    """How a turn is segmented; the words compare without case. Where nobody says it, the mode is unknown (None)."""

    INTERACTIVE = "interactive"
    CONVERSATION = "conversation"
    DICTATION = "dictation"

    @classmethod
    def of(cls, word: object) -> Mode | None:
        """Return the mode that a word names, or None."""
        known = {mode.value: mode for mode in cls}
        return known.get(word.lower()) if isinstance(word, str) else None


class Profanity(Enum):
    """What happens to profanities; the words compare without case."""

    MASKED = "masked"
    REMOVED = "removed"
    RAW = "raw"
    TAGGED = "tagged"

    @classmethod
    def of(cls, word: object) -> Profanity | None:
        """Return the treatment that a word names, or None."""
        known = {treatment.value: treatment for treatment in cls}
        return known.get(word.lower()) if isinstance(word, str) else None


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What an upgrade request says; turns may say otherwise.

    Attributes:
        dialect: `speech-v1` or `speech-v2`.
        connection_id: As the client spelled it.
        source: Language tag of the speech, or None.
        targets: Language tags of the translations, in order, each once.
        mode: Of `scenario`, or None.
        voice: Name of the voice to speak with, which switches synthesis on, or None.
        old_voice: Whether `features` says `texttospeech`, as JS of before 1.44 does.
        profanity: Treatment, or None.
        detailed: Whether `format=detailed` was asked for.
        initial_silence_ms: Of `initialSilenceTimeoutMs`, or None.
        segmentation_ms: Silence that ends an utterance, or None.
    """

    dialect: str
    connection_id: str
    source: str | None = None
    targets: tuple[str, ...] = ()
    mode: Mode | None = None
    voice: str | None = None
    old_voice: bool = False
    profanity: Profanity | None = None
    detailed: bool = False
    initial_silence_ms: int | None = None
    segmentation_ms: int | None = None

    @property
    def streams(self) -> bool:
        """Whether voices go out as streams: in v2, but not to clients whose reader dies at one (JS of before 1.44)."""
        return self.dialect == V2 and not self.old_voice


def read_request(request: HttpRequest, dialect: str) -> SpeechRequest:
    """Return what the upgrade request says.

    Parameter names compare without case; an empty value equals an absent one (a bare `from` among them); `to` may be
    repeated, comma-joined and name a language twice (speech.query.to-comma, to-repeated, to-duplicate).

    Raises:
        Rejected: With status 400, where the connection id is missing or no UUID (speech.handshake.connection-id-…).
    """
    given = parameters(request.query)
    return SpeechRequest(
        dialect=dialect,
        connection_id=_connection_id(request, given),
        source=_first(given, "from") or _first(given, "language"),
        targets=_targets(given.get("to", ())),
        mode=Mode.of(_first(given, "scenario")),
        voice=_first(given, "voice"),
        old_voice=(_first(given, "features") or "").lower() == "texttospeech",
        profanity=Profanity.of(_first(given, "profanity")),
        detailed=(_first(given, "format") or "").lower() == "detailed",
        initial_silence_ms=_number(given, "initialsilencetimeoutms"),
        segmentation_ms=_number(given, "segmentationsilencetimeoutms") or _number(given, "endsilencetimeoutms"),
    )


def _connection_id(request: HttpRequest, given: Mapping[str, tuple[str, ...]]) -> str:
    value = header(request.headers, CONNECTION_ID) or _first(given, CONNECTION_ID.lower())
    if not value or not _ID.fullmatch(value):
        raise rejected(CONNECTION_ID, "a UUID in the header or the query", value or None)
    return value


def _first(given: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    return next(iter(given.get(name, ())), None)


def _number(given: Mapping[str, tuple[str, ...]], name: str) -> int | None:
    value = _first(given, name) or ""
    return int(value) if _NUMBER.fullmatch(value) else None


def _targets(values: Iterable[str]) -> tuple[str, ...]:
    words = (word.strip() for value in values for word in value.split(","))
    return tuple(dict.fromkeys(filter(None, words)))


def build_target(
    path: str,
    *,
    source: str | None = None,
    targets: Sequence[str] = (),
    mode: Mode | None = None,
    voice: str | None = None,
    joined: bool = True,
    extra: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the request target of an upgrade: path and encoded query, `extra` pairs last.

    What is None is left out; several targets are comma-joined, or each a parameter of its own. A query that `path`
    already has stays in front.
    """
    to = [("to", ",".join(targets))] if joined and targets else [("to", target) for target in targets]
    pairs = [
        *([("from", source)] if source is not None else []),
        *to,
        *([("scenario", mode.value)] if mode is not None else []),
        *([("voice", voice), ("features", "requireVoice")] if voice is not None else []),
        *extra,
    ]
    if not pairs:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(pairs, quote_via=quote)}"
