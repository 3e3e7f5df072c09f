"""Single messages as the judge reads them: leniently, so that one departure is reported once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.judge.reading import Seen
from conformance.judge.speech.spoken import Entry, Result, Said, key_of, members_of, read_result, read_said, ticks
from protocol.wire import Kind

ID = "3729F" + "0" * 27


def said(data: bytes, kind: Kind = Kind.TEXT) -> Said:
    return read_said(Seen(3, 5, 1.0, 2.0, kind, data, complete=True, deliberate=None))


def text(path: str, body: Any) -> Said:
    return said(f"Path:{path}\r\nX-RequestId:{ID}\r\n\r\n{json.dumps(body)}".encode())


def result(path: str, body: Any) -> Result:
    found = read_result(text(path, body))
    assert found is not None
    return found


class TestSaid:
    def test_has_path_key_body_and_place(self) -> None:
        found = text("turn.start", {"context": {}})
        assert (found.path, found.key, found.body, found.at) == ("turn.start", ID.lower(), {"context": {}}, 5)
        assert found.payload == b'{"context": {}}'

    def test_has_the_known_spelling_of_a_path_else_its_own(self) -> None:
        assert text("SPEECH.enddetected", {}).path == "speech.endDetected"
        assert text("My.Own", {}).path == "My.Own"

    @pytest.mark.parametrize("body", [b"", b"[1]", b"nonsense", b"\xff", b"[" * 100_000])
    def test_without_an_object_has_no_body(self, body: bytes) -> None:
        assert members_of(body) is None

    def test_of_bytes_has_no_body(self) -> None:
        found = said(b"\x00\x0cPath:audio\r\n{}", Kind.BINARY)
        assert (found.path, found.body, found.payload) == ("audio", None, b"{}")

    def test_may_have_no_path(self) -> None:
        found = said(b"X-RequestId:AB-C\r\n\r\n{}")
        assert (found.path, found.key, found.body) == ("", "abc", None)

    @pytest.mark.parametrize(
        "data",
        [
            b"Path:turn.end\nX-RequestId:1\n\n{}",
            b"Path:turn.end\r\nPath:other\r\nX-RequestId:1\r\n\r\n{}",
            b"Path:turn.end\rX-RequestId:1\r\r{}",
        ],
    )
    def test_that_breaks_its_form_is_made_out(self, data: bytes) -> None:
        found = said(data)
        assert (found.path, found.key, found.body) == ("turn.end", "1", {})

    def test_without_an_empty_line_is_made_out_and_has_no_body(self) -> None:
        found = said(b"Path:turn.end\r\nX-RequestId:1\r\n")
        assert (found.path, found.payload) == ("turn.end", b"")

    def test_of_bytes_that_breaks_its_form_is_made_out(self) -> None:
        found = said(b"\x00\x0ePath:audio\nX:1\xff\xff", Kind.BINARY)
        assert (found.path, found.payload) == ("audio", b"\xff\xff")

    def test_that_cannot_be_made_out_is_nothing(self) -> None:
        found = said(b"\xff\xffno", Kind.BINARY)
        assert (found.message, found.path, found.key, found.payload) == (None, "", "", b"")

    def test_a_key_knows_no_case_and_no_dashes(self) -> None:
        assert key_of("AB-cd") == "abcd"


V1 = {"Text": "a", "Offset": 1, "Duration": 2, "Translation": {"Translations": [{"Language": "de", "Text": "b"}]}}


class TestResult:
    def test_of_v1(self) -> None:
        interim = result("translation.hypothesis", V1)
        assert (interim.shape, interim.final, interim.text, interim.offset, interim.end) == (
            "speech-v1",
            False,
            "a",
            1,
            3,
        )
        assert interim.entries == (Entry("de", "b"),)
        final = result("translation.phrase", {**V1, "RecognitionStatus": "Success"})
        assert (final.final, final.status, final.speaks, final.at) == (True, "Success", True, 5)

    def test_of_v2(self) -> None:
        speech = {"Text": "a", "Offset": 1, "Duration": 2, "PrimaryLanguage": {"Language": "en"}}
        interim = result("translation.response", {"SpeechHypothesis": speech, "Translations": []})
        assert (interim.shape, interim.final, interim.text, interim.primary) == (
            "speech-v2",
            False,
            "a",
            {"Language": "en"},
        )
        final = result("translation.response", {"SpeechPhrase": {"DisplayText": "A."}})
        assert (final.final, final.text, final.offset, final.end) == (True, "A.", None, None)

    def test_of_recognition_alone(self) -> None:
        assert result("speech.hypothesis", {"Text": "a"}).shape == "plain"
        phrase = result("speech.phrase", {"DisplayText": "a"})
        assert (phrase.shape, phrase.final, phrase.entries, phrase.primary) == ("plain", True, (), {})

    @pytest.mark.parametrize(("path", "body"), [("turn.end", {}), ("speech.phrase", [1])])
    def test_is_none_for_anything_else(self, path: str, body: object) -> None:
        assert read_result(text(path, body)) is None

    def test_reads_display_text_where_text_is_empty(self) -> None:
        body = {"Translations": [{"Language": "de", "Text": "", "DisplayText": "c"}, "odd", {"Language": 7}]}
        found = result("translation.response", {"SpeechPhrase": {"Text": "t"}, **body})
        assert found.entries == (Entry("de", "c"), Entry("", ""))
        assert found.text == "t"

    def test_takes_odd_members_for_absent_ones(self) -> None:
        found = result("translation.phrase", {"Translation": 1, "Offset": "1", "Duration": True, "Text": 2})
        assert (found.entries, found.offset, found.end, found.text, found.status) == ((), None, None, "", "")
        assert result("translation.response", {"SpeechPhrase": [], "Translations": 3}).entries == ()
        assert (ticks(5), ticks(5.0), ticks(True)) == (5, None, None)

    @pytest.mark.parametrize(
        ("status", "words", "what"),
        [
            ("Success", "a", "speaks counts"),
            ("Success", "", "silent counts"),
            ("NoMatch", "", "silent counts"),
            ("InitialSilenceTimeout", "", "silent counts"),
            ("EndOfDictation", "", ""),
            ("Error", "", "failed counts"),
            ("", "a", "failed counts"),
        ],
    )
    def test_means_something_by_its_status(self, status: str, words: str, what: str) -> None:
        found = result("speech.phrase", {"RecognitionStatus": status, "DisplayText": words})
        flags = {name for name in ("speaks", "silent", "failed", "counts") if getattr(found, name)}
        assert flags == set(what.split())

    def test_an_interim_is_none_of_that(self) -> None:
        found = result("speech.hypothesis", {"RecognitionStatus": "Success", "Text": "a"})
        assert not any((found.speaks, found.silent, found.failed, found.counts))
