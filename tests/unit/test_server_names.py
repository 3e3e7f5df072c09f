"""Names of languages and regions for readers of many languages, and the choice of the reader's language."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.languages import PUBLISHED
from reference_server.names import language_name, negotiate, region_name


class TestNegotiate:
    """Requirements translator.languages.accept-language and accept-language-fallback."""

    @pytest.mark.parametrize(
        ("accept_language", "reader"),
        [
            ("fr", "fr"),
            ("zh-Hant", "zh-Hant"),
            ("FR-ca", "fr"),
            ("de-CH-1996", "de"),
            ("zh", "zh-Hans"),
            ("zh-TW", "zh-Hant"),
            ("zh-HK", "zh-Hant"),
            ("no", "nb"),
            ("sr-Latn-RS", "sr-Latn"),
            ("en;q=0.4, fr;q=0.8, de;q=0.6", "fr"),
            ("de, fr", "de"),
            ("fr;q=0.500,de;q=1.000", "de"),
            ("fr ; q = 0.5 , de;q=0.4", "fr"),
            ("xx, it;q=0.1", "it"),
            ("fj, it;q=0.1", "it"),
            ("fr;q=0, it;q=0.1", "it"),
            ("fr;q=2, it;q=0.1", "it"),
            ("*;q=0.1, it;q=0.5", "it"),
        ],
    )
    def test_the_best_readable_language_is_taken(self, accept_language: str, reader: str) -> None:
        assert negotiate(accept_language) == reader

    @pytest.mark.parametrize(
        "accept_language",
        [None, "", "*", "xx", "xx-XX", "tlh", "fj", "en-GB", "fr;q=0", "fr;q=high", ";;,", "../../fr", "*, fr;q=0.5"],
    )
    def test_otherwise_it_is_english(self, accept_language: str | None) -> None:
        assert negotiate(accept_language) == "en"

    @given(st.text(st.sampled_from("dfrzh-*;=q01. ,\x00é")))
    def test_any_value_gives_a_language_that_has_names(self, accept_language: str) -> None:
        assert language_name("de", negotiate(accept_language)) != "de"


class TestLanguageName:
    @pytest.mark.parametrize(
        ("text_id", "reader", "name"),
        [
            ("de", "en", "German"),
            ("de", "fr", "allemand"),
            ("nb", "en", "Norwegian Bokmål"),
            ("zh-Hans", "en", "Simplified Chinese"),
            ("zh-Hant", "fr", "chinois traditionnel"),
            ("sr-Latn", "en", "Serbian (Latin)"),
            ("sr-Cyrl", "fr", "serbe (cyrillique)"),
            ("tlh", "en", "Klingon"),
            ("tlh-Qaak", "de", "Klingonisch (pIqaD)"),
            ("pt-PT", "en", "European Portuguese"),
            ("it-CH", "en", "Italian (Switzerland)"),
        ],
    )
    def test_cldr_names_languages_scripts_and_regions(self, text_id: str, reader: str, name: str) -> None:
        assert language_name(text_id, reader) == name

    @pytest.mark.parametrize(
        ("text_id", "name"), [("mww", "Hmong Daw"), ("otq", "Querétaro Otomi"), ("yua", "Yucatec Maya")]
    )
    @pytest.mark.parametrize("reader", ["en", "fr"])
    def test_what_cldr_lacks_has_an_english_name(self, text_id: str, name: str, reader: str) -> None:
        assert language_name(text_id, reader) == name

    def test_a_name_that_one_language_lacks_is_given_in_english(self) -> None:
        assert language_name("tlh", "mg") == "Klingon"
        assert language_name("tlh-Qaak", "mg") == "Klingon (pIqaD)"

    @pytest.mark.parametrize("text_id", ["qqq", "qqq-Latn"])
    def test_an_unnamed_id_stands_for_itself(self, text_id: str) -> None:
        assert language_name(text_id, "fr") == text_id

    def test_every_published_language_has_a_name(self) -> None:
        assert all(language_name(text_id, "en") != text_id for text_id in PUBLISHED.text)


class TestRegionName:
    def test_it_is_in_the_readers_language(self) -> None:
        assert region_name("en-US", "en") == "United States"
        assert region_name("en-US", "fr") == "États-Unis"

    def test_a_region_that_is_none_stands_for_itself(self) -> None:
        assert region_name("en-QQ", "fr") == "QQ"


class TestLoading:
    def test_babel_is_not_loaded_before_somebody_asks(self) -> None:
        program = "import sys, reference_server.languages; sys.exit('babel' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
