from __future__ import annotations

from reference_server.engines.local.parts import Kind
from reference_server.engines.local.plan import plan
from tests.unit.local_parts import hears, speaks, translates

FAST = translates("fast", "en-pt", "pt-en")
RULES = translates("rules", "en-es", "es-en", "es-pt", "pt-es", kind=Kind.SMT)


class TestHearing:
    def test_the_highest_rank_hears(self) -> None:
        made = plan([hears("small", "en-US", rank=40), hears("large", "en-US", "de-DE", rank=60)])
        assert {locale: part.name for locale, part in made.hearing.items()} == {"en-US": "large", "de-DE": "large"}
        assert "small" not in made.needed

    def test_what_only_the_lower_rank_hears_it_hears(self) -> None:
        made = plan([hears("small", "en-US", "pt-BR", rank=40), hears("large", "en-US", rank=60)])
        assert made.hearing["pt-BR"].name == "small"
        assert made.needed == {"small", "large"}

    def test_languages_stand_in_the_order_of_what_was_published(self) -> None:
        made = plan([hears("ear", "xx-XX", "pt-BR", "en-US", "de-DE")])
        assert list(made.catalogue.speech) == ["de-DE", "en-US", "pt-BR", "xx-XX"]


class TestTranslation:
    def test_only_what_is_spoken_is_translated(self) -> None:
        made = plan([hears("ear", "en-US"), FAST, RULES])
        assert set(made.routes) == {("en", "pt"), ("en", "es")}
        assert list(made.catalogue.text) == ["en", "es", "pt"]

    def test_a_translator_that_no_route_takes_is_not_needed(self) -> None:
        slow = translates("slow", "en-pt", rank=10)
        assert plan([hears("ear", "en-US"), FAST, slow]).needed == {"ear", "fast"}

    def test_the_catalogue_knows_which_pairs_go(self) -> None:
        catalogue = plan([hears("ear", "en-US", "pt-BR", "de-DE"), FAST, RULES]).catalogue
        assert catalogue.targets("en") == ("en", "es", "pt")
        assert catalogue.targets("pt") == ("en", "es", "pt")
        assert catalogue.targets("de") == ("de",)

    def test_unpublished_languages_have_a_direction(self) -> None:
        catalogue = plan([hears("ear", "en-US"), translates("t", "en-yi", "en-gl")]).catalogue
        assert (catalogue.text["yi"].direction, catalogue.text["gl"].direction) == ("rtl", "ltr")


class TestVoices:
    def test_the_highest_rank_is_the_default_and_others_stay(self) -> None:
        made = plan([hears("ear", "en-US"), FAST, speaks("tin", "en-US", "pt-BR"), speaks("gold", "pt-BR", rank=60)])
        assert [voice.id for voice in made.catalogue.voices_for("pt")] == ["pt-BR-Gold", "pt-BR-Tin"]
        assert made.speaking["pt-BR-Tin"].name == "tin"

    def test_of_languages_that_nothing_is_written_in_there_are_none(self) -> None:
        made = plan([hears("ear", "en-US"), speaks("tin", "en-US", "fi-FI")])
        assert list(made.catalogue.voices) == ["en-US-Tin"]


class TestNothing:
    def test_nothing_is_made_of_nothing(self) -> None:
        made = plan([])
        assert not made.hearing
        assert not made.catalogue.text

    def test_without_a_recogniser_nothing_is_needed(self) -> None:
        assert plan([FAST, speaks("tin", "en-US")]).needed == frozenset()
