"""How the judge reads a transcript: frames put together, results read leniently, everything at its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.judge.reading import Seen
from conformance.judge.translator.reading import Result, View, read_result
from conformance.transcript import Asked
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import build_header
from protocol.translator.messages import Final, Partial
from protocol.wire import HttpRequest, Kind

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

HEADER = build_header(PcmFormat(16_000))


def seen(data: bytes) -> Seen:
    return Seen(4, 4, 1.0, 1.0, Kind.TEXT, data, complete=True, deliberate=None)


def view(talk: Talk) -> View:
    return View(talk.transcript())


class TestResult:
    def test_a_good_final_is_read_as_it_is(self) -> None:
        message = seen(b'{"type":"final","id":"7","recognition":"a","translation":"b"}')
        assert read_result(message) == Result(message, True, "7", "a", "b", Final("7", "a", "b"), None)

    def test_a_good_partial_too(self) -> None:
        message = seen(b'{"type":"partial","id":"7.1","recognition":"a","translation":"b"}')
        assert read_result(message) == Result(message, False, "7.1", "a", "b", Partial("7.1", "a", "b"), None)

    @pytest.mark.parametrize(
        ("data", "requirement", "final", "identity"),
        [
            (b'{"type":"final","id":7,"recognition":"a","translation":"b"}', "final.fields", True, "7"),
            (b'{"type":"FINAL","id":"7","recognition":"a","translation":"b"}', "result.type", True, "7"),
            (b'{"type":"partial","recognition":"a","translation":"b"}', "partial.fields", False, ""),
        ],
    )
    def test_a_bad_one_is_still_a_result_and_says_what_is_wrong(
        self, data: bytes, requirement: str, final: bool, identity: str
    ) -> None:
        found = read_result(seen(data))
        assert found is not None
        assert (found.final, found.id, found.recognition, found.translation) == (final, identity, "a", "b")
        assert found.message is None
        assert found.error is not None
        assert found.error.requirement == f"translator.{requirement}"

    @pytest.mark.parametrize(
        "data",
        [
            b"hello",
            b"\xff",
            b"[1]",
            b'"final"',
            b"{}",
            b'{"type":"error"}',
            b'{"type":["final"]}',
            b"[" * 100_000,
            b'{"type":"final","id":' + b"9" * 5000 + b"}",
        ],
        ids=lambda data: repr(data[:20]),
    )
    def test_what_means_no_result_is_none(self, data: bytes) -> None:
        assert read_result(seen(data)) is None


class TestHandshake:
    def test_may_be_missing(self, talk: Talk) -> None:
        found = view(talk)
        assert not found.for_speech
        assert found.parameters == {}
        assert found.features == frozenset()

    @pytest.mark.parametrize(
        ("path", "speech"),
        [("/speech/translate", True), ("/tenant/Speech/TRANSLATE", True), ("/languages", False), ("/speech", False)],
    )
    def test_is_for_speech_by_its_path(self, talk: Talk, path: str, speech: bool) -> None:
        assert view(talk.ask(path=path)).for_speech is speech

    def test_has_parameters_by_lower_case_names_the_first_of_each(self, talk: Talk) -> None:
        found = view(talk.ask(query="From=en-US&from=de-DE&TO=it&voice=&x=%20y"))
        assert found.parameters == {"from": "en-US", "to": "it", "voice": "", "x": " y"}

    def test_has_features_without_case_and_blanks(self, talk: Talk) -> None:
        assert view(talk.ask("Partial,%20timingInfo%20,,")).features == {"partial", "timinginfo"}

    def test_is_the_first_one(self, talk: Talk) -> None:
        found = view(talk.ask(path="/first").ask(path="/second").answer(401).answer(101))
        assert found.request is not None
        assert found.request.path == "/first"
        assert found.response is not None
        assert found.response.status == 401


class TestStream:
    def test_is_the_header_with_its_length(self, talk: Talk) -> None:
        found = view(talk.open().header().audio())
        assert found.header is not None
        assert found.header.format == PcmFormat(16_000)
        assert found.stream == (found.header, 44)

    def test_may_be_split_over_frames(self, talk: Talk) -> None:
        talk.sends(b"ignored", kind=Kind.TEXT).sends(HEADER[:10]).replies(b"RIFX").sends(HEADER[10:] + b"\1\2")
        assert view(talk).header is not None

    def test_is_what_is_wrong_with_it(self, talk: Talk) -> None:
        found = view(talk.sends(b"RIFX").audio())
        assert found.stream == PeerViolation("translator.client.header-first", "offset 3", "0x46 of b'RIFF'", "0x58")
        assert found.header is None

    @pytest.mark.parametrize("data", [b"", HEADER[:43]])
    def test_is_none_while_it_is_incomplete(self, talk: Talk, data: bytes) -> None:
        found = view(talk.sends(data))
        assert found.stream is None
        assert found.header is None

    def test_bytes_are_counted_up_to_an_entry(self, talk: Talk) -> None:
        talk.header().replies(b"voice").audio(100).sends(b"text", kind=Kind.TEXT).audio(100)
        found = view(talk)
        assert [found.audio_before(index) for index in range(6)] == [0, 44, 44, 3244, 3244, 6444]


class TestResults:
    def test_are_the_texts_that_mean_one(self, talk: Talk) -> None:
        talk.open().partial("0.1").replies("noise").voice().final("0").final("1")
        found = view(talk)
        assert [result.id for result in found.results] == ["0.1", "0", "1"]
        assert [result.id for result in found.finals] == ["0", "1"]

    def test_of_the_client_are_none(self, talk: Talk) -> None:
        talk.sends(b'{"type":"final","id":"0","recognition":"","translation":""}', kind=Kind.TEXT)
        assert view(talk).results == ()


class TestLaziness:
    def test_a_view_keeps_what_it_has_read(self, talk: Talk) -> None:
        found = view(talk.open().header().final())
        assert found.results is found.results
        assert found.stream is found.stream
        assert isinstance(found.asked, tuple)
        assert isinstance(found.asked[1], Asked)
        assert isinstance(found.request, HttpRequest)
