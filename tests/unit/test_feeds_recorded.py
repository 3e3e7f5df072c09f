"""The passive check: transcripts in, a report out, as of any other run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from conformance.feeds.recorded import judge_recorded
from conformance.judge.verdict import ExitCode, Verdict
from conformance.judge.wire import WIRE, judge_all
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from protocol import requirements
from protocol.wire import Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk

PEER = {"file": "talk.json", "connections": 1}
BOTH = (Party.CLIENT, Party.SERVER)
FIRST = "translator.client.header-first"


@pytest.fixture
def good(talk: Talk) -> Talk:
    return talk.open().header().audio().final().client_closes().server_closes()


@pytest.fixture
def bad(talk: Talk) -> Talk:
    return talk.open().audio().final().client_closes().server_closes()


def judged(talk: Talk, parties: Sequence[Party] = BOTH, **options: Any) -> tuple[Report, list[Event]]:
    """Judge one transcript."""
    told: list[Event] = []
    return judge_recorded([talk.transcript()], parties, PEER, told.append, **options), told


def owners(names: Any) -> set[Party]:
    return {requirements.get(name).party for name in names}


class TestReport:
    def test_is_told_as_a_run_of_the_one_case_wire(self, good: Talk) -> None:
        report, told = judged(good, seed=7)
        assert [type(event) for event in told] == [RunStarted, CaseFinished, RunFinished]
        assert told[0] == RunStarted(report.speechwire, requirements.REVISION, PEER, "translator", 7, 1)
        assert told[1] == CaseFinished(WIRE, report.checks, report.total_s)
        assert told[2] == RunFinished(report)
        assert report.elapsed == {WIRE: report.total_s}
        assert (report.waiting_s, report.seed, report.peer) == (0.0, 7, PEER)

    def test_has_what_the_judge_says_of_each_party(self, good: Talk) -> None:
        report, _ = judged(good)
        seen = [good.transcript()]
        assert report.checks == (*judge_all(seen, Party.CLIENT), *judge_all(seen, Party.SERVER))
        assert (report.outcome, report.exit_code, report.party) == ("conforming", ExitCode.CONFORMING, "both")

    @pytest.mark.parametrize("party", list(Party))
    def test_covers_the_judged_party_alone(self, good: Talk, party: Party) -> None:
        report, _ = judged(good, [party])
        assert report.party == party.value
        assert owners(check.requirement for check in report.checks) == {party}
        assert owners(report.coverage) == {party}

    def test_covers_every_requirement_where_both_are_judged(self, good: Talk) -> None:
        assert set(judged(good)[0].coverage) == set(requirements.load("translator"))


class TestOutcome:
    def test_of_a_violation(self, bad: Talk) -> None:
        report, _ = judged(bad)
        assert (report.outcome, report.exit_code) == ("violations", ExitCode.VIOLATIONS)
        assert {check.requirement: check.verdict for check in report.checks}[FIRST] is Verdict.VIOLATION

    def test_of_a_violation_by_somebody_else(self, bad: Talk) -> None:
        assert judged(bad, [Party.SERVER])[0].exit_code is ExitCode.CONFORMING

    @pytest.mark.parametrize(("strict", "code"), [(False, ExitCode.CONFORMING), (True, ExitCode.VIOLATIONS)])
    def test_of_what_is_not_strict(self, talk: Talk, strict: bool, code: ExitCode) -> None:
        report, _ = judged(talk.open().header().audio().final("0").final("0"), [Party.SERVER], strict=strict)
        assert (report.exit_code, report.strict) == (code, strict)

    def test_of_nothing_that_can_be_judged(self, talk: Talk) -> None:
        report, told = judged(talk)
        assert report.checks == ()
        assert (report.outcome, report.exit_code) == ("could-not-run", ExitCode.COULD_NOT_RUN)
        assert isinstance(told[-1], RunFinished)
