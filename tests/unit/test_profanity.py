"""Finding the words that a profanity filter treats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.profanity import treat

WORDS = frozenset({"damn", "damn it", "jackass", "où"})


def marked(text: str, words: frozenset[str] = WORDS) -> str:
    return treat(text, words, lambda word: f"<{word}>")


class TestFound:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("He is a jackass.", "He is a <jackass>."),
            ("JACKASS and Jackass", "<JACKASS> and <Jackass>"),
            ("damn, damn!", "<damn>, <damn>!"),
            ("Où est-il?", "<Où> est-il?"),
            ("damn\njackass", "<damn>\n<jackass>"),
        ],
    )
    def test_whole_words_without_regard_to_case(self, text: str, expected: str) -> None:
        assert marked(text) == expected

    @pytest.mark.parametrize("text", ["goddamn", "damned", "damn_it", "jackass1", "coût", ""])
    def test_no_part_of_a_word(self, text: str) -> None:
        assert marked(text) == text

    def test_the_longest_that_fits(self) -> None:
        assert marked("damn it all, damn") == "<damn it> all, <damn>"

    def test_words_that_would_mean_something_in_a_pattern(self) -> None:
        assert marked("b.d b+d bxd", frozenset({"b.d", "b+d"})) == "<b.d> <b+d> bxd"


class TestTreatment:
    def test_may_be_anything(self) -> None:
        assert treat("a damn fool", WORDS, lambda _: "") == "a  fool"
        assert treat("a damn fool", WORDS, lambda word: "*" * len(word)) == "a **** fool"

    def test_is_no_pattern_either(self) -> None:
        assert treat("damn", WORDS, lambda _: r"\1\g<0>") == r"\1\g<0>"

    def test_is_not_treated_again(self) -> None:
        assert treat("damn", WORDS, lambda _: "jackass") == "jackass"


class TestNothingToDo:
    @given(st.text())
    def test_without_profanities_a_text_stays_as_it_is(self, text: str) -> None:
        assert marked(text, frozenset()) == text

    @given(st.text())
    def test_a_treatment_that_changes_nothing_changes_nothing(self, text: str) -> None:
        assert treat(text, WORDS, lambda word: word) == text
