"""What cases make of the answers to a turn: where they stand in the audio, which languages they are in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance import corpus
from conformance.cases.context import Blocked
from conformance.cases.speech.hearing import (
    language,
    languages,
    lasts,
    length,
    middles,
    near,
    said_plainly,
    starts_at,
    unheard,
)
from conformance.cases.speech.reading import Heard, heard
from conformance.peers.link import Received
from protocol.wire import Kind


def final(**members: Any) -> Heard:
    head = f"X-RequestId:{'9' * 32}\r\nPath:translation.phrase\r\n\r\n"
    return heard(Received(1.0, 2.0, Kind.TEXT, (head + json.dumps(members)).encode(), 1))


async def nothing(_: object) -> None:
    """Do nothing."""


class TestWhereItStands:
    def test_is_told_in_seconds(self) -> None:
        told = final(Offset=25_000_000, Duration=5_000_000)
        assert (starts_at(told), lasts(told)) == (2.5, 0.5)

    @pytest.mark.parametrize("read", [starts_at, lasts])
    def test_blocks_a_case_when_it_cannot_be_read(self, read: Any) -> None:
        with pytest.raises(Blocked):
            read(final(Offset=None, Duration="soon"))

    def test_agrees_within_half_a_second(self) -> None:
        assert near(2.5, 2.0)
        assert not near(2.51, 2.0)


class TestSpeechThatWasLost:
    def test_is_a_moment_in_no_final(self) -> None:
        finals = [final(Offset=0, Duration=20_000_000), final(Offset=50_000_000, Duration=10_000_000)]
        assert unheard(finals, (1.0, 3.5, 5.5, 7.0)) == [3.5, 7.0]

    def test_is_none_where_one_final_covers_two_sentences(self) -> None:
        pair = corpus.load()["pair"]
        assert unheard([final(Offset=0, Duration=60_000_000)], middles(pair)) == []

    def test_stands_behind_what_was_said_before(self) -> None:
        pair = corpus.load()["pair"]
        first, second = middles(pair), middles(pair, length(pair))
        assert [round(later - earlier, 3) for earlier, later in zip(first, second, strict=True)] == [
            round(length(pair), 3)
        ] * 2


class TestLanguages:
    @pytest.mark.parametrize(("tag", "short"), [("pt-BR", "pt"), ("zh-Hans-CN", "zh"), ("DE", "de")])
    def test_have_neither_script_nor_region(self, tag: str, short: str) -> None:
        assert language(tag) == short

    def test_stand_in_the_order_of_the_final(self) -> None:
        entries = [{"Language": "pt-BR", "Text": "a"}, {"Language": "de", "Text": "b"}]
        assert languages(final(Translation={"Translations": entries})) == ["pt", "de"]

    def test_leave_texts_the_same_whatever_marks_they_were_given(self) -> None:
        assert said_plainly("Half past nine.") == said_plainly("half past, nine")
