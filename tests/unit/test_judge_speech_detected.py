"""Where speech begins and ends: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.detected import RULES
from conformance.judge.speech.reading import View
from tests.unit.speech_transcript import SECOND, TWO, SpeechTalk

BENCH = Bench(View, RULES)


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


class TestForms:
    def test_with_an_offset_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin().detected("start").detected("end")
        assert talk.said(BENCH, "detected.start-form") == talk.said(BENCH, "detected.end-form") == ["kept"]
        assert talk.said(BENCH, "result.ticks") == ["kept", "kept"]

    def test_a_start_without_one_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.says("speech.startDetected", {}).wrong(BENCH) == ["detected.start-form"]

    def test_an_end_without_one_is_what_the_service_does(self, talk: SpeechTalk) -> None:
        talk.says("speech.endDetected", {})
        assert talk.said(BENCH, "detected.end-form") == ["none; expected an Offset (non-strict)"]

    def test_an_end_without_a_body_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.says("speech.endDetected", b"").said(BENCH, "detected.end-form") == [
            "an empty body; expected a JSON object"
        ]

    @pytest.mark.parametrize("path", ["speech.startDetected", "speech.endDetected"])
    def test_with_another_body_are_another_requirements_matter(self, talk: SpeechTalk, path: str) -> None:
        assert talk.says(path, b"[").wrong(BENCH) == []

    @pytest.mark.parametrize("offset", ["1", -1, 1.0])
    def test_with_another_offset_break_the_ticks(self, talk: SpeechTalk, offset: Any) -> None:
        assert talk.says("speech.endDetected", {"Offset": offset}).wrong(BENCH) == ["result.ticks"]


class TestOnce:
    @pytest.mark.parametrize("word", ["start", "end"])
    def test_a_second_one_is_broken(self, talk: SpeechTalk, word: str) -> None:
        name = f"detected.{word}-once"
        assert talk.begin().detected(word).said(BENCH, name) == ["kept"]
        assert talk.detected(word).said(BENCH, name) == [f"another one; expected one speech.{word}Detected in a turn"]

    def test_each_turn_has_its_own(self, talk: SpeechTalk) -> None:
        talk.begin().detected("end").done().begin(identity=TWO).detected("end", identity=TWO)
        assert talk.said(BENCH, "detected.end-once") == ["kept", "kept"]


class TestPlaces:
    def test_in_order_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin().detected("start").interim().phrase().detected("end").done()
        assert talk.said(BENCH, "detected.start-order") == talk.said(BENCH, "detected.end-order") == ["kept"]

    @pytest.mark.parametrize("first", ["interim", "phrase"])
    def test_a_start_behind_words_is_broken(self, talk: SpeechTalk, first: str) -> None:
        getattr(talk.begin(), first)()
        assert talk.detected("start").said(BENCH, "detected.start-order") == [
            "behind it; expected speech.startDetected before the first result with text"
        ]

    def test_a_start_behind_silence_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().interim("").phrase(None, status="NoMatch").detected("start")
        assert talk.said(BENCH, "detected.start-order") == ["kept"]

    def test_an_end_before_its_start_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().detected("end").detected("start")
        assert talk.said(BENCH, "detected.end-order") == [
            "before it; expected speech.endDetected behind speech.startDetected"
        ]

    def test_an_end_without_a_start_is_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin().detected("end").said(BENCH, "detected.end-order") == ["kept"]


class TestPositive:
    NAME = "detected.start-positive"

    def test_the_first_of_a_connection_counts(self, talk: SpeechTalk) -> None:
        talk.begin().detected("start").done().begin(identity=TWO).detected("start", 0, TWO)
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_at_the_first_sample_is_told(self, talk: SpeechTalk) -> None:
        assert talk.begin().detected("start", 0).said(BENCH, self.NAME) == ["0; expected an Offset above 0"]

    @pytest.mark.parametrize("sound", [b"\1" * 3200, bytes(600)])
    def test_where_speech_may_begin_with_the_first_sample_shows_nothing(self, talk: SpeechTalk, sound: bytes) -> None:
        talk.config().context("Conversation").riff().chunk(sound).says("turn.start", {})
        assert talk.detected("start", 0).said(BENCH, self.NAME) == []

    @pytest.mark.parametrize("body", [b"", b'{"Offset":"1"}'])
    def test_without_a_number_shows_nothing(self, talk: SpeechTalk, body: bytes) -> None:
        assert talk.begin().says("speech.startDetected", body).said(BENCH, self.NAME) == []


class TestContinuous:
    NAME = "detected.end-silence"

    def phrases(self, talk: SpeechTalk, mode: str = "Conversation") -> SpeechTalk:
        talk.begin(mode).phrase().detected("end")
        return talk.phrase(offset=3 * SECOND).phrase(offset=6 * SECOND)

    def test_an_end_between_phrases_is_broken(self, talk: SpeechTalk) -> None:
        assert self.phrases(talk).said(BENCH, self.NAME) == ["2 finals behind it; expected none in continuous speech"]

    def test_not_in_another_mode_or_provoked(self, talk: SpeechTalk) -> None:
        assert self.phrases(talk, "Interactive").said(BENCH, self.NAME) == []
        provoked = SpeechTalk().connect().tells("event", deliberate="speech.client.event-form")
        assert self.phrases(provoked).said(BENCH, self.NAME) == []

    def test_an_end_behind_a_long_silence_is_another_matter(self, talk: SpeechTalk) -> None:
        talk.begin().phrase("", 0, 15 * SECOND).detected("end").phrase(offset=20 * SECOND).phrase(offset=30 * SECOND)
        assert talk.said(BENCH, self.NAME) == []

    def test_an_end_at_the_end_is_none(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().phrase(offset=3 * SECOND).detected("end").phrase(offset=6 * SECOND).done()
        assert talk.said(BENCH, self.NAME) == []
