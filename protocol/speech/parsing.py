"""Reading what a server says: a message of the wire becomes a value of `messages`, or a violation.

Both shapes of results are read whatever the dialect, since the official SDKs take either on every path (facts B3).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from protocol.errors import PeerViolation
from protocol.speech.framing import UspMessage
from protocol.speech.messages import (
    SUCCESS,
    Alternative,
    EndDetected,
    Final,
    Interim,
    Other,
    ServerMessage,
    StartDetected,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    Translation,
    TurnEnd,
    TurnStart,
)
from protocol.validate import validator
from protocol.wire import Kind

TEXT_JSON = "speech.frame.text-json"

FORGIVEN = frozenset({"speech.turn.start-form", "speech.result.no-text-unless-success"})
"""Departures that hide nothing: every client reads such a message, and a result must not be lost for it."""


def parse(message: UspMessage) -> ServerMessage:
    """Return what a server's message says.

    Raises:
        PeerViolation: The body is no JSON object (speech.frame.text-json), or not valid against the schema of its
            path; then the requirement is the one that the schema names. What is in `FORGIVEN` is read all the same.
    """
    if message.kind is Kind.BINARY:
        if message.path in ("audio", "translation.synthesis"):
            return SynthesisChunk(message.stream_id, message.body)
        return Other(message.path)
    if message.path == "turn.end":
        return TurnEnd()
    if message.path not in READERS:
        return Other(message.path)
    schema, reader = READERS[message.path]
    members = parse_object(message.body)
    for error in validator(f"speech/{schema}").errors(members):
        if error.requirement not in FORGIVEN:
            raise error
    return reader(members, message)


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; PeerViolation (speech.frame.text-json) if there is none."""
    try:
        members = _value(body)
    except (ValueError, RecursionError) as error:
        raise PeerViolation(TEXT_JSON, "body", "a JSON object in UTF-8", f"something else ({error})") from None
    if not isinstance(members, dict):
        raise PeerViolation(TEXT_JSON, "body", "a JSON object in UTF-8", f"a JSON {type(members).__name__}")
    return members


def _value(body: bytes) -> Any:
    """Return the JSON value of a body; ValueError also for what Python's reader takes and clients do not.

    That is another coding, a byte order mark, NaN and Infinity, and half of a surrogate pair.
    """
    text = body.decode()
    value = json.loads(text, parse_constant=_refuse)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"the word {word}")


Members = Mapping[str, Any]


def _turn_start(members: Members, _: UspMessage) -> ServerMessage:
    context = members.get("context")
    tag = context.get("serviceTag") if isinstance(context, dict) else None
    return TurnStart(tag if isinstance(tag, str) else None)


def _start_detected(members: Members, _: UspMessage) -> ServerMessage:
    return StartDetected(members["Offset"])


def _end_detected(members: Members, _: UspMessage) -> ServerMessage:
    return EndDetected(members.get("Offset"))


def _hypothesis(members: Members, message: UspMessage) -> ServerMessage:
    translated = message.path == "translation.hypothesis"
    translation = members.get("Translation", {}) if translated else {}
    return _interim(members, translation, translated=translated)


def _phrase(members: Members, message: UspMessage) -> ServerMessage:
    translated = message.path == "translation.phrase"
    text = members.get("Text" if translated else "DisplayText")
    return _final(members, text, members.get("Translation", {}) if translated else {}, translated=translated)


def _response(members: Members, _: UspMessage) -> ServerMessage:
    if "SpeechPhrase" in members:
        return _final(members["SpeechPhrase"], members["SpeechPhrase"].get("DisplayText"), members, translated=True)
    return _interim(members["SpeechHypothesis"], members, translated=True)


def _interim(speech: Members, translation: Members, *, translated: bool) -> Interim:
    texts, language = _translations(translation), speech.get("PrimaryLanguage", {}).get("Language")
    return Interim(speech["Text"], speech["Offset"], speech["Duration"], texts, language, translated)


def _final(speech: Members, text: str | None, translation: Members, *, translated: bool) -> Final:
    alternatives = tuple(map(_alternative, speech.get("NBest", ())))
    status = speech["RecognitionStatus"]
    if status != SUCCESS:
        text = None  # nothing was said, whatever stands there
    elif text is None:
        text = alternatives[0].display  # detailed output of a plain phrase may say it there alone (fact V-09)
    return Final(
        status=status,
        offset=speech["Offset"],
        duration=speech["Duration"],
        text=text,
        translations=_translations(translation) if status == SUCCESS else (),
        translation_status=translation.get("TranslationStatus"),
        failure_reason=translation.get("FailureReason"),
        language=speech.get("PrimaryLanguage", {}).get("Language"),
        alternatives=alternatives,
        commit=speech.get("clientAudioMetadata", {}).get("X-Client-Commit-Token"),
        translated=translated,
    )


def _translations(members: Members) -> tuple[Translation, ...]:
    # The text stands in Text, and where that is absent or empty in DisplayText (fact V-09).
    return tuple(Translation(one["Language"], _words(one)) for one in members.get("Translations", ()))


def _words(translation: Members) -> str:
    named = (translation.get(name) for name in ("Text", "DisplayText"))
    return next((words for words in named if isinstance(words, str) and words), "")


def _alternative(members: Members) -> Alternative:
    return Alternative(*(members[name] for name in ("Confidence", "Lexical", "ITN", "MaskedITN", "Display")))


def _synthesis_start(members: Members, message: UspMessage) -> ServerMessage:
    return SynthesisStart(message.stream_id, members["TranslationLanguage"])


def _synthesis_end(members: Members, message: UspMessage) -> ServerMessage:
    status = members["Status" if message.path == "audio.end" else "SynthesisStatus"]
    return SynthesisEnd(message.stream_id, status, members.get("FailureReason"))


READERS: Mapping[str, tuple[str, Callable[[Members, UspMessage], ServerMessage]]] = {
    "turn.start": ("turn-start", _turn_start),
    "speech.startDetected": ("start-detected", _start_detected),
    "speech.endDetected": ("end-detected", _end_detected),
    "translation.hypothesis": ("translation-hypothesis", _hypothesis),
    "translation.phrase": ("translation-phrase", _phrase),
    "translation.response": ("translation-response", _response),
    "speech.hypothesis": ("speech-hypothesis", _hypothesis),
    "speech.phrase": ("speech-phrase", _phrase),
    "translation.synthesis.end": ("synthesis-end", _synthesis_end),
    "audio.start": ("audio-start", _synthesis_start),
    "audio.end": ("audio-end", _synthesis_end),
}
"""The text messages with a JSON body: the name of the schema below `speech/`, and how its members are read."""
