"""The self-proof: every fault is found by the check that names its requirement, and by nothing unrelated."""

from __future__ import annotations

import os

import pytest

from conformance.cases import registry as cases
from conformance.faults import registry as faults
from conformance.faults.prove import Proof, prove, run_in_memory
from conformance.judge.benches import BENCHES
from conformance.judge.verdict import Verdict
from protocol import requirements
from protocol.wire import Party

DIALECT = "translator"


@pytest.fixture(scope="module")
def proofs() -> tuple[Proof, ...]:
    return prove(DIALECT, faults.load(DIALECT), os.cpu_count() or 1, lambda _: None)


class TestTheCatalogue:
    def test_names_requirements_of_the_register(self) -> None:
        for fault in faults.load(DIALECT):
            for name in (fault.requirement, *fault.implies):
                assert requirements.get(name)

    def test_says_what_each_fault_does(self) -> None:
        assert all(fault.summary.endswith(".") for fault in faults.load(DIALECT))

    def test_is_known_by_id(self) -> None:
        first = faults.load(DIALECT)[0]
        assert faults.get(first.id) is first
        with pytest.raises(KeyError):
            faults.get("translator.nothing/at-all")
        with pytest.raises(KeyError):
            faults.get("nothing")


class TestTheReferenceServer:
    def test_is_conforming_and_nothing_departs(self) -> None:
        report = run_in_memory(DIALECT)
        assert report.exit_code == 0
        assert [check.id for check in report.checks if check.verdict not in {Verdict.OK, Verdict.NOT_APPLICABLE}] == []

    def test_covers_two_thirds_of_the_testable_requirements_with_forty_cases(self) -> None:
        report = run_in_memory(DIALECT)
        testable = [state for state in report.coverage.values() if state != "excluded"]
        assert len(cases.load(DIALECT)) >= 40
        assert testable.count("tested") * 3 >= len(testable) * 2

    def test_the_same_seed_gives_the_same_verdicts(self) -> None:
        first, second = (run_in_memory(DIALECT) for _ in range(2))
        assert [(c.id, c.verdict, c.count) for c in first.checks] == [(c.id, c.verdict, c.count) for c in second.checks]


@pytest.mark.timeout(900)
class TestTheKillMatrix:
    def test_has_thirty_faults_and_no_survivor(self, proofs: tuple[Proof, ...]) -> None:
        assert len(proofs) >= 30
        assert [proof.fault for proof in proofs if not proof.killed] == []

    def test_has_no_undeclared_collateral(self, proofs: tuple[Proof, ...]) -> None:
        assert {proof.fault: proof.undeclared for proof in proofs if proof.undeclared} == {}

    def test_declares_nothing_that_does_not_happen(self, proofs: tuple[Proof, ...]) -> None:
        idle = {proof.fault: set(proof.implies) - set(proof.also) for proof in proofs}
        assert {fault: names for fault, names in idle.items() if names} == {}


class TestWhatIsJudged:
    def test_every_requirement_without_a_test_has_a_reason(self) -> None:
        """A requirement is in a case, in a rule, or excluded with a reason."""
        tested = {name for party in Party for case in cases.load(DIALECT, party) for name in case.requirements}
        tested |= {name for party in Party for name in BENCHES[DIALECT]().requirements(party)}
        silent = [row.id for row in requirements.load(DIALECT).values() if row.party is Party.SERVER]
        assert [name for name in silent if name not in tested and not requirements.get(name).excluded] == []
