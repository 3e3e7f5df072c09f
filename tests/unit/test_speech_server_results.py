from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocol.audio import PcmFormat
from protocol.events import Hypothesis, Phrase, Span
from protocol.languages import PUBLISHED, Catalogue
from protocol.speech.context import Context, Wanted, settle
from protocol.speech.handshake import Profanity, SpeechRequest
from protocol.speech.messages import V1, V2, Alternative, Final, Translation
from protocol.speech.server import results
from protocol.speech.server.results import Heard, Target

PCM = PcmFormat(16_000)
SPAN = Span(3200, 6400)


def wanted(dialect: str = V2, **changes: Any) -> Wanted:
    asked = SpeechRequest(dialect, "c" * 32, source="en-US", targets=("pt-BR", "fr"))
    return replace(settle(asked, None, Context()), **changes)


def targets(*tags: str) -> tuple[Target, ...]:
    return results.targets_of(tags or ("pt-BR", "fr"), PUBLISHED, ("en-US",))


def phrase(**changes: Any) -> Phrase:
    found = Phrase(0, SPAN, "Hello, damn world.", ("Olá, droga.", "Salut."), targets=("pt", "fr"))
    return replace(found, **changes)


def final(event: Phrase, dialect: str = V2, until: int | None = None, tags: tuple[str, ...] = (), **more: Any) -> Final:
    return results.final(
        event, wanted(dialect, **more), targets(*tags), PCM, Heard(dialect, PUBLISHED, dialect == V2), until
    )


class TestTargets:
    def test_are_known_by_tag_or_bad(self) -> None:
        found = targets("pt-BR", "fr", "zz", "pt")
        assert found == (Target("pt-BR", "pt"), Target("fr", "fr"), Target("zz", None), Target("pt", "pt"))
        assert results.keys_of(found) == ("pt", "fr")

    def test_that_no_spoken_language_goes_into_are_bad(self) -> None:
        pairs = {"en": frozenset({"pt"}), "es": frozenset({"fr"})}
        catalogue = Catalogue.of(PUBLISHED.speech.values(), PUBLISHED.text.values(), (), pairs)
        asked = ("pt", "fr", "en")
        keys = {
            spoken: [target.key for target in results.targets_of(asked, catalogue, spoken)]
            for spoken in (("en-US",), ("en-US", "es-ES"), ("",))
        }
        assert keys == {
            ("en-US",): ["pt", None, "en"],
            ("en-US", "es-ES"): ["pt", "fr", "en"],
            ("",): [None, None, None],
        }


class TestTimes:
    def test_are_ticks(self) -> None:
        assert results.ticks(PCM, 3200) == 1_000_000
        assert results.whole_ms(PCM, 3200) == 1_000_000
        assert results.whole_ms(PCM, 3202) == 1_010_000


class TestRawText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Hello, World!", "hello world"),
            ("What's the time - now?", "what's the time now"),
            ("Well-known 'quotes'.", "well-known quotes"),
            ("Olá, «mundo»…", "olá mundo"),
        ],
    )
    def test_has_no_capitals_and_no_punctuation(self, text: str, expected: str) -> None:
        assert results.raw(text) == expected


class TestProfanity:
    @pytest.mark.parametrize(
        ("treatment", "expected"),
        [
            (Profanity.RAW, "oh Damn it"),
            (Profanity.MASKED, "oh **** it"),
            (Profanity.REMOVED, "oh  it"),
            (Profanity.TAGGED, "oh <profanity>Damn</profanity> it"),
        ],
    )
    def test_is_treated(self, treatment: Profanity, expected: str) -> None:
        assert results.treated("oh Damn it", frozenset({"damn"}), treatment) == expected


class TestLanguage:
    def test_is_the_source_where_nothing_has_to_be_found_out(self) -> None:
        assert results.language_of(None, wanted(), V2, PUBLISHED) == "en-US"
        assert results.language_of(None, wanted(V1), V1, PUBLISHED) is None

    def test_is_the_candidate_that_was_found(self) -> None:
        asked = wanted(candidates=("en-GB", "de-DE"))
        assert results.language_of("de-DE", asked, V2, PUBLISHED) == "de-DE"
        assert results.language_of("en-US", asked, V1, PUBLISHED) == "en-GB"
        assert results.language_of("fr-FR", asked, V1, PUBLISHED) == "en-GB"

    def test_of_an_open_range_is_a_bare_code(self) -> None:
        asked = wanted(candidates=("UND",))
        assert results.language_of("de-DE", asked, V2, PUBLISHED) == "de"
        assert results.language_of(None, asked, V2, PUBLISHED) is None


class TestInterims:
    def test_are_raw_with_translations_in_order(self) -> None:
        event = Hypothesis(0, SPAN, "Hello, damn", ("Olá,", "Salut"), frozenset({"damn"}), targets=("pt", "fr"))
        told = results.interim(event, wanted(), targets(), PCM, Heard(V2, PUBLISHED, True))
        assert (told.text, told.offset, told.duration, told.language) == ("hello ****", 1_000_000, 2_000_000, "en-US")
        assert told.translations == (Translation("pt-BR", "Olá,"), Translation("fr", "Salut"))

    def test_of_v1_have_short_tags(self) -> None:
        event = Hypothesis(0, SPAN, "Hello", ("Olá",), targets=("pt",))
        told = results.interim(event, wanted(V1), targets("pt-BR", "pt", "zz", "fr"), PCM, Heard(V1, PUBLISHED, False))
        assert told.translations == (Translation("pt", "Olá"), Translation("pt", "Olá"))


class TestFinals:
    def test_of_speech(self) -> None:
        told = final(phrase(profanities=frozenset({"damn", "droga"})))
        assert (told.status, told.text, told.offset, told.duration) == (
            "Success",
            "Hello, **** world.",
            1_000_000,
            2_000_000,
        )
        assert told.translations == (Translation("pt-BR", "Olá, *****."), Translation("fr", "Salut."))
        assert (told.translation_status, told.alternatives) == ("Success", ())

    def test_that_reach_further(self) -> None:
        assert final(phrase(), until=5_000_000).duration == 4_000_000

    def test_without_words(self) -> None:
        told = final(phrase(recognition="", commit="3"))
        assert (told.status, told.text, told.language, told.commit) == ("NoMatch", None, "en-US", "3")
        assert final(phrase(recognition=""), V1).language is None

    def test_with_a_status_of_their_own(self) -> None:
        assert final(phrase(status="BabbleTimeout")).status == "BabbleTimeout"

    def test_with_a_target_that_is_bad(self) -> None:
        told = final(phrase(), tags=("pt", "zz"))
        assert (told.text, told.translations, told.translation_status) == ("Hello, damn world.", (), "Error")
        assert told.failure_reason == "Translation call failed: the target language 'zz' is not valid."

    def test_with_a_translation_that_failed(self) -> None:
        told = final(phrase(failures={"pt": "no"}))
        assert (told.translations, told.translation_status) == ((Translation("fr", "Salut."),), "Success")

    def test_with_all_translations_failed(self) -> None:
        told = final(phrase(failures={"pt": "no", "fr": "never"}))
        assert (told.translations, told.failure_reason) == ((), "Translation call failed: no")

    def test_of_plain_recognition(self) -> None:
        told = final(phrase(translations=(), targets=()), translated=False)
        assert (told.translated, told.translation_status) == (False, None)

    def test_in_detail(self) -> None:
        told = final(phrase(profanities=frozenset({"damn"})), detailed=True)
        plain, masked = "hello damn world", "hello **** world"
        assert told.alternatives == (Alternative(0.9, plain, plain, masked, "Hello, **** world."),)


class TestSilence:
    @pytest.mark.parametrize(
        ("dialect", "translated", "one_shot", "status"),
        [
            (V2, True, True, "InitialSilenceTimeout"),
            (V2, True, False, "Success"),
            (V2, False, False, "NoMatch"),
            (V1, True, False, "NoMatch"),
        ],
    )
    def test_has_its_status(self, dialect: str, translated: bool, one_shot: bool, status: str) -> None:
        asked = wanted(dialect, translated=translated)
        told = results.silence(SPAN, 9_000_000, asked, PCM, Heard(dialect, PUBLISHED, dialect == V2), one_shot=one_shot)
        assert (told.status, told.offset, told.duration) == (status, 1_000_000, 8_000_000)
        assert told.text == ("" if status == "Success" else None)
