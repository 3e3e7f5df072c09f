"""What a server of the speech dialects says, read from the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas
from protocol import requirements
from protocol.errors import PeerViolation
from protocol.speech.framing import UspMessage
from protocol.speech.messages import (
    STATUSES,
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
from protocol.speech.parsing import FORGIVEN, READERS, parse, parse_object
from protocol.wire import Headers, Kind

HEARD = {"Text": "hello", "Offset": 10, "Duration": 20}
SAID = {"RecognitionStatus": "Success", "Offset": 10, "Duration": 20}
BEST = {"Confidence": 0.5, "Lexical": "hello", "ITN": "hello", "MaskedITN": "hello", "Display": "Hello."}
ALTERNATIVE = Alternative(0.5, "hello", "hello", "hello", "Hello.")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def raw(path: str, body: bytes, headers: Headers = ()) -> UspMessage:
    return UspMessage(Kind.TEXT, (("Path", path), *headers), body)


def said(path: str, body: Mapping[str, object], headers: Headers = ()) -> ServerMessage:
    return parse(raw(path, json.dumps(body).encode(), headers))


def refused(message: UspMessage) -> PeerViolation:
    with pytest.raises(PeerViolation) as caught:
        parse(message)
    str(caught.value).encode()  # a person can read it
    return caught.value


def translated(*texts: tuple[str, str], **members: object) -> dict[str, object]:
    found = [{"Language": language, "Text": words} for language, words in texts]
    return {"TranslationStatus": "Success", "Translations": found, **members}


class TestTurn:
    def test_start_names_it(self) -> None:
        assert said("turn.start", {"context": {"serviceTag": "tag"}}) == TurnStart("tag")

    @pytest.mark.parametrize("body", [b"", b"{}", b"nonsense"])
    def test_end_has_no_body_that_counts(self, body: bytes) -> None:
        assert parse(raw("turn.end", body)) == TurnEnd()


class TestDetected:
    def test_start_and_end_have_an_offset(self) -> None:
        assert said("speech.startDetected", {"Offset": 1_000_000}) == StartDetected(1_000_000)
        assert said("speech.endDetected", {"Offset": 2_000_000}) == EndDetected(2_000_000)

    def test_end_may_leave_it_out(self) -> None:
        assert said("speech.endDetected", {}) == EndDetected(None)
        assert refused(raw("speech.startDetected", b"{}")).requirement == "speech.detected.start-form"


class TestInterim:
    def test_of_v1(self) -> None:
        body = {**HEARD, "Translation": translated(("de", "hallo"), ("fr", "salut"))}
        both = (Translation("de", "hallo"), Translation("fr", "salut"))
        assert said("translation.hypothesis", body) == Interim("hello", 10, 20, both)

    def test_of_v2(self) -> None:
        body = {"SpeechHypothesis": {**HEARD, "PrimaryLanguage": {"Language": "en-US"}}, **translated(("de", "hallo"))}
        assert said("translation.response", body) == Interim("hello", 10, 20, (Translation("de", "hallo"),), "en-US")

    def test_of_plain_recognition_has_no_translations_whatever_stands_there(self) -> None:
        body = {**HEARD, "Translation": 5}
        assert said("speech.hypothesis", body) == Interim("hello", 10, 20, translated=False)


class TestFinal:
    def test_of_v1(self) -> None:
        body = {**SAID, "Text": "Hello.", "DisplayText": 5, "Translation": translated(("de", "Hallo."))}
        expected = Final("Success", 10, 20, "Hello.", (Translation("de", "Hallo."),), "Success")
        assert said("translation.phrase", body) == expected

    def test_of_v2(self) -> None:
        phrase = {**SAID, "DisplayText": "Hello.", "PrimaryLanguage": {"Language": "en-US", "Confidence": "Low"}}
        body = {"SpeechPhrase": {**phrase, "NBest": [BEST], "Text": 5}, **translated(("de", "Hallo."))}
        assert said("translation.response", body) == Final(
            "Success",
            10,
            20,
            "Hello.",
            (Translation("de", "Hallo."),),
            "Success",
            language="en-US",
            alternatives=(ALTERNATIVE,),
        )

    def test_of_plain_recognition(self) -> None:
        body = {**SAID, "DisplayText": "Hello.", "Translation": 5}
        assert said("speech.phrase", body) == Final("Success", 10, 20, "Hello.", translated=False)

    def test_of_plain_recognition_may_say_its_text_in_the_best_alternative(self) -> None:
        final = said("speech.phrase", {**SAID, "NBest": [BEST, {**BEST, "Display": "Yellow."}]})
        assert isinstance(final, Final)
        assert final.text == "Hello."
        assert [one.display for one in final.alternatives] == ["Hello.", "Yellow."]

    @pytest.mark.parametrize("status", STATUSES[1:])
    def test_of_another_status_has_no_text(self, status: str) -> None:
        phrase = {**SAID, "RecognitionStatus": status}
        assert said("translation.phrase", phrase) == Final(status, 10, 20)
        body = {"SpeechPhrase": {**phrase, "NBest": [BEST]}, "TranslationStatus": "Success"}
        expected = Final(status, 10, 20, translation_status="Success", alternatives=(ALTERNATIVE,))
        assert said("translation.response", body) == expected

    def test_says_why_there_is_no_translation(self) -> None:
        why = {"TranslationStatus": "Error", "FailureReason": "no such language"}
        expected = Final("Success", 10, 20, "a", (), "Error", "no such language")
        assert said("translation.phrase", {**SAID, "Text": "a", "Translation": why}) == expected
        assert said("translation.response", {"SpeechPhrase": {**SAID, "DisplayText": "a"}, **why}) == expected

    def test_acknowledges_a_commit(self) -> None:
        body = {**SAID, "RecognitionStatus": "NoMatch", "clientAudioMetadata": {"X-Client-Commit-Token": "7"}}
        assert said("translation.phrase", body) == Final("NoMatch", 10, 20, commit="7")
        body["clientAudioMetadata"] = {}
        assert said("translation.phrase", body) == Final("NoMatch", 10, 20)


class TestTranslation:
    @pytest.mark.parametrize(
        ("members", "text"),
        [
            ({"Text": "a", "DisplayText": "b"}, "a"),
            ({"Text": "", "DisplayText": "b"}, "b"),
            ({"DisplayText": "b"}, "b"),
            ({"Text": ""}, ""),
        ],
    )
    def test_stands_in_text_or_else_in_display_text(self, members: dict[str, str], text: str) -> None:
        body = {"SpeechHypothesis": HEARD, **translated(), "Translations": [{"Language": "de", **members}]}
        interim = said("translation.response", body)
        assert isinstance(interim, Interim)
        assert interim.translations == (Translation("de", text),)

    def test_is_a_text_whatever_stands_in_members_of_no_meaning(self) -> None:
        body = {**HEARD, "Translation": {"Translations": [{"Language": "de", "Text": "", "DisplayText": 5}]}}
        assert said("translation.hypothesis", body) == Interim("hello", 10, 20, (Translation("de", ""),))


class TestSynthesis:
    def test_begins_on_a_stream(self) -> None:
        body, stream = {"TranslationLanguage": "de"}, (("X-StreamId", "3"),)
        assert said("audio.start", body, stream) == SynthesisStart("3", "de")
        assert said("audio.start", body) == SynthesisStart(None, "de")

    @pytest.mark.parametrize("path", ["audio", "translation.synthesis"])
    def test_comes_in_parts(self, path: str) -> None:
        headers = (("Path", path), ("X-StreamId", "3"))
        assert parse(UspMessage(Kind.BINARY, headers, b"RIFF")) == SynthesisChunk("3", b"RIFF")

    def test_ends_with_the_status_that_each_dialect_names(self) -> None:
        assert said("audio.end", {"Status": "Success", "SynthesisStatus": 5}) == SynthesisEnd(None, "Success")
        assert said("translation.synthesis.end", {"SynthesisStatus": "Success", "Status": 5}) == SynthesisEnd(
            None, "Success"
        )

    def test_ends_with_a_reason_if_it_failed(self) -> None:
        body = {"Status": "Error", "FailureReason": "no voice"}
        assert said("audio.end", body, (("X-StreamId", "3"),)) == SynthesisEnd("3", "Error", "no voice")


class TestOther:
    @pytest.mark.parametrize("path", ["news", "", "Turn.Start", "turn.END", "audio"])
    def test_is_what_a_text_of_another_path_says(self, path: str) -> None:
        assert parse(raw(path, b"")) == Other(path)

    @pytest.mark.parametrize("path", ["turn.start", "turn.end", "Audio", ""])
    def test_is_what_a_binary_message_of_another_path_says(self, path: str) -> None:
        assert parse(UspMessage(Kind.BINARY, (("Path", path),), b"")) == Other(path)


class TestBody:
    @pytest.mark.parametrize(
        ("body", "observed"),
        [
            (b"[]", "a JSON list"),
            (b'"text"', "a JSON str"),
            (b"null", "a JSON NoneType"),
            (b"", "Expecting value"),
            (b'{"Offset": 1', "Expecting ',' delimiter"),
            (b"{}{}", "Extra data"),
            (b'{"a": NaN}', "the word NaN"),
            (b'{"a": [-Infinity]}', "the word -Infinity"),
            (b"\xef\xbb\xbf{}", "BOM"),
            ("{}".encode("utf-16-le"), "Expecting property name"),
            (b'{"a": "\xff"}', "can't decode byte 0xff"),
            (rb'{"a": ["\ud83d"]}', "surrogates not allowed"),
            (rb'{"\udea9": 1}', "surrogates not allowed"),
            (b'{"a":' * 100_000, "recursion"),
        ],
    )
    def test_is_one_json_object_that_every_client_can_read(self, body: bytes, observed: str) -> None:
        error = refused(raw("speech.endDetected", body))
        assert (error.requirement, error.at) == ("speech.frame.text-json", "body")
        assert error.expected == "a JSON object in UTF-8"
        assert observed in error.observed

    def test_may_have_escaped_characters_of_any_plane(self) -> None:
        assert parse_object(rb'{"a": "\ud83d\udea9\u00e9"}') == {"a": "🚩é"}

    @pytest.mark.parametrize("path", READERS)
    def test_is_understood_if_it_is_an_example_of_its_schema(self, path: str) -> None:
        schema, _ = READERS[path]
        examples = [case for case in schemas.examples(f"speech/{schema}") if case.valid]
        assert examples
        for case in examples:
            assert not isinstance(said(path, case.instance), Other)

    @pytest.mark.parametrize("path", READERS)
    def test_breaks_what_its_schema_names_if_it_is_none(self, path: str) -> None:
        schema, _ = READERS[path]
        examples = [case for case in schemas.examples(f"speech/{schema}") if not case.valid]
        assert examples
        for case in examples:
            # What is no object is told before any schema is asked, some of which would name another requirement.
            requirement = case.requirement if isinstance(case.instance, dict) else "speech.frame.text-json"
            if requirement in FORGIVEN:
                assert typed(said(path, case.instance)), case.name
            else:
                assert refused(raw(path, json.dumps(case.instance).encode())).requirement == requirement, case.name

    def test_keeps_an_error_that_comes_with_translations(self) -> None:
        phrase = {"RecognitionStatus": "TooManyRequests", "Offset": 0, "Duration": 0}
        members = {
            "SpeechPhrase": phrase,
            "TranslationStatus": "Success",
            "Translations": [{"Language": "pt", "Text": "x"}],
        }
        message = said("translation.response", members)
        assert isinstance(message, Final)
        assert (message.status, message.translations) == ("TooManyRequests", ())

    @pytest.mark.parametrize("path", READERS)
    def test_is_understood_or_refused_whatever_one_member_is(self, path: str) -> None:
        schema, _ = READERS[path]
        (good, *_) = (case.instance for case in schemas.examples(f"speech/{schema}") if case.valid)

        @given(st.sampled_from(places(good)), ANYTHING)
        def fuzz(place: tuple[str | int, ...], value: object) -> None:
            with suppress(PeerViolation):
                message = said(path, changed(good, place, value))
                assert typed(message)

        fuzz()


def places(value: Any) -> list[tuple[str | int, ...]]:
    """Return the way to each value inside a JSON value."""
    inner: list[tuple[str | int, Any]] = list(
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [way for key, one in inner for way in [(key,), *((key, *deeper) for deeper in places(one))]] or [()]


def changed(value: Any, place: tuple[str | int, ...], other: object) -> Any:
    """Return a JSON value with another value at a place."""
    if not place:
        return other
    copy = value.copy()
    copy[place[0]] = changed(value[place[0]], place[1:], other)
    return copy


def typed(message: ServerMessage) -> bool:
    """Tell whether the fields of a message are of the types that they promise."""
    match message:
        case TurnStart(tag):
            return tag is None or isinstance(tag, str)
        case Interim(text, offset, duration, translations, language, _):
            said = [text, language or "", *(word for one in translations for word in (one.language, one.text))]
            return all(isinstance(word, str) for word in said) and {type(offset), type(duration)} == {int}
        case Final():
            words = [message.text or "", message.failure_reason or "", message.language or "", message.commit or ""]
            words += [word for one in message.translations for word in (one.language, one.text)]
            words += [word for one in message.alternatives for word in (one.lexical, one.display)]
            return all(isinstance(word, str) for word in words) and message.status in STATUSES
        case SynthesisEnd(_, status, reason):
            return status in ("Success", "Error") and isinstance(reason or "", str)
        case _:
            return True


def test_statuses_are_those_of_the_schema() -> None:
    phrase = schemas.read("speech/translation-phrase")["properties"]["RecognitionStatus"]
    assert tuple(phrase["enum"]) == STATUSES


def test_requirement_of_the_body_is_in_the_register() -> None:
    assert requirements.get("speech.frame.text-json").dialects == ("speech-v1", "speech-v2")
