"""How a text becomes heard bit by bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.engines.wording import grown, placeholder, share

SENTENCE = "I would like a cup of coffee."
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


class TestGrown:
    def test_grows_word_by_word(self) -> None:
        assert [grown(SENTENCE, ms) for ms in (600, 900, 1500, 1800, 2400, 60_000)] == [
            "I would",
            "I would like",
            "I would like a",
            "I would like a cup",
            "I would like a cup of coffee",
            "I would like a cup of coffee",
        ]

    def test_is_revised_sometimes(self) -> None:
        assert grown("Bom dia. Tudo bem com vocês?", 1200).islower()
        assert not grown("Bom dia. Tudo bem com vocês?", 1500).islower()

    def test_grows_by_characters_where_there_are_no_blanks(self) -> None:
        assert grown("我想要一杯咖啡。", 600) == "我想要一"

    def test_begins_with_one_word(self) -> None:
        assert grown(SENTENCE, 20) == "I"

    def test_nothing_stays_nothing(self) -> None:
        assert grown("", 3000) == ""

    def test_no_revision_is_longer(self) -> None:
        assert grown("İİİ İİİ", 1200) == "İİİ İİİ"

    @given(text=TEXTS, ms=st.integers(0, 60_000))
    def test_is_a_beginning_of_the_text_but_for_capitals(self, text: str, ms: int) -> None:
        heard = grown(text, ms)
        assert len(heard) <= len(text)
        assert text.startswith(heard) or text.lower().startswith(heard)

    @given(text=TEXTS, first=st.integers(0, 60_000), second=st.integers(0, 60_000))
    def test_never_shrinks_but_by_punctuation(self, text: str, first: int, second: int) -> None:
        earlier, later = sorted((first, second))
        assert len(grown(text, earlier)) <= len(grown(text, later)) + 1


class TestShare:
    def test_is_the_same_part_of_the_translation(self) -> None:
        assert share("Eu gostaria de uma xícara de café.", "I would like a", SENTENCE) == "Eu gostaria de"

    def test_something_heard_is_something_translated(self) -> None:
        assert share("Guten Morgen.", "I", SENTENCE) == "Guten"

    def test_all_of_it_is_the_whole_translation(self) -> None:
        assert (
            share("Vorrei una tazza di caffè.", "I would like a cup of coffee", SENTENCE)
            == "Vorrei una tazza di caffè."
        )

    @pytest.mark.parametrize(("text", "whole"), [("", SENTENCE), ("Olá.", "")])
    def test_nothing_gives_nothing(self, text: str, whole: str) -> None:
        assert share(text, "I", whole) == ""

    @given(text=TEXTS, part=TEXTS, whole=TEXTS)
    def test_is_a_beginning_of_the_translation(self, text: str, part: str, whole: str) -> None:
        assert text.startswith(share(text, part, whole))


class TestPlaceholder:
    def test_names_the_language_and_what_was_said(self) -> None:
        assert placeholder("fi", "Good morning.") == "[fi] Good morning."

    def test_of_nothing_is_nothing(self) -> None:
        assert placeholder("fi", "") == ""
