"""The self-proof: every fault is found by the check that names its requirement, and by nothing unrelated."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from conformance.cases import registry as cases
from conformance.faults import registry as faults
from conformance.faults.prove import Proof, prove, run_in_memory
from conformance.judge.benches import BENCHES
from conformance.judge.verdict import Verdict
from protocol import requirements
from protocol.wire import Party


@dataclass(frozen=True)
class Least:
    """What a dialect has at the least."""

    cases: int
    faults: int


LEAST = {"translator": Least(40, 30), "speech-v1": Least(60, 50), "speech-v2": Least(60, 50)}


@pytest.fixture(scope="module", params=BENCHES)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def proofs(dialect: str) -> tuple[Proof, ...]:
    return prove(dialect, faults.load(dialect), os.cpu_count() or 1, lambda _: None)


class TestTheCatalogue:
    def test_names_requirements_of_the_register(self, dialect: str) -> None:
        for fault in faults.load(dialect):
            for name in (fault.requirement, *fault.implies):
                assert requirements.get(name)

    def test_says_what_each_fault_does(self, dialect: str) -> None:
        assert all(fault.summary.endswith(".") for fault in faults.load(dialect))

    def test_is_known_by_id(self, dialect: str) -> None:
        first = faults.load(dialect)[0]
        assert faults.get(first.id) is first

    def test_knows_no_other_fault(self) -> None:
        with pytest.raises(KeyError):
            faults.get("translator.nothing/at-all")
        with pytest.raises(KeyError):
            faults.get("nothing")


class TestTheReferenceServer:
    def test_is_conforming_and_nothing_departs(self, dialect: str) -> None:
        report = run_in_memory(dialect)
        assert report.exit_code == 0
        assert [check.id for check in report.checks if check.verdict not in {Verdict.OK, Verdict.NOT_APPLICABLE}] == []

    def test_covers_two_thirds_of_the_testable_requirements_with_enough_cases(self, dialect: str) -> None:
        report = run_in_memory(dialect)
        testable = [state for state in report.coverage.values() if state != "excluded"]
        assert len(cases.load(dialect)) >= LEAST[dialect].cases
        assert testable.count("tested") * 3 >= len(testable) * 2

    def test_the_same_seed_gives_the_same_verdicts(self, dialect: str) -> None:
        first, second = (run_in_memory(dialect) for _ in range(2))
        assert [(c.id, c.verdict, c.count) for c in first.checks] == [(c.id, c.verdict, c.count) for c in second.checks]


@pytest.mark.timeout(900)
class TestTheKillMatrix:
    def test_has_enough_faults_and_no_survivor(self, dialect: str, proofs: tuple[Proof, ...]) -> None:
        assert len(proofs) >= LEAST[dialect].faults
        assert [proof.fault for proof in proofs if not proof.killed] == []

    def test_has_no_undeclared_collateral(self, proofs: tuple[Proof, ...]) -> None:
        assert {proof.fault: proof.undeclared for proof in proofs if proof.undeclared} == {}

    def test_declares_nothing_that_does_not_happen(self, dialect: str, proofs: tuple[Proof, ...]) -> None:
        """What a fault implies happens, but for requirements that do not hold in the dialect."""
        rows = requirements.load(dialect)
        idle = {proof.fault: {name for name in proof.implies if name in rows} - set(proof.also) for proof in proofs}
        assert {fault: names for fault, names in idle.items() if names} == {}


class TestWhatIsJudged:
    def test_every_requirement_without_a_test_has_a_reason(self, dialect: str) -> None:
        """A requirement is in a case, in a rule, or excluded with a reason."""
        tested = {name for party in Party for case in cases.load(dialect, party) for name in case.requirements}
        tested |= {name for party in Party for name in BENCHES[dialect]().requirements(party)}
        silent = [row.id for row in requirements.load(dialect).values() if row.party is Party.SERVER]
        assert [name for name in silent if name not in tested and not requirements.get(name).excluded] == []
