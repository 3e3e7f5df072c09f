"""The judge as a whole: a transcript in, findings out, by the bench of its dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from conformance.judge.benches import BENCHES, judge
from conformance.judge.findings import Finding
from protocol import requirements
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk


def conversation(talk: Talk) -> Talk:
    talk.open("Partial,TextToSpeech").header().audio(1000).audio(2600, loud=False)
    return talk.partial("0.1").final("0").voice().final("0").voice().client_closes().server_closes().ended()


class TestJudge:
    def test_speaks_of_the_party_that_is_asked_for(self, talk: Talk) -> None:
        for party in Party:
            findings = judge(conversation(talk).transcript(), party)
            assert findings
            assert {requirements.get(found.requirement).party for found in findings} == {party}

    def test_finds_what_is_wrong_where_it_is(self, talk: Talk) -> None:
        transcript = conversation(talk).transcript()
        assert [found for found in judge(transcript, Party.SERVER) if not found.kept] == [
            Finding(
                "translator.final.id-unique",
                False,
                transcript.entries.index(transcript.entries[8]),
                "an id that no final of the session has had",
                '"0" again',
            )
        ]

    def test_says_the_same_each_time(self, new_talk: Callable[[], Talk]) -> None:
        first, again = (judge(conversation(new_talk()).transcript(), Party.SERVER) for _ in range(2))
        assert first == again

    def test_knows_no_other_dialects(self, talk: Talk) -> None:
        with pytest.raises(KeyError):
            judge(replace(talk.transcript(), dialect="morse"), Party.SERVER)

    def test_has_a_bench_for_dialects_of_the_register_only(self) -> None:
        for dialect in BENCHES:
            assert requirements.load(dialect)
