"""How the judge reads a transcript: frames put together, results read leniently, everything at its entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.judge.translator.reading import Result, Seen, View, assemble, read_result
from conformance.transcript import Asked, CloseFrame, Expired
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import build_header
from protocol.translator.messages import Final, Partial
from protocol.wire import HttpRequest, Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

HEADER = build_header(PcmFormat(16_000))


def seen(data: bytes) -> Seen:
    return Seen(4, 4, 1.0, 1.0, Kind.TEXT, data, complete=True, deliberate=None)


def view(talk: Talk) -> View:
    return View(talk.transcript())


class TestMessages:
    def test_of_one_frame(self, talk: Talk) -> None:
        talk.open().header().replies("hi")
        assert assemble(talk.transcript(), Party.SERVER) == (
            Seen(3, 3, 10.3, 10.3, Kind.TEXT, b"hi", complete=True, deliberate=None),
        )

    def test_of_several_frames_with_others_in_between(self, talk: Talk) -> None:
        talk.replies(b"a", first=True, final=False).sends(b"x").replies(b"b", first=False, final=False)
        talk.sends(b"y").replies(b"c", first=False, final=True)
        transcript = talk.transcript()
        assert assemble(transcript, Party.SERVER) == (
            Seen(0, 4, 10.0, 10.4, Kind.BINARY, b"abc", complete=True, deliberate=None),
        )
        assert [message.data for message in assemble(transcript, Party.CLIENT)] == [b"x", b"y"]

    def test_that_never_end_are_incomplete(self, talk: Talk) -> None:
        talk.replies("whole").replies(b"ha", final=False)
        whole, half = assemble(talk.transcript(), Party.SERVER)
        assert (whole.complete, half.complete) == (True, False)
        assert (half.first, half.last, half.data) == (1, 1, b"ha")

    def test_that_are_never_ended_make_way_for_the_next(self, talk: Talk) -> None:
        talk.replies(b"lost", final=False).replies(b"found")
        assert [message.data for message in assemble(talk.transcript(), Party.SERVER)] == [b"found"]

    def test_keep_the_purpose_of_any_of_their_frames(self, talk: Talk) -> None:
        name = "translator.client.binary-only"
        talk.sends(b"a", final=False).sends(b"b", first=False, deliberate=name).sends(b"c")
        assert [message.deliberate for message in assemble(talk.transcript(), Party.CLIENT)] == [name, None]

    def test_are_sorted_by_party(self, talk: Talk) -> None:
        found = view(talk.sends(b"ask").replies("tell"))
        assert [message.data for message in found.from_client] == [b"ask"]
        assert [message.data for message in found.from_server] == [b"tell"]


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
    def test_is_found_with_its_entries(self, talk: Talk) -> None:
        found = view(talk.barrier().open("Partial"))
        assert found.asked is not None
        assert found.answered is not None
        assert (found.asked[0], found.answered[0]) == (1, 2)
        assert found.request is not None
        assert found.request.method == "GET"
        assert found.response is not None
        assert found.opened

    def test_may_be_missing(self, talk: Talk) -> None:
        found = view(talk)
        assert (found.asked, found.answered, found.request, found.response) == (None, None, None, None)
        assert not found.opened
        assert not found.for_speech
        assert found.parameters == {}
        assert found.features == frozenset()

    def test_may_have_failed(self, talk: Talk) -> None:
        assert not view(talk.ask().answer(400)).opened

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


class TestEnds:
    def test_a_close_is_found_by_its_sender_the_first_of_each(self, talk: Talk) -> None:
        found = view(talk.client_closes(1000).server_closes(1001).server_closes(1002))
        assert found.close_of(Party.CLIENT) == (0, CloseFrame(10.0, Party.CLIENT, 1000, ""))
        assert found.close_of(Party.SERVER) == (1, CloseFrame(10.1, Party.SERVER, 1001, ""))

    def test_there_may_be_none(self, talk: Talk) -> None:
        assert view(talk.ended()).close_of(Party.CLIENT) is None

    def test_a_wait_in_vain_is_found_by_a_word_of_its_name(self, talk: Talk) -> None:
        found = view(talk.expired("final 2 of the session", 8.0).expired("voice 1 of the session"))
        assert found.expired("voice") == (1, Expired(10.1, "voice 1 of the session", 2.0))
        assert found.expired("session") == (0, Expired(10.0, "final 2 of the session", 8.0))
        assert found.expired("close frame") is None


class TestLaziness:
    def test_a_view_keeps_what_it_has_read(self, talk: Talk) -> None:
        found = view(talk.open().header().final())
        assert found.results is found.results
        assert found.stream is found.stream
        assert isinstance(found.asked, tuple)
        assert isinstance(found.asked[1], Asked)
        assert isinstance(found.request, HttpRequest)
