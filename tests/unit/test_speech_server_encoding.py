"""The reference server's messages, as they stand on the wire of each dialect."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.speech import framing
from protocol.speech.framing import UspMessage
from protocol.speech.messages import (
    ERROR,
    STATUSES,
    SUCCESS,
    V1,
    V2,
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
from protocol.speech.parsing import READERS, parse
from protocol.speech.server.encoding import encode
from protocol.validate import validator
from protocol.wire import Kind

ID = "0123456789abcdef0123456789ABCDEF"
DIALECTS = st.sampled_from([V1, V2])
TICKS = st.integers(0, 2**63 - 1)
SOMETHING = st.text(min_size=1)
STREAMS = st.none() | st.integers(0).map(str)
TRANSLATIONS = st.lists(st.builds(Translation, SOMETHING, st.text()), max_size=4).map(tuple)
CONFIDENCE = st.floats(0, 1)
ALTERNATIVES = st.lists(st.builds(Alternative, CONFIDENCE, *[st.text()] * 4), max_size=3).map(tuple)


def finals(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Final]:
    common = {"offset": TICKS, "duration": TICKS, "language": st.none() | SOMETHING, "commit": st.none() | st.text()}
    return st.builds(Final, **{**common, **fields})


FINALS = (
    finals(
        status=st.just(SUCCESS),
        text=st.text(),
        translations=TRANSLATIONS,
        translation_status=st.just(SUCCESS),
        alternatives=ALTERNATIVES,
    )
    | finals(
        status=st.just(SUCCESS),
        text=st.text(),
        translations=TRANSLATIONS,
        translation_status=st.just(ERROR),
        failure_reason=SOMETHING,
    )
    | finals(status=st.sampled_from(STATUSES[1:]))
    | finals(status=st.just(SUCCESS), text=st.text(), alternatives=ALTERNATIVES, translated=st.just(False))
    | finals(status=st.sampled_from(STATUSES[1:]), translated=st.just(False))
)
INTERIMS = st.builds(Interim, st.text(), TICKS, TICKS, TRANSLATIONS, st.none() | SOMETHING) | st.builds(
    Interim, st.text(), TICKS, TICKS, language=st.none() | SOMETHING, translated=st.just(False)
)
MESSAGES = (
    st.builds(TurnStart, SOMETHING)
    | st.builds(StartDetected, TICKS)
    | st.builds(EndDetected, st.none() | TICKS)
    | INTERIMS
    | FINALS
    | st.builds(SynthesisStart, STREAMS, SOMETHING)
    | st.builds(SynthesisChunk, STREAMS, st.binary())
    | st.builds(SynthesisEnd, STREAMS, st.just(SUCCESS))
    | st.builds(SynthesisEnd, STREAMS, st.just(ERROR), SOMETHING)
    | st.just(TurnEnd())
)

BOTH = (Translation("de", "hallo"), Translation("fr", "salut"))
BEST = Alternative(0.5, "a", "b", "c", "d")


def body(dialect: str, message: ServerMessage) -> tuple[str, Any]:
    """Return path and body of a text message."""
    encoded = encode(dialect, ID, message)
    assert encoded.kind is Kind.TEXT
    return encoded.path, json.loads(encoded.body)


def told(dialect: str, message: ServerMessage) -> ServerMessage:
    """Return what a client is told: in v2 every final of a translation has a status of it."""
    if isinstance(message, Final) and dialect == V2 and message.translated and message.translation_status is None:
        return replace(message, translation_status=SUCCESS)
    return message


class TestEveryMessage:
    @given(DIALECTS, MESSAGES)
    def test_comes_back_from_the_wire(self, dialect: str, message: ServerMessage) -> None:
        written = framing.write(encode(dialect, ID, message))
        assert parse(framing.read(written.kind, written.data)) == told(dialect, message)

    @given(DIALECTS, MESSAGES)
    def test_departs_in_nothing_from_its_form(self, dialect: str, message: ServerMessage) -> None:
        written = framing.write(encode(dialect, ID, message))
        assert framing.departures(written.kind, written.data) == ()
        if written.kind is Kind.TEXT:
            assert written.data.count(b"\r\n\r\n") == 1

    @given(DIALECTS, MESSAGES)
    def test_is_valid_against_its_schema(self, dialect: str, message: ServerMessage) -> None:
        encoded = encode(dialect, ID, message)
        if encoded.path in READERS:
            assert validator(f"speech/{READERS[encoded.path][0]}").errors(json.loads(encoded.body)) == ()
        else:
            assert encoded.path in ("turn.end", "audio", "translation.synthesis")

    @pytest.mark.parametrize("dialect", [V1, V2])
    def test_echoes_the_id_of_the_turn_as_it_was_spelled(self, dialect: str) -> None:
        for message in (TurnEnd(), SynthesisChunk("1", b"x")):
            assert encode(dialect, ID, message).request_id == ID

    def test_is_one_that_the_protocol_knows(self) -> None:
        with pytest.raises(ValueError, match="news"):
            encode(V2, ID, Other("news"))


@pytest.mark.parametrize("dialect", [V1, V2])
class TestSameInBoth:
    @pytest.mark.parametrize(
        ("message", "path", "members"),
        [
            (TurnStart("tag"), "turn.start", {"context": {"serviceTag": "tag"}}),
            (TurnStart(None), "turn.start", {}),
            (StartDetected(5), "speech.startDetected", {"Offset": 5}),
            (EndDetected(6), "speech.endDetected", {"Offset": 6}),
            (EndDetected(), "speech.endDetected", {}),
            (TurnEnd(), "turn.end", {}),
            (Interim("a", 1, 2, translated=False), "speech.hypothesis", {"Text": "a", "Offset": 1, "Duration": 2}),
            (
                Final(SUCCESS, 1, 2, "a", translated=False),
                "speech.phrase",
                {"RecognitionStatus": "Success", "Offset": 1, "Duration": 2, "DisplayText": "a"},
            ),
        ],
    )
    def test_path_and_body(self, dialect: str, message: ServerMessage, path: str, members: dict[str, Any]) -> None:
        assert body(dialect, message) == (path, members)

    def test_alternatives_language_and_commit_of_a_phrase(self, dialect: str) -> None:
        final = Final(SUCCESS, 1, 2, "a", language="en", alternatives=(BEST,), commit="7", translated=False)
        _, members = body(dialect, final)
        assert members["PrimaryLanguage"] == {"Language": "en", "Confidence": "High"}
        assert members["NBest"] == [{"Confidence": 0.5, "Lexical": "a", "ITN": "b", "MaskedITN": "c", "Display": "d"}]
        assert members["clientAudioMetadata"] == {"X-Client-Commit-Token": "7"}


class TestV1:
    def test_interim(self) -> None:
        found = [{"Language": "de", "Text": "hallo"}, {"Language": "fr", "Text": "salut"}]
        translation = {"TranslationStatus": "Success", "Translations": found}
        assert body(V1, Interim("hello", 1, 2, BOTH)) == (
            "translation.hypothesis",
            {"Text": "hello", "Offset": 1, "Duration": 2, "Translation": translation},
        )

    def test_final(self) -> None:
        found = [{"Language": "de", "Text": "hallo"}]
        assert body(V1, Final(SUCCESS, 1, 2, "hello", BOTH[:1], SUCCESS)) == (
            "translation.phrase",
            {
                "RecognitionStatus": "Success",
                "Offset": 1,
                "Duration": 2,
                "Text": "hello",
                "Translation": {"TranslationStatus": "Success", "Translations": found},
            },
        )

    def test_final_without_a_translation_says_why(self) -> None:
        path, members = body(V1, Final(SUCCESS, 1, 2, None, (), ERROR, "no such language"))
        why = {"TranslationStatus": "Error", "Translations": [], "FailureReason": "no such language"}
        assert (path, members["Text"], members["Translation"]) == ("translation.phrase", "", why)

    def test_final_of_silence_has_neither_text_nor_translation(self) -> None:
        members = {"RecognitionStatus": "NoMatch", "Offset": 1, "Duration": 2}
        assert body(V1, Final("NoMatch", 1, 2, "ignored")) == ("translation.phrase", members)

    def test_voice(self) -> None:
        chunk = encode(V1, ID, SynthesisChunk(None, b"RIFF"))
        headers = (("X-RequestId", ID), ("Path", "translation.synthesis"))
        assert chunk == UspMessage(Kind.BINARY, headers, b"RIFF")
        end = ("translation.synthesis.end", {"SynthesisStatus": "Success", "Status": "Success"})
        assert body(V1, SynthesisEnd(None, SUCCESS)) == end


class TestV2:
    FOUND = ({"Language": "de", "Text": "hallo", "DisplayText": "hallo"},)

    def test_interim(self) -> None:
        path, members = body(V2, Interim("hello", 1, 2, BOTH[:1], "en-US"))
        assert path == "translation.response"
        assert members == {
            "SpeechHypothesis": {
                "Text": "hello",
                "Offset": 1,
                "Duration": 2,
                "PrimaryLanguage": {"Language": "en-US"},
                "Channel": 0,
            },
            "TranslationStatus": "Success",
            "Translations": list(self.FOUND),
        }

    def test_final(self) -> None:
        phrase = {"RecognitionStatus": "Success", "Offset": 1, "Duration": 2, "DisplayText": "hello"}
        assert body(V2, Final(SUCCESS, 1, 2, "hello", BOTH[:1], SUCCESS)) == (
            "translation.response",
            {"SpeechPhrase": phrase, "TranslationStatus": "Success", "Translations": list(self.FOUND)},
        )

    def test_final_of_silence_has_an_empty_translation(self) -> None:
        phrase = {"RecognitionStatus": "InitialSilenceTimeout", "Offset": 1, "Duration": 2}
        assert body(V2, Final("InitialSilenceTimeout", 1, 2)) == (
            "translation.response",
            {"SpeechPhrase": phrase, "TranslationStatus": "Success", "Translations": []},
        )

    def test_voice_is_a_stream_of_its_own(self) -> None:
        said = (SynthesisStart("3", "de"), SynthesisChunk("3", b"RIFF"), SynthesisEnd("3", ERROR, "no voice"))
        messages = [encode(V2, ID, one) for one in said]
        assert [one.path for one in messages] == ["audio.start", "audio", "audio.end"]
        assert [one.stream_id for one in messages] == ["3", "3", "3"]
        assert body(V2, said[0])[1] == {"TranslationLanguage": "de"}
        why = {"SynthesisStatus": "Error", "Status": "Error", "FailureReason": "no voice"}
        assert body(V2, said[2])[1] == why
