"""How many finals a turn has: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.modes import RULES
from conformance.judge.speech.reading import View
from tests.unit.speech_transcript import TWO, SpeechTalk

BENCH = Bench(View, RULES)
LATER = 40_000_000


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


class TestOneShot:
    """speech.turn.one-shot-final, one-shot-ends, status.end-of-dictation."""

    @pytest.mark.parametrize(("text", "status"), [("hello", "Success"), (None, "NoMatch"), (None, "Error")])
    def test_with_one_final_is_kept(self, talk: SpeechTalk, text: str | None, status: str) -> None:
        talk.begin("INTERACTIVE").phrase(text, status=status).done()
        assert talk.said(BENCH, "turn.one-shot-final") == ["kept"]
        assert talk.said(BENCH, "turn.one-shot-ends") == ["kept"]
        assert talk.said(BENCH, "status.end-of-dictation") == []

    def test_with_a_plain_one_besides_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase(shape="plain").phrase().done()
        assert talk.said(BENCH, "turn.one-shot-final") == ["kept"]

    def test_with_two_is_broken_at_the_second(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase().phrase(offset=LATER)
        assert talk.said(BENCH, "turn.one-shot-final") == [
            "a second one (Success); expected one final in a one-shot turn"
        ]
        assert talk.places(BENCH) == {"turn.one-shot-final": [8]}
        assert talk.done().said(BENCH, "turn.one-shot-final")[1:] == ["2; expected one final"]

    def test_with_none_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").done()
        assert talk.said(BENCH, "turn.one-shot-final") == ["none; expected a final before turn.end"]

    def test_with_an_acknowledgement_alone_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase(None, status="EndOfDictation").done()
        assert talk.wrong(BENCH) == ["status.end-of-dictation"]

    def test_with_an_acknowledgement_besides_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase().phrase(None, LATER, status="EndOfDictation").done()
        assert talk.said(BENCH, "status.end-of-dictation") == ["kept"]
        assert talk.wrong(BENCH) == []

    def test_that_is_open_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin("Interactive").phrase().places(BENCH) == {}


class TestUnknown:
    NAME = "turn.unknown-mode"

    def test_with_one_final_and_an_end_is_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin(None).phrase().detected("end").done().said(BENCH, self.NAME) == ["kept"]

    @pytest.mark.parametrize("count", [1, 2])
    def test_otherwise_it_is_told(self, talk: SpeechTalk, count: int) -> None:
        talk.begin(None)
        for number in range(count):
            talk.phrase(offset=LATER * (1 + number))
        (said,) = talk.done().said(BENCH, self.NAME)
        assert said.startswith(f"{count} finals and no speech.endDetected;")
        assert said.endswith("(informational)")

    def test_without_words_or_end_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin(None).phrase().places(BENCH) == {}
        silent = SpeechTalk().connect().begin(None).phrase("").done()
        assert silent.places(BENCH) == {}


class TestConversation:
    NAME = "turn.conversation-goes-on"

    @pytest.mark.parametrize("mode", ["Conversation", "Dictation"])
    def test_with_two_finals_is_kept(self, talk: SpeechTalk, mode: str) -> None:
        assert talk.begin(mode).phrase().phrase(offset=LATER).done().said(BENCH, self.NAME) == ["kept"]

    def test_that_ends_behind_a_final_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.begin().phrase().done().said(BENCH, self.NAME) == [
            "turn.end behind a final; expected no turn.end before the stream ends"
        ]

    def test_that_ends_for_a_reason_is_not(self) -> None:
        stopped = SpeechTalk().connect().begin().phrase().stop().done()
        void = SpeechTalk().connect().begin().stop().speech().phrase().done()
        silent = SpeechTalk().connect().begin().phrase().phrase(None, LATER, status="NoMatch").done()
        nothing = SpeechTalk().connect().begin().done()
        closing = SpeechTalk().connect().begin().phrase().done()
        closing.server_closes(1000)
        going = SpeechTalk().connect().begin().phrase()
        for talk in (stopped, void, silent, nothing, closing, going):
            assert talk.said(BENCH, self.NAME) == []


class TestNothing:
    def test_is_said_of_a_turn_that_did_not_go_its_way(self) -> None:
        abandoned = SpeechTalk().connect().begin("Interactive").context(identity=TWO).done()
        provoked = SpeechTalk().connect().begin("Interactive")
        provoked.chunk(bytes(9000), deliberate="speech.client.chunk-size").done()
        unstarted = SpeechTalk().connect().config().context("Interactive").riff().done()
        for talk in (abandoned, provoked, unstarted):
            assert talk.places(BENCH) == {}
