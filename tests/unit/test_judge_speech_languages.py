"""Which languages results are in: each finding from both sides."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.languages import RULES, related, short
from conformance.judge.speech.reading import View
from tests.unit.speech_transcript import ONE, TWO, V1, V2, SpeechTalk, entry

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"


@pytest.fixture
def v1() -> SpeechTalk:
    return SpeechTalk(V1).connect()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect()


def entries(*languages: str) -> list[dict[str, str]]:
    return [entry(language) for language in languages]


def judged(talk: SpeechTalk, targets: tuple[str, ...], *given: str, **more: Any) -> SpeechTalk:
    return talk.begin("Conversation", *targets, **more).phrase(translations=entries(*given))


class TestTags:
    def test_have_a_language_and_a_short_form(self) -> None:
        assert [short(tag) for tag in ("fr-FR", "zh-Hans", "xx-YY", "es-419")] == ["fr", "zh-Hans", "xx", "es"]
        assert related("de-AT", "DE")
        assert not related("de", "den")


class TestTargets:
    """speech.result.targets-all, targets-order, language-echo."""

    def test_that_are_answered_in_order_are_kept(self, v2: SpeechTalk) -> None:
        judged(v2, ("fr-FR", "de"), "fr-FR", "de")
        names = ("targets-all", "targets-order", "language-echo")
        assert list(v2.both(BENCH, *(f"result.{name}" for name in names))) == [["kept"]] * 3

    def test_of_interims_count_too(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr").interim(translations=entries("de", "fr")).interim(
            translations=entries("fr")
        )
        assert v2.said(BENCH, "result.targets-all") == ["kept", "none; expected a translation into de (non-strict)"]

    def test_one_that_is_missing_is_broken(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de", "fr"), "fr").said(BENCH, "result.targets-all") == [
            "none; expected a translation into de"
        ]
        assert v2.said(BENCH, "result.targets-order") == []

    def test_one_that_nobody_speaks_is_missed_less(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de", "zz"), "de").said(BENCH, "result.targets-all") == [
            "none; expected a translation into zz (non-strict)"
        ]

    def test_one_that_fails_in_the_final_is_not_missed_in_an_interim(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr").interim(translations=entries("de"))
        v2.phrase(translation={"TranslationStatus": "Error", "FailureReason": "no fr here"})
        assert v2.said(BENCH, "result.targets-all") == []

    def test_one_that_is_in_a_final_of_others_that_failed_is_missed_in_an_interim(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr").interim(translations=entries("fr"))
        v2.phrase(translation={"TranslationStatus": "Success", "FailureReason": "no fr", "Translations": entries("de")})
        assert v2.said(BENCH, "result.targets-all") == ["none; expected a translation into de (non-strict)"]

    def test_one_that_nobody_speaks_is_not_missed_in_an_interim(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "zz").interim(translations=entries("de"))
        assert v2.said(BENCH, "result.targets-all") == []

    def test_one_that_nobody_asked_for_is_broken(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de",), "de", "it", "").said(BENCH, "result.targets-all") == [
            "it; expected no language but de",
            "no language; expected no language but de",
        ]

    def test_one_that_comes_twice_is_broken(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de",), "de", "de").said(BENCH, "result.targets-all") == ["de; expected no language but de"]

    def test_out_of_order_are_broken(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de", "fr"), "fr", "de").said(BENCH, "result.targets-order") == ["fr, de; expected de, fr"]

    def test_are_named_as_asked_in_v2_and_shortly_in_v1(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        assert judged(v2, ("fr-FR",), "fr").said(BENCH, "result.language-echo") == ["fr; expected fr-FR"]
        assert v2.said(BENCH, "result.targets-all") == ["kept"]
        assert judged(v1, ("fr-FR",), "fr-FR").said(BENCH, "result.language-echo") == ["fr-FR; expected fr"]
        assert judged(SpeechTalk(V1).connect(), ("fr-FR",), "fr").said(BENCH, "result.language-echo") == ["kept"]

    def test_none_at_all_shows_no_names(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de",)).said(BENCH, "result.language-echo") == []

    def test_of_a_failure_or_a_silence_show_nothing(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de", "fr").phrase(translation={"FailureReason": "fr failed"})
        v2.phrase(translation={"TranslationStatus": "Error"}).phrase("", translations=[]).interim("", translations=[])
        v2.phrase(None, status="NoMatch", translations=[]).phrase(shape="plain")
        assert v2.places(BENCH) == {}

    def test_of_a_provoked_or_plain_turn_show_nothing(self, v2: SpeechTalk) -> None:
        v2.begin(translation={}).phrase().begin(identity=TWO).chunk(b"", TWO, deliberate=MARK).phrase(identity=TWO)
        assert v2.places(BENCH) == {}

    def test_of_nobody_show_nothing(self, v1: SpeechTalk) -> None:
        assert v1.config().riff().says("turn.start").phrase().places(BENCH) == {}

    def test_may_be_the_old_or_the_new_ones_behind_an_event(self, v2: SpeechTalk) -> None:
        v2.begin("Conversation", "de")
        v2.tells("event", {"id": "translation", "name": "updateLanguage", "to": ["de", "fr"]}, ONE)
        v2.phrase(translations=entries("de")).phrase(translations=entries("de", "fr"))
        assert v2.said(BENCH, "result.targets-all") == ["kept", "kept"]
        assert v2.phrase(translations=entries("it")).wrong(BENCH) == ["result.targets-all"] * 2


class TestRelatives:
    """speech.result.same-language, both-tags."""

    def test_of_the_source_is_answered_too(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("en", "de"), "en", "de").said(BENCH, "result.same-language") == ["kept"]

    def test_of_the_source_that_is_missing_is_broken_alone(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("en-GB", "de"), "de").wrong(BENCH) == ["result.same-language"]
        assert v2.said(BENCH, "result.targets-all") == ["kept"]

    def test_of_an_unknown_source_is_like_any_other(self, v2: SpeechTalk) -> None:
        judged(v2, ("en",), "en", phraseDetection={"mode": "Conversation"})
        assert v2.said(BENCH, "result.same-language") == []

    def test_of_each_other_are_both_answered(self, v1: SpeechTalk, v2: SpeechTalk) -> None:
        assert judged(v2, ("de", "de-DE"), "de", "de-DE").said(BENCH, "result.both-tags") == ["kept", "kept"]
        assert judged(v1, ("de", "de-DE"), "de", "de").said(BENCH, "result.both-tags") == ["kept", "kept"]

    def test_of_each_other_without_one_are_broken(self, v2: SpeechTalk) -> None:
        assert judged(v2, ("de", "de-DE"), "de-DE").said(BENCH, "result.both-tags") == [
            "none; expected a translation into de",
            "kept",
        ]


class TestIdentification:
    """speech.language.primary, confidence, open-range, candidates."""

    def begin(self, *languages: str) -> SpeechTalk:
        return SpeechTalk().connect().begin(languageId={"languages": [*languages]})

    def spoken(self, language: object, confidence: object = "High") -> dict[str, Any]:
        return {"speech": {"PrimaryLanguage": {"Language": language, "Confidence": confidence}}}

    def test_of_a_list_is_one_of_it(self) -> None:
        talk = self.begin("en-US", "de-DE").interim(**self.spoken("de-DE", None)).phrase(**self.spoken("en-US"))
        assert talk.said(BENCH, "language.primary") == talk.said(BENCH, "language.candidates") == ["kept", "kept"]
        assert talk.said(BENCH, "language.confidence") == ["kept"]
        assert talk.phrase(**self.spoken("de")).said(BENCH, "language.candidates")[2:] == [
            "de; expected en-US or de-DE"
        ]

    def test_of_any_language_is_a_bare_code(self) -> None:
        talk = self.begin("UND").phrase(**self.spoken("de")).phrase(**self.spoken("de-DE"))
        assert talk.said(BENCH, "language.open-range") == [
            "kept",
            "de-DE; expected a language without a region",
        ]

    @pytest.mark.parametrize("language", [None, "", 7])
    def test_that_is_missing_is_broken(self, language: object) -> None:
        talk = self.begin("en-US", "de-DE").interim(**self.spoken(language)).phrase()
        assert talk.said(BENCH, "language.primary") == ["none; expected PrimaryLanguage with a Language"] * 2

    def test_of_an_unknown_confidence_is_broken(self) -> None:
        talk = self.begin("UND").phrase(**self.spoken("de", "high"))
        assert talk.said(BENCH, "language.confidence") == ["'high'; expected Unknown or Low or Medium or High"]

    def test_of_silence_is_not_needed(self) -> None:
        talk = self.begin("UND").interim("").phrase("")
        assert talk.places(BENCH) == {}

    def test_that_nobody_asked_for_is_not_needed(self, v2: SpeechTalk) -> None:
        assert v2.begin().phrase().said(BENCH, "language.primary") == []

    def test_of_a_provoked_turn_shows_nothing(self) -> None:
        talk = self.begin("UND").chunk(b"", deliberate=MARK).phrase()
        assert talk.said(BENCH, "language.primary") == []
