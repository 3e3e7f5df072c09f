"""The bench of `translator`: every rule of every room, each about a requirement that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.judge import translator
from conformance.judge.translator import (
    client_audio,
    client_request,
    closing,
    handshake,
    http,
    reading,
    results,
    timing,
    voice,
)
from protocol import requirements
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

ROOMS = (handshake, http, results, timing, voice, closing, client_request, client_audio)


class TestBench:
    def test_has_every_rule_once(self) -> None:
        rules = [rule for room in ROOMS for rule in room.RULES]
        assert list(translator.bench().rules) == rules
        assert len({rule.check for rule in rules}) == len(rules)

    def test_is_made_once(self) -> None:
        assert translator.bench() is translator.bench()

    def test_reads_transcripts_as_views(self, talk: Talk) -> None:
        view = translator.bench().view(talk.open().transcript())
        assert isinstance(view, reading.View)
        assert view.opened

    def test_judges_requirements_of_the_party_that_they_bind(self) -> None:
        for party in Party:
            judged = translator.bench().requirements(party)
            assert judged
            assert {requirements.get(name).party for name in judged} == {party}

    def test_says_nothing_of_an_empty_transcript(self, talk: Talk) -> None:
        for party in Party:
            assert translator.bench().judge(talk.transcript(), party) == ()
