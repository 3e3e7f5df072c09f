"""The catalogue of `translator`: what was published, what a spelling means, and what an engine may offer."""

from __future__ import annotations

import re

import pytest

from protocol.errors import LocalViolation
from protocol.languages import PUBLISHED, Catalogue, Speech, Text, Voice

ENGLISH = Text("en", "ltr")
ELSA = Voice("it-IT-Elsa", "it-IT", "Elsa", "female", "it")


class TestPublished:
    """Facts G7 and G8, data of section 9.1."""

    def test_there_are_eleven_speech_and_63_text_languages(self) -> None:
        assert {key: entry.language for key, entry in PUBLISHED.speech.items()} == {
            "ar-EG": "ar",
            "de-DE": "de",
            "en-US": "en",
            "es-ES": "es",
            "fr-FR": "fr",
            "it-IT": "it",
            "ja-JP": "ja",
            "pt-BR": "pt",
            "ru-RU": "ru",
            "zh-CN": "zh-Hans",
            "zh-TW": "zh-Hant",
        }
        assert len(PUBLISHED.text) == 63
        assert {"is", "mww", "otq", "sr-Cyrl", "sr-Latn", "tlh", "tlh-Qaak", "yua", "yue"} <= PUBLISHED.text.keys()

    def test_four_languages_run_from_right_to_left(self) -> None:
        rtl = {key for key, entry in PUBLISHED.text.items() if entry.direction == "rtl"}
        assert rtl == {"ar", "fa", "he", "ur"}

    def test_there_are_69_voices_of_30_languages(self) -> None:
        assert len(PUBLISHED.voices) == 69
        assert len({voice.language for voice in PUBLISHED.voices.values()}) == 30
        assert PUBLISHED.voices["it-IT-Elsa"] == ELSA
        assert PUBLISHED.voices["zh-HK-Danny"] == Voice("zh-HK-Danny", "zh-HK", "Danny", "male", "yue")

    def test_a_voices_language_is_its_locales_except_in_chinese(self) -> None:
        odd = {
            (voice.locale, voice.language)
            for voice in PUBLISHED.voices.values()
            if voice.locale.partition("-")[0] != voice.language
        }
        assert odd == {("zh-CN", "zh-Hans"), ("zh-TW", "zh-Hant"), ("zh-HK", "yue")}

    def test_ids_have_the_form_of_the_wire(self) -> None:
        assert all(re.fullmatch(r"[a-z]{2,3}-[A-Z]{2}", key) for key in PUBLISHED.speech)
        assert all(re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", key) for key in PUBLISHED.text)
        assert {voice.gender for voice in PUBLISHED.voices.values()} == {"female", "male"}

    def test_nobody_can_change_it(self) -> None:
        with pytest.raises(TypeError):
            PUBLISHED.text["xx"] = ENGLISH  # type: ignore[index]


class TestResolveSource:
    """Contradiction C1: what `from` may look like."""

    @pytest.mark.parametrize(
        ("value", "key"),
        [
            ("en-US", "en-US"),
            ("en-us", "en-US"),
            ("EN", "en-US"),
            ("pt", "pt-BR"),
            ("zh", "zh-CN"),
            ("zh-Hans", "zh-CN"),
            ("zh-CHS", "zh-CN"),
            ("zh-hant", "zh-TW"),
            ("zh-CHT", "zh-TW"),
        ],
    )
    def test_a_known_spelling_means_a_speech_key(self, value: str, key: str) -> None:
        assert PUBLISHED.resolve_source(value) == key

    @pytest.mark.parametrize("value", ["", "xx", "xx-XX", "en-GB", "ko", "en-US ", "en_US", "en-US,fr-FR"])
    def test_nothing_else_does(self, value: str) -> None:
        assert PUBLISHED.resolve_source(value) is None

    def test_an_alias_of_a_language_that_is_not_offered_means_nothing(self) -> None:
        assert PUBLISHED.subset(speech=["en-US"]).resolve_source("zh") is None

    def test_the_text_id_of_several_locales_means_the_first(self) -> None:
        catalogue = Catalogue.of([Speech("en-GB", "en"), Speech("en-US", "en")], [ENGLISH])
        assert catalogue.resolve_source("en") == "en-GB"


class TestResolveTarget:
    """Contradiction C2: what `to` may look like."""

    @pytest.mark.parametrize(
        ("value", "key"),
        [
            ("it", "it"),
            ("it-IT", "it"),
            ("es-es", "es"),
            ("en-XX", "en"),
            ("es-419", "es"),
            ("zh", "zh-Hans"),
            ("zh-HANS", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-tw", "zh-Hant"),
            ("zh-Hant-HK", "zh-Hant"),
            ("zh-HK", "yue"),
            ("zh-CHT", "zh-Hant"),
            ("tlh-qaak", "tlh-Qaak"),
            ("sr", "sr-Cyrl"),
            ("sr-RS", "sr-Cyrl"),
            ("sr-Latn-RS", "sr-Latn"),
            ("no-NO", "nb"),
            ("iw", "he"),
        ],
    )
    def test_a_known_spelling_means_a_text_key(self, value: str, key: str) -> None:
        assert PUBLISHED.resolve_target(value) == key

    @pytest.mark.parametrize("value", ["", "xx", "xx-XX", "it-IT-Elsa", "it_IT", "it-Latn", " it", "it,fr", "-IT"])
    def test_nothing_else_does(self, value: str) -> None:
        assert PUBLISHED.resolve_target(value) is None

    def test_chinese_of_the_other_script_is_no_substitute(self) -> None:
        catalogue = PUBLISHED.subset(speech=(), text=["zh-Hans"])
        assert catalogue.resolve_target("zh-TW") is None
        assert catalogue.resolve_target("zh-CN") == "zh-Hans"


class TestVoices:
    def test_the_voices_of_a_language_may_be_of_several_locales(self) -> None:
        assert [voice.id for voice in PUBLISHED.voices_for("pt")] == ["pt-BR-Daniel", "pt-BR-Maria", "pt-PT-Helia"]

    @pytest.mark.parametrize(
        ("language", "locale"),
        [("de", "de-DE"), ("en", "en-US"), ("fr", "fr-FR"), ("zh-Hant", "zh-TW"), ("yue", "zh-HK")],
    )
    def test_the_default_voice_is_of_the_main_locale(self, language: str, locale: str) -> None:
        chosen = PUBLISHED.voices_for(language)[0]
        assert (chosen.language, chosen.locale) == (language, locale)

    def test_a_language_without_a_voice_has_none(self) -> None:
        assert PUBLISHED.voices_for("tlh") == ()


class TestSubset:
    def test_it_keeps_what_belongs_to_the_remaining_text_languages(self) -> None:
        small = PUBLISHED.subset(text=["it", "en"])
        assert list(small.text) == ["en", "it"]
        assert list(small.speech) == ["en-US", "it-IT"]
        assert {voice.language for voice in small.voices.values()} == {"en", "it"}

    def test_each_scope_can_be_named(self) -> None:
        small = PUBLISHED.subset(speech=["en-US"], text=["en", "pt"], voices=["pt-PT-Helia"])
        assert (list(small.speech), list(small.text)) == (["en-US"], ["en", "pt"])
        assert list(small.voices) == ["pt-PT-Helia"]

    def test_nothing_named_is_everything(self) -> None:
        assert PUBLISHED.subset() == PUBLISHED

    def test_an_unknown_id_is_named(self) -> None:
        with pytest.raises(ValueError, match="not in the catalogue: xx-XX, yy-YY"):
            PUBLISHED.subset(speech=["yy-YY", "en-US", "xx-XX"])

    def test_what_is_spoken_has_to_be_writable(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            PUBLISHED.subset(speech=["en-US"], text=["pt"])
        assert caught.value == LocalViolation(
            "translator.languages.cross-reference", "/speech/en-US", "a language that is a text id", "en"
        )


class TestConsistency:
    """A catalogue whose `/languages` answer would break a requirement cannot be made."""

    def test_a_voice_speaks_a_text_language(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            Catalogue.of([], [ENGLISH], [ELSA])
        assert caught.value.at == "/tts/it-IT-Elsa"
        assert caught.value.requirement == "translator.languages.cross-reference"

    def test_a_voices_id_is_its_locale_and_name(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            Catalogue.of([], [Text("it", "ltr")], [Voice("Elsa", "it-IT", "Elsa", "female", "it")])
        assert caught.value == LocalViolation("translator.languages.voice-id", "/tts/Elsa", "it-IT-Elsa", "Elsa")

    def test_an_entry_stands_under_its_own_id(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            Catalogue({}, {"fr": ENGLISH}, {})
        assert caught.value == LocalViolation("translator.languages.cross-reference", "/text/fr", "fr", "en")


class TestPairs:
    """Not every language goes into every other one, where translations are made by what is installed."""

    ENTRIES = (
        [Speech("en-US", "en"), Speech("pt-BR", "pt"), Speech("de-DE", "de")],
        [Text("de", "ltr"), Text("en", "ltr"), Text("es", "ltr"), Text("pt", "ltr")],
        [Voice("pt-BR-Ana", "pt-BR", "Ana", "female", "pt"), Voice("de-DE-Max", "de-DE", "Max", "male", "de")],
    )
    SOME = Catalogue.of(*ENTRIES, {"en": frozenset({"pt", "es"}), "pt": frozenset({"en", "es"})})

    def test_without_a_word_of_them_every_pair_goes(self) -> None:
        assert Catalogue.of(*self.ENTRIES).targets("de") == ("de", "en", "es", "pt")

    def test_a_language_goes_into_itself_and_what_is_named(self) -> None:
        assert self.SOME.targets("en") == ("en", "es", "pt")
        assert self.SOME.targets("de") == ("de",)

    def test_what_is_complete_has_every_pair(self) -> None:
        complete = self.SOME.complete()
        assert list(complete.speech) == ["en-US", "pt-BR"]
        assert list(complete.text) == ["en", "es", "pt"]
        assert list(complete.voices) == ["pt-BR-Ana"]
        for entry in complete.speech.values():
            assert complete.targets(entry.language) == tuple(complete.text)

    def test_everything_is_complete_where_every_pair_goes(self) -> None:
        assert PUBLISHED.complete() == PUBLISHED

    def test_english_comes_before_others_that_reach_as_many(self) -> None:
        lonely = Catalogue.of(*self.ENTRIES, {})
        assert list(lonely.complete().speech) == ["en-US"]

    def test_nothing_is_complete_too(self) -> None:
        nothing = Catalogue.of((), ())
        assert nothing.complete() is nothing
