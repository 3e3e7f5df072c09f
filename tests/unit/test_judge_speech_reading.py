"""The transcript of a speech dialect: the request, what was said, what the observer broke, how it ended."""

from __future__ import annotations

import pytest

from conformance.judge.speech.reading import View
from tests.unit.speech_transcript import ONE, THREE, TWO, UPGRADE, V1, SpeechTalk

MARK = "speech.client.credentials"


def view(talk: SpeechTalk) -> View:
    return View(talk.transcript())


class TestRequest:
    def test_is_read(self) -> None:
        found = view(SpeechTalk(V1).connect("from=en-US&to=de&to=fr"))
        assert (found.dialect, found.asks.source, found.asks.targets) == (V1, "en-US", ("de", "fr"))
        assert found.upgrading
        assert found.for_speech

    def test_may_lack_the_connection_id_or_be_missing(self) -> None:
        assert view(SpeechTalk().connect("to=de", headers=UPGRADE[:1])).asks.targets == ("de",)
        empty = view(SpeechTalk())
        assert (empty.asks.targets, empty.upgrading, empty.for_speech) == ((), False, False)

    def test_may_be_a_plain_one(self) -> None:
        talk = SpeechTalk()
        talk.ask(query="", path="/stt/speech/universal/v2", headers=()).answer(404)
        found = view(talk)
        assert not found.upgrading
        assert not found.for_speech

    def test_is_an_upgrade_if_it_was_taken_for_one(self) -> None:
        found = view(SpeechTalk().connect(headers=(), path="/elsewhere"))
        assert found.upgrading
        assert not found.for_speech


class TestSaid:
    def test_is_sorted_by_party(self) -> None:
        found = view(SpeechTalk().connect().begin().phrase())
        assert [said.path for said in found.client_said] == ["speech.config", "speech.context", "audio", "audio"]
        assert [said.path for said in found.server_said] == ["turn.start", "translation.response"]

    def test_is_whole_messages_alone(self) -> None:
        found = view(SpeechTalk().connect().tells("event", final=False).says("turn.end", final=False))
        assert (found.client_said, found.server_said) == ((), ())

    def test_has_ids_of_the_client_and_strays(self) -> None:
        talk = SpeechTalk().connect().begin().tells("event", {}, TWO)
        found = view(talk.phrase(identity=TWO).phrase(identity=THREE).phrase(identity="").phrase())
        assert found.client_keys == {ONE, TWO}
        assert [said.key for said in found.strays] == [TWO, THREE]

    def test_turns_are_found_by_place(self) -> None:
        found = view(SpeechTalk().connect().begin().done().context(identity=TWO))
        assert found.turn_at(2) is None
        assert [turn.key for at in (4, 8, 9) if (turn := found.turn_at(at)) is not None] == [ONE, ONE, TWO]


class TestObserver:
    def test_has_broken_something_from_an_entry_on(self) -> None:
        talk = SpeechTalk().connect().begin().tells("event", {}, TWO, deliberate=MARK).done()
        assert [view(talk).provoked(at) for at in (6, 7, 8)] == [False, False, True]

    def test_may_break_the_request_or_the_close(self) -> None:
        assert view(SpeechTalk().connect(deliberate=MARK)).provoked(1)
        talk = SpeechTalk().connect()
        talk.client_closes(deliberate=MARK)
        assert view(talk).provoked(3)

    def test_mostly_breaks_nothing(self) -> None:
        assert not view(SpeechTalk().connect().begin()).provoked(99)


class TestContinuation:
    @pytest.mark.parametrize("name", ["X-Continuation-Token", "x-continuation-audio-streams-1-offset"])
    def test_is_seen_by_its_headers(self, name: str) -> None:
        assert view(SpeechTalk().connect().begin().says("turn.end", headers=((name, "1"),))).continued

    def test_is_mostly_not_there(self) -> None:
        talk = SpeechTalk().connect().begin().done()
        talk.replies(b"\x00")
        assert not view(talk).continued


class TestClose:
    def test_of_the_server_is_the_one_that_it_starts(self) -> None:
        first, answer = SpeechTalk().connect(), SpeechTalk().connect()
        first.server_closes(1001).client_closes()
        answer.client_closes().server_closes(1001)
        found = view(first).started_close
        assert found is not None
        assert (found[0], found[1].code) == (2, 1001)
        assert view(answer).started_close is None
        assert view(SpeechTalk().connect()).started_close is None
