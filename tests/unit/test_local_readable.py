from __future__ import annotations

import pytest

from reference_server.engines.local.readable import interim, sentence


class TestSentence:
    @pytest.mark.parametrize(
        ("words", "language", "expected"),
        [
            ("he was not an ill disposed young man", "en", "He was not an ill disposed young man."),
            ("", "en", ""),
            ("  ", "en", ""),
            (" Hello there. ", "en", "Hello there."),
            ("Are you sure?", "en", "Are you sure?"),
            ("Rather selfish is to be ill-disposed,", "en", "Rather selfish is to be ill-disposed."),
            ("he said -", "en", "He said."),
            ('He said "stop."', "en", 'He said "stop."'),
            ("well i think i'm right", "en", "Well I think I'm right."),
            ("i", "en", "I."),
            ("e i ragazzi", "it", "E i ragazzi."),
            ("olá mundo", "pt", "Olá mundo."),
            ("你好", "zh-Hans", "你好。"),
            ("你好。", "zh-Hans", "你好。"),
            ("Wait...", "en", "Wait..."),
            ("été", "fr", "Été."),
        ],
    )
    def test_begins_with_a_capital_and_ends(self, words: str, language: str, expected: str) -> None:
        assert sentence(words, language) == expected


class TestInterim:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [("he was", "He was"), ("he was,", "He was"), ("He was.", "He was"), ("", ""), ("so i", "So I"), (". ", "")],
    )
    def test_has_no_end_yet(self, words: str, expected: str) -> None:
        assert interim(words, "en") == expected
