"""The handshake of `translator`: what a client may ask for, and how a server says no.

`read_request` judges the parameters of `/speech/translate`. A server checks path, method, upgrade and credentials
before it (translator.handshake.check-order); the rejections of those steps are made of the same `Rejection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from protocol.languages import Catalogue
from protocol.rejection import Rejected, Rejection, error_body, rejected, unauthorized
from protocol.request import Credential, CredentialKind, credential, parameters, parse_query
from protocol.wire import HttpRequest, header

__all__ = [
    "API_VERSION",
    "LANGUAGES_PATH",
    "SPEECH_PATH",
    "TOKEN_PATH",
    "Credential",
    "CredentialKind",
    "Feature",
    "ProfanityAction",
    "ProfanityMarker",
    "Rejected",
    "Rejection",
    "SpeechRequest",
    "VoiceFormat",
    "build_target",
    "check_api_version",
    "credential",
    "error_body",
    "parameters",
    "parse_query",
    "read_request",
    "rejected",
    "unauthorized",
]

SPEECH_PATH: Final = "/speech/translate"
LANGUAGES_PATH: Final = "/languages"
TOKEN_PATH: Final = "/sts/v1.0/issueToken"  # noqa: S105 - a path, not a secret
API_VERSION: Final = "1.0"


class Feature(Enum):
    """What a client may ask for beside final results; the words compare without case."""

    TEXT_TO_SPEECH = "TextToSpeech"
    PARTIAL = "Partial"
    TIMING_INFO = "TimingInfo"


class ProfanityAction(Enum):
    """What happens to profanities."""

    NO_ACTION = "NoAction"
    MARKED = "Marked"
    DELETED = "Deleted"


class ProfanityMarker(Enum):
    """How `Marked` marks a profanity."""

    ASTERISK = "Asterisk"
    TAG = "Tag"


class VoiceFormat(Enum):
    """The format of the voice that is sent back."""

    WAV = "audio/wav"
    MP3 = "audio/mp3"


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """A session as it was agreed: parameters resolved, defaults filled in.

    `source` is a speech key and `target` a text key of the catalogue. `voice` is the asked or the chosen voice; it is
    None without `TextToSpeech`, when `format` is the default, too.
    """

    source: str
    target: str
    features: frozenset[Feature] = frozenset()
    voice: str | None = None
    format: VoiceFormat = VoiceFormat.WAV
    profanity: ProfanityAction = ProfanityAction.MARKED
    marker: ProfanityMarker = ProfanityMarker.ASTERISK
    trace_id: str | None = None
    correlation_id: str | None = None
    client_version: str | None = None
    os_platform: str | None = None


def check_api_version(given: Mapping[str, tuple[str, ...]]) -> None:
    """Raise Rejected unless `api-version` is 1.0 or absent (translator.handshake.api-version-bad)."""
    version = _single(given, "api-version")
    if version not in (None, API_VERSION):
        raise rejected("api-version", API_VERSION, version)


def read_request(request: HttpRequest, catalogue: Catalogue) -> SpeechRequest:
    """Return the session that the upgrade request asks for.

    Unknown parameters are ignored, their order is free. Raises Rejected with status 400 for the first parameter that
    is wrong, in the order api-version, from, to, features, voice, format, ProfanityAction, ProfanityMarker.
    """
    given = parameters(request.query)
    check_api_version(given)
    source = _source(given, catalogue)
    target = _target(given, catalogue, source)
    features = _features(given)
    speaks = Feature.TEXT_TO_SPEECH in features
    return SpeechRequest(
        source=source,
        target=target,
        features=features,
        voice=_voice(given, catalogue, target) if speaks else None,
        format=_choice(given, "format", VoiceFormat.WAV) if speaks else VoiceFormat.WAV,
        profanity=_choice(given, "ProfanityAction", ProfanityAction.MARKED),
        marker=_choice(given, "ProfanityMarker", ProfanityMarker.ASTERISK),
        trace_id=_traced(request, given, "X-ClientTraceId"),
        correlation_id=_traced(request, given, "X-CorrelationId"),
        client_version=_traced(request, given, "X-ClientVersion"),
        os_platform=_traced(request, given, "X-OsPlatform"),
    )


def _single(given: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    """Return the value of a parameter that has one; given twice, both have to agree."""
    values = given.get(name.lower(), ())
    if len(set(values)) > 1:
        raise rejected(name, "one value", ", ".join(values))
    return values[0] if values else None


def _source(given: Mapping[str, tuple[str, ...]], catalogue: Catalogue) -> str:
    value = _single(given, "from")
    key = catalogue.resolve_source(value) if value else None
    if key is None:
        raise rejected("from", _one_of(catalogue.speech), value)
    return key


def _target(given: Mapping[str, tuple[str, ...]], catalogue: Catalogue, source: str) -> str:
    """Return the text key; one session has one target, so neither repetition nor a list is taken.

    It has to be one that the source can be translated into.
    """
    values = given.get("to", ())
    if len(values) > 1 or any("," in value for value in values):
        raise rejected("to", "exactly one text language", ", ".join(values))
    value = values[0] if values else None
    key = catalogue.resolve_target(value) if value else None
    possible = catalogue.targets(catalogue.speech[source].language)
    if key not in possible:
        raise rejected("to", _one_of(possible), value)
    return key


def _features(given: Mapping[str, tuple[str, ...]]) -> frozenset[Feature]:
    """Return the features of the comma-separated list; blanks around words and empty items mean nothing."""
    known = {feature.value.lower(): feature for feature in Feature}
    words = [word.strip() for values in given.get("features", ()) for word in values.split(",")]
    for word in filter(None, words):
        if word.lower() not in known:
            raise rejected("features", f"words out of {', '.join(f.value for f in Feature)}", word)
    return frozenset(known[word.lower()] for word in words if word)


def _voice(given: Mapping[str, tuple[str, ...]], catalogue: Catalogue, target: str) -> str:
    """Return the id of the voice that will speak: the asked one, which has to speak the target, or the default."""
    voices = [voice.id for voice in catalogue.voices_for(target)]
    asked = _single(given, "voice")
    if not voices:
        speakable = ", ".join(dict.fromkeys(voice.language for voice in catalogue.voices.values()))
        allowed = f"'{target}' without TextToSpeech, or a target with a voice ({speakable or 'none here'})"
        raise rejected("features", allowed, Feature.TEXT_TO_SPEECH.value)
    if asked is None:
        return voices[0]
    if asked not in voices:
        raise rejected("voice", f"a voice that speaks '{target}', {_one_of(voices)}", asked)
    return asked


_Choice = TypeVar("_Choice", bound=Enum)


def _choice(given: Mapping[str, tuple[str, ...]], name: str, default: _Choice) -> _Choice:
    """Return the member of the default's enum that the parameter names exactly, or the default."""
    value = _single(given, name)
    if value is None:
        return default
    found = next((member for member in type(default) if member.value == value), None)
    if found is None:
        raise rejected(name, _one_of(str(member.value) for member in type(default)), value)
    return found


def _traced(request: HttpRequest, given: Mapping[str, tuple[str, ...]], name: str) -> str | None:
    """Return the header of that name, else its query twin (translator.handshake.trace-headers)."""
    return header(request.headers, name) or next(iter(given.get(name.lower(), ())), None)


def _one_of(values: Iterable[str]) -> str:
    return f"one of {', '.join(values)}"


def build_target(
    path: str = SPEECH_PATH,
    *,
    source: str | None,
    target: str | None,
    features: str | Iterable[Feature | str] = (),
    voice: str | None = None,
    format: VoiceFormat | str | None = None,  # noqa: A002 - the parameter's name on the wire
    profanity: ProfanityAction | str | None = None,
    marker: ProfanityMarker | str | None = None,
    api_version: str | None = API_VERSION,
    extra: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the request target of an upgrade: path and encoded query, `extra` pairs last.

    What is None, or an empty list of features, is left out; a string is sent as it is, right or wrong. A set of
    features is sent in alphabetical order. A query that `path` already has stays in front.
    """
    if isinstance(features, Set):
        features = sorted(features, key=_word)
    words = features if isinstance(features, str) else ",".join(map(_word, features)) or None
    pairs = (
        ("api-version", api_version),
        ("from", source),
        ("to", target),
        ("features", words),
        ("voice", voice),
        ("format", format and _word(format)),
        ("ProfanityAction", profanity and _word(profanity)),
        ("ProfanityMarker", marker and _word(marker)),
    )
    query = [(name, value) for name, value in pairs if value is not None]
    encoded = urlencode([*query, *extra], safe=",/", quote_via=quote)
    if not encoded:
        return path
    return f"{path}{'&' if '?' in path else '?'}{encoded}"


def _word(value: Enum | str) -> str:
    return str(value.value) if isinstance(value, Enum) else value
