"""Which voices come, where, and in which languages: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.reading import View
from conformance.judge.speech.synthesis import RULES
from tests.unit.speech_transcript import ONE, SECOND, TWO, V1, V2, SpeechTalk, entry

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"
VOICE: dict[str, Any] = {"synthesis": {"defaultVoices": {"de": "de-DE-KatjaNeural"}}}
TWO_VOICES: dict[str, Any] = {"synthesis": {"defaultVoices": {"de": "de-DE-KatjaNeural", "fr": "fr-FR-DeniseNeural"}}}
EVENT = {"id": "translation", "name": "updateLanguage", "to": ["de"]}


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return SpeechTalk(request.param).connect()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect()


class TestUnasked:
    NAME = "synthesis.only-on-request"

    def test_no_voice_where_none_was_asked_for_is_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin().phrase().done().said(BENCH, self.NAME) == ["kept"]

    def test_a_voice_is_broken(self, talk: SpeechTalk) -> None:
        assert (
            talk.begin()
            .phrase()
            .voice()
            .said(BENCH, self.NAME)[0]
            .endswith("expected no synthesis: no voice was asked for")
        )

    def test_shows_nothing_where_one_was_asked_for_or_may_be_or_nothing_was_said(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase().voice().done()
        talk.begin(identity=TWO).tells("event", EVENT, ONE).phrase(identity=TWO).voice(identity=TWO).done(TWO)
        assert talk.said(BENCH, self.NAME) == []
        assert SpeechTalk().connect().begin().phrase("").done().said(BENCH, self.NAME) == []
        assert SpeechTalk().connect().begin().phrase().said(BENCH, self.NAME) == []


class TestAsked:
    NAME = "synthesis.on-request"

    def test_a_voice_for_each_final_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase().voice().phrase(offset=3 * SECOND).voice(stream="2").done()
        assert talk.said(BENCH, self.NAME) == ["kept", "kept"]

    def test_a_final_without_one_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase().voice().phrase(offset=3 * SECOND).done()
        assert talk.said(BENCH, self.NAME) == ["kept", "1; expected 2 voices before turn.end"]

    def test_nothing_is_spoken_of_nothing(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase("").phrase(translations=[entry("fr")]).phrase(translations=[entry("de", "")])
        assert talk.phrase(None, status="NoMatch").done().said(BENCH, self.NAME) == []

    def test_shows_nothing_of_a_turn_that_did_not_go_its_way(self) -> None:
        for talk in (
            SpeechTalk().connect().begin(**VOICE).phrase(),
            SpeechTalk().connect().begin(**VOICE).phrase().chunk(b"", deliberate=MARK).done(),
            SpeechTalk().connect().begin(**VOICE).phrase().context(identity=TWO).done(),
        ):
            assert talk.said(BENCH, self.NAME) == []


class TestPlaces:
    """speech.synthesis.after-phrase, before-turn-end."""

    def test_between_a_final_and_the_end_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase().voice().done()
        assert talk.said(BENCH, "synthesis.after-phrase") == ["kept"]
        assert talk.said(BENCH, "synthesis.before-turn-end") == ["kept"]

    def test_before_any_final_are_broken(self, talk: SpeechTalk) -> None:
        assert (
            talk.begin(**VOICE)
            .voice()
            .said(BENCH, "synthesis.after-phrase")[0]
            .endswith("expected a final before its voice")
        )
        assert talk.phrase().said(BENCH, "synthesis.after-phrase")[0] != "kept"

    def test_behind_the_end_are_broken_each(self, talk: SpeechTalk) -> None:
        talk.begin(**VOICE).phrase().done().plays().plays()
        found = talk.said(BENCH, "synthesis.before-turn-end")
        assert len(found) == 2
        assert found[0].endswith("expected no synthesis behind turn.end")

    def test_none_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin(**VOICE).phrase().done().said(BENCH, "synthesis.before-turn-end") == []


class TestLanguages:
    NAME = "synthesis.languages"

    def test_that_were_asked_for_are_kept(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr", **TWO_VOICES).phrase(translations=[entry("de"), entry("fr")])
        v2.voice("de", "1").voice("fr-FR", "2").done()
        assert v2.said(BENCH, self.NAME) == ["kept", "kept"]

    def test_another_one_is_broken(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr", **VOICE).phrase().voice("de").voice("fr", "2")
        assert v2.said(BENCH, self.NAME) == ["kept", "fr; expected de"]

    def test_one_that_is_not_spoken_is_told(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr", **TWO_VOICES).phrase(translations=[entry("de"), entry("fr")])
        v2.voice("de", "1").done()
        assert v2.said(BENCH, self.NAME) == ["kept", "0; expected 1 voices in fr (non-strict)"]

    def test_shows_nothing_where_nobody_names_them(self, v2: SpeechTalk) -> None:
        v2.begin(**VOICE).phrase().plays().says("audio.start", {}).says("audio.start", b"").done()
        assert v2.said(BENCH, self.NAME) == []

    def test_shows_nothing_where_they_may_have_changed_or_none_was_asked_for(self, v2: SpeechTalk) -> None:
        v2.begin(**VOICE).tells("event", EVENT).voice("fr").done().begin(identity=TWO).voice("fr", identity=TWO)
        assert v2.said(BENCH, self.NAME) == []

    def test_of_an_open_turn_are_not_missed(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr", **TWO_VOICES).phrase(translations=[entry("de"), entry("fr")]).voice("de")
        assert v2.said(BENCH, self.NAME) == ["kept"]


class TestFirstTarget:
    NAME = "synthesis.first-target"

    def test_one_voice_for_each_final_is_kept(self, talk: SpeechTalk) -> None:
        assert talk.begin(**VOICE).phrase().voice().said(BENCH, self.NAME) == ["kept"]

    def test_more_is_told(self, talk: SpeechTalk) -> None:
        assert talk.begin(**VOICE).phrase().voice().voice(stream="2").said(BENCH, self.NAME) == [
            "2 voices for 1 finals; expected one voice for each final"
        ]

    def test_none_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin(**VOICE).phrase().said(BENCH, self.NAME) == []
        assert SpeechTalk().connect().begin(**VOICE).voice().said(BENCH, self.NAME) == []
