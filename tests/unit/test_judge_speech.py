"""The bench of the speech dialects: every rule of every room, each about a requirement that holds."""

from __future__ import annotations

import pkgutil

import pytest

from conformance.judge import speech
from conformance.judge.benches import BENCHES
from conformance.judge.speech.reading import View
from conformance.judge.verdict import Verdict, departure
from protocol import requirements
from protocol.wire import Party
from tests.unit.speech_transcript import SECOND, TWO, V1, V2, SpeechTalk

GOOD: dict[str, list[object]] = {"ReceivedMessages": [], "Metrics": []}


def conversation(dialect: str) -> SpeechTalk:
    """Return a session of two turns in which nothing is wrong."""
    talk = SpeechTalk(dialect).connect("from=en-US&to=de" if dialect == V1 else "")
    talk.begin().detected("start").interim().phrase().interim(offset=3 * SECOND).phrase(offset=3 * SECOND)
    talk.stop().done().tells("telemetry", GOOD).begin("Interactive", identity=TWO)
    talk.interim(identity=TWO).phrase(identity=TWO).done(TWO).tells("telemetry", GOOD, TWO)
    talk.client_closes().server_closes()
    return talk


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return conversation(request.param)


class TestBench:
    def test_has_every_rule_of_every_room(self) -> None:
        rooms = (*speech.SERVER_ROOMS, *speech.CLIENT_ROOMS)
        rules = [rule for room in rooms for rule in room.RULES]
        assert [rule.requirements for rule in speech.bench().rules] == [rule.requirements for rule in rules]
        assert len({rule.check for rule in rules}) == len(rules)

    def test_forgets_no_room(self) -> None:
        names = {module.name for module in pkgutil.iter_modules(speech.__path__)}
        rooms = {room.__name__.rpartition(".")[2] for room in (*speech.SERVER_ROOMS, *speech.CLIENT_ROOMS)}
        assert names - rooms == {"reading", "spoken", "turn", "wave"}

    def test_is_one_for_both_dialects(self) -> None:
        assert BENCHES[V1]() is BENCHES[V2]() is speech.bench()

    def test_reads_transcripts_as_views(self, talk: SpeechTalk) -> None:
        assert isinstance(speech.bench().view(talk.transcript()), View)

    @pytest.mark.parametrize("party", Party)
    def test_judges_requirements_of_the_party_that_they_bind(self, party: Party) -> None:
        judged = speech.bench().requirements(party)
        assert judged
        assert {requirements.get(name).party for name in judged} == {party}

    @pytest.mark.parametrize("party", Party)
    def test_judges_nothing_that_is_excluded(self, party: Party) -> None:
        assert not [name for name in speech.bench().requirements(party) if requirements.get(name).excluded]


class TestFindings:
    def test_are_about_requirements_that_their_rules_name(self, talk: SpeechTalk) -> None:
        talk.phrase().interim(speech={"Offset": "1"}).says("my.own", b"[").plays().voice().tells("event", b"[")
        view = View(talk.transcript())
        for rule in speech.bench().rules:
            assert {finding.requirement for finding in rule.check(view)} <= set(rule.requirements)

    def test_are_about_requirements_of_the_dialect_alone(self, talk: SpeechTalk) -> None:
        for party in Party:
            found = {finding.requirement for finding in speech.bench().judge(talk.transcript(), party)}
            assert found
            assert found <= set(requirements.load(talk.dialect))

    def test_of_a_good_conversation_are_good(self, talk: SpeechTalk) -> None:
        assert talk.wrong(speech.bench()) == []

    def test_of_a_good_client_are_no_violations(self, talk: SpeechTalk) -> None:
        for finding in speech.bench().judge(talk.transcript(), Party.CLIENT):
            verdict = finding.verdict or departure(requirements.get(finding.requirement))
            assert finding.kept or verdict is not Verdict.VIOLATION

    def test_of_nothing_are_none(self) -> None:
        for party in Party:
            assert speech.bench().judge(SpeechTalk().transcript(), party) == ()
