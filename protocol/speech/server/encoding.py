"""How the reference server writes its messages: values of `messages` to the wire, in the form of each dialect."""

from __future__ import annotations

from typing import Any

from protocol.speech.framing import UspMessage, binary, text
from protocol.speech.messages import (
    SUCCESS,
    V1,
    Alternative,
    EndDetected,
    Final,
    Interim,
    ServerMessage,
    StartDetected,
    SynthesisChunk,
    SynthesisEnd,
    SynthesisStart,
    TurnEnd,
    TurnStart,
)
from protocol.wire import Headers

COMMIT_HEADER = "X-Client-Commit-Token"

Members = dict[str, Any]


def encode(dialect: str, request_id: str, message: ServerMessage) -> UspMessage:
    """Return a message of the turn `request_id`, whose id is echoed as the client spelled it."""
    match message:
        case TurnStart(tag):
            return text("turn.start", request_id, {} if tag is None else {"context": {"serviceTag": tag}})
        case StartDetected(offset):
            return text("speech.startDetected", request_id, {"Offset": offset})
        case EndDetected(offset):
            return text("speech.endDetected", request_id, {} if offset is None else {"Offset": offset})
        case Interim():
            return _interim(dialect, request_id, message)
        case Final():
            return _final(dialect, request_id, message)
        case SynthesisStart(stream, language):
            return text("audio.start", request_id, {"TranslationLanguage": language}, _stream(stream))
        case SynthesisChunk(stream, data):
            return binary("translation.synthesis" if stream is None else "audio", request_id, data, _stream(stream))
        case SynthesisEnd():
            return _end(request_id, message)
        case TurnEnd():
            return text("turn.end", request_id, {})
        case _:
            raise ValueError(f"the server says no such thing: {message}")


def _stream(stream: str | None) -> Headers:
    return () if stream is None else (("X-StreamId", stream),)


def _end(request_id: str, end: SynthesisEnd) -> UspMessage:
    """Return the end of a voice with both names of the status; each client looks for another one (fact V-07, V-13)."""
    members: Members = {"SynthesisStatus": end.status, "Status": end.status}
    if end.reason is not None:
        members["FailureReason"] = end.reason
    path = "translation.synthesis.end" if end.stream is None else "audio.end"
    return text(path, request_id, members, _stream(end.stream))


def _interim(dialect: str, request_id: str, interim: Interim) -> UspMessage:
    speech: Members = {"Text": interim.text, "Offset": interim.offset, "Duration": interim.duration}
    if interim.language is not None:
        speech["PrimaryLanguage"] = {"Language": interim.language}
    if not interim.translated:
        return text("speech.hypothesis", request_id, speech)
    translations = [_translation(dialect, one.language, one.text) for one in interim.translations]
    translation = {"TranslationStatus": SUCCESS, "Translations": translations}
    if dialect == V1:
        return text("translation.hypothesis", request_id, {**speech, "Translation": translation})
    return text("translation.response", request_id, {"SpeechHypothesis": {**speech, "Channel": 0}, **translation})


def _final(dialect: str, request_id: str, final: Final) -> UspMessage:
    speech = _phrase(final, "Text" if dialect == V1 and final.translated else "DisplayText")
    if not final.translated:
        return text("speech.phrase", request_id, speech)
    if dialect == V1:
        translation = {"Translation": _translated(dialect, final)} if final.status == SUCCESS else {}
        return text("translation.phrase", request_id, {**speech, **translation})
    return text("translation.response", request_id, {"SpeechPhrase": speech, **_translated(dialect, final)})


def _phrase(final: Final, text_member: str) -> Members:
    """Return what was recognised; nothing was said where the status is not Success (fact P-01)."""
    members: Members = {"RecognitionStatus": final.status, "Offset": final.offset, "Duration": final.duration}
    if final.status == SUCCESS:
        members[text_member] = final.text or ""
    if final.language is not None:
        members["PrimaryLanguage"] = {"Language": final.language, "Confidence": "High"}
    if final.alternatives:
        members["NBest"] = [_alternative(one) for one in final.alternatives]
    if final.commit is not None:
        members["clientAudioMetadata"] = {COMMIT_HEADER: final.commit}
    return members


def _translated(dialect: str, final: Final) -> Members:
    members: Members = {
        "TranslationStatus": final.translation_status or SUCCESS,
        "Translations": [_translation(dialect, one.language, one.text) for one in final.translations],
    }
    if final.failure_reason is not None:
        members["FailureReason"] = final.failure_reason
    return members


def _translation(dialect: str, language: str, words: str) -> Members:
    # In v2 some clients read the one member, some the other (fact V-09).
    both = {} if dialect == V1 else {"DisplayText": words}
    return {"Language": language, "Text": words, **both}


def _alternative(one: Alternative) -> Members:
    return {
        "Confidence": one.confidence,
        "Lexical": one.lexical,
        "ITN": one.itn,
        "MaskedITN": one.masked_itn,
        "Display": one.display,
    }
