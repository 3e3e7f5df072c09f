"""All transcripts of a run together: each requirement once, at its worst, with the shortest example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance import timeline
from conformance.judge.verdict import Check, Verdict
from conformance.judge.wire import WIRE, judge_all
from protocol import requirements
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

UNIQUE = "translator.final.id-unique"
ONE_MESSAGE = "translator.voice.one-message"


@pytest.fixture
def good(new_talk: Callable[..., Talk]) -> Talk:
    return new_talk(connection=1).open().header().audio().final("0").final("1").client_closes().server_closes()


@pytest.fixture
def bad(new_talk: Callable[..., Talk]) -> Talk:
    return new_talk(connection=2).open().header().final("7").final("7").final("7")


def checks(*talks: Talk, party: Party = Party.SERVER) -> dict[str, Check]:
    return {check.requirement: check for check in judge_all([talk.transcript() for talk in talks], party)}


class TestKept:
    def test_everywhere_is_ok_and_counted(self, good: Talk) -> None:
        assert checks(good, good)[UNIQUE] == Check(WIRE, UNIQUE, Verdict.OK, "", "", count=4)

    def test_by_each_party_for_itself(self, good: Talk) -> None:
        for party in Party:
            assert {requirements.get(name).party for name in checks(good, party=party)} == {party}


class TestBroken:
    def test_anywhere_is_broken_and_counted(self, good: Talk, bad: Talk) -> None:
        check = checks(good, bad, good)[UNIQUE]
        assert (check.case, check.verdict, check.count) == (WIRE, Verdict.NON_STRICT, 2)
        assert (check.expected, check.observed) == ("an id that no final of the session has had", '"7" again')

    def test_shows_the_shortest_transcript(self, good: Talk, bad: Talk, new_talk: Callable[..., Talk]) -> None:
        short = new_talk(connection=3).open().final("8").final("8")
        check = checks(bad, short, good)[UNIQUE]
        assert check.card is not None
        assert check.card.connection == 3
        assert check.card.lines == timeline.lines(short.transcript())
        assert check.observed == '"8" again'

    def test_has_the_gravest_of_its_verdicts(self, new_talk: Callable[..., Talk]) -> None:
        files = new_talk().open("TextToSpeech").header().final().voice().voice()
        pieces = new_talk().open("TextToSpeech").header().audio().final().voice().replies(b"piece")
        assert checks(files)[ONE_MESSAGE].verdict is Verdict.NON_STRICT
        check = checks(files, pieces)[ONE_MESSAGE]
        assert (check.verdict, check.count) == (Verdict.VIOLATION, 2)
        assert check.card is not None
        assert any("70 69 65 63 65" in line for line in check.card.lines)


class TestOrder:
    def test_is_that_of_the_register(self, good: Talk, bad: Talk) -> None:
        names = [check.requirement for check in judge_all([bad.transcript(), good.transcript()], Party.SERVER)]
        register = list(requirements.load("translator"))
        assert names == sorted(names, key=register.index)
        assert len(set(names)) == len(names)

    def test_of_no_transcripts_is_empty(self) -> None:
        assert judge_all([], Party.SERVER) == []

    def test_does_not_depend_on_the_case(self, good: Talk) -> None:
        transcript = good.transcript()
        other = replace(transcript, case="another.case", connection=9)
        assert judge_all([transcript], Party.SERVER) == judge_all([other], Party.SERVER)
