"""What becomes of profanities (requirements translator.profanity.*)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.translator.handshake import ProfanityAction, ProfanityMarker
from protocol.translator.policy import Policy
from protocol.translator.profanity import spoken, treat

NONE, MARKED, DELETED = ProfanityAction.NO_ACTION, ProfanityAction.MARKED, ProfanityAction.DELETED
ASTERISK, TAG = ProfanityMarker.ASTERISK, ProfanityMarker.TAG
WORDS = frozenset({"jackass", "damn"})
SAID = "He is a jackass."


def treated(
    text: str, action: ProfanityAction, marker: ProfanityMarker = ASTERISK, words: frozenset[str] = WORDS
) -> str:
    return treat(text, words, action, marker, Policy())


class TestDocumentedExample:
    """The four rows of the official table, to the blank."""

    @pytest.mark.parametrize(
        ("action", "marker", "expected"),
        [
            (NONE, ASTERISK, "He is a jackass."),
            (NONE, TAG, "He is a jackass."),
            (MARKED, ASTERISK, "He is a ***."),
            (MARKED, TAG, "He is a <profanity>jackass</profanity>."),
            (DELETED, ASTERISK, "He is a ."),
            (DELETED, TAG, "He is a ."),
        ],
    )
    def test_comes_out_as_documented(self, action: ProfanityAction, marker: ProfanityMarker, expected: str) -> None:
        assert treated(SAID, action, marker) == expected


class TestWords:
    @pytest.mark.parametrize("text", ["jackasses", "megajackass", "jackass_", "jackass1", "dämn", "damné"])
    def test_parts_of_other_words_are_left(self, text: str) -> None:
        assert treated(text, MARKED) == text

    @pytest.mark.parametrize("text", ["JACKASS", "Jackass", "jAcKaSs"])
    def test_letter_case_does_not_matter_and_a_tag_keeps_it(self, text: str) -> None:
        assert treated(text, MARKED) == "***"
        assert treated(text, MARKED, TAG) == f"<profanity>{text}</profanity>"

    def test_every_occurrence_of_every_word_is_treated(self) -> None:
        assert treated("damn, damn jackass", MARKED) == "***, *** ***"
        assert treated("damn, damn jackass", DELETED) == ",  "

    def test_the_longest_word_wins(self) -> None:
        words = frozenset({"damn", "damn fool"})
        assert treated("you damn fool", MARKED, TAG, words) == "you <profanity>damn fool</profanity>"

    def test_words_are_taken_by_the_letter(self) -> None:
        words = frozenset({"a.s", "(x)", "\\d"})
        assert treated("aXs a.s (x) 7 \\d", MARKED, ASTERISK, words) == "aXs *** *** 7 ***"

    @pytest.mark.parametrize(
        ("text", "words"), [("黑 混蛋 白", frozenset({"混蛋"})), ("la mierda!", frozenset({"Mierda"}))]
    )
    def test_other_languages_have_words_too(self, text: str, words: frozenset[str]) -> None:
        assert "***" in treated(text, MARKED, ASTERISK, words)

    @pytest.mark.parametrize("action", ProfanityAction)
    def test_without_any_profanity_the_text_is_left(self, action: ProfanityAction) -> None:
        assert treated(SAID, action, ASTERISK, frozenset()) == SAID
        assert treated("", action) == ""

    @given(st.lists(st.sampled_from(["damn", "Jackass", "hello", "damnation", "7", "né"])))
    def test_word_by_word_each_is_treated_or_left(self, words: list[str]) -> None:
        marked = ["***" if word.lower() in WORDS else word for word in words]
        assert treated(" ".join(words), MARKED) == " ".join(marked)
        assert treated(" ".join(words), DELETED).split() == [word for word in words if word.lower() not in WORDS]


class TestPolicy:
    def test_asterisks_and_tag_are_fields(self) -> None:
        policy = Policy(asterisks="#", tag="bleep")
        assert treat(SAID, WORDS, MARKED, ASTERISK, policy) == "He is a #."
        assert treat(SAID, WORDS, MARKED, TAG, policy) == "He is a <bleep>jackass</bleep>."

    def test_a_replacement_is_no_pattern(self) -> None:
        assert treat(SAID, WORDS, MARKED, ASTERISK, Policy(asterisks=r"\1\g<0>")) == r"He is a \1\g<0>."


class TestVoice:
    """The voice says what the text says, but nobody reads markup out."""

    @pytest.mark.parametrize(
        ("action", "marker", "expected"),
        [
            (NONE, ASTERISK, "He is a jackass."),
            (MARKED, ASTERISK, "He is a ***."),
            (MARKED, TAG, "He is a jackass."),
            (DELETED, TAG, "He is a ."),
        ],
    )
    def test_is_treated_but_not_tagged(self, action: ProfanityAction, marker: ProfanityMarker, expected: str) -> None:
        assert spoken(SAID, WORDS, action, marker, Policy()) == expected
