"""The self-proof: every fault is found by the check that names its requirement, and by nothing unrelated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.cases.judged import judged_by
from conformance.faults import matrix
from conformance.faults import registry as faults
from conformance.faults.memory import run_in_memory
from conformance.faults.prove import Proof, prove
from conformance.faults.reach import record
from conformance.judge.benches import BENCHES
from conformance.judge.verdict import Verdict
from protocol import requirements
from protocol.wire import Party

UNSEEN = {
    "translator.final.empty-translation",  # the reference engine hears words or gives no final
    "translator.voice.not-for-empty",
    "speech.close.idle-1000",  # the reference server closes in none of the cases but for a fault of the client
    "speech.close.mid-turn-not-1000",
    "speech.close.behind-turn-end",
    "speech.endpoint.redirect-absolute",  # it redirects nobody who has not configured it to
    "speech.frame.continuation",  # it has no such headers
}


@pytest.fixture(scope="module", params=BENCHES)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def proofs(dialect: str) -> tuple[Proof, ...]:
    return prove(record(dialect), faults.load(dialect), os.cpu_count() or 1, lambda _: None)


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

    def test_shows_all_requirements_but_those_of_which_a_sound_server_shows_nothing(self, dialect: str) -> None:
        report = run_in_memory(dialect)
        unseen = {name for name, state in report.coverage.items() if state == "not-observed"}
        assert unseen == {name for name in UNSEEN if name in requirements.load(dialect)}

    def test_the_same_seed_gives_the_same_verdicts(self, dialect: str) -> None:
        first, second = (run_in_memory(dialect) for _ in range(2))
        assert [(c.id, c.verdict, c.count) for c in first.checks] == [(c.id, c.verdict, c.count) for c in second.checks]


@pytest.mark.timeout(900)
class TestTheKillMatrix:
    def test_has_no_survivor(self, proofs: tuple[Proof, ...]) -> None:
        assert [proof.fault for proof in proofs if not proof.killed] == []

    def test_has_no_undeclared_collateral(self, proofs: tuple[Proof, ...]) -> None:
        assert {proof.fault: proof.undeclared for proof in proofs if proof.undeclared} == {}

    def test_declares_nothing_that_does_not_happen(self, dialect: str, proofs: tuple[Proof, ...]) -> None:
        """What a fault implies happens, but for requirements that do not hold in the dialect.

        Of what conversations find the first ones are seen here alone; `tests/quality` sees the others.
        """
        rows = requirements.load(dialect)
        sure = [proof for proof in proofs if not faults.get(proof.fault).needs]
        idle = {proof.fault: {name for name in proof.implies if name in rows} - set(proof.also) for proof in sure}
        assert {fault: names for fault, names in idle.items() if names} == {}

    def test_is_the_one_that_is_published(self, dialect: str, proofs: tuple[Proof, ...]) -> None:
        """`make kill-matrix` writes it anew."""
        published = Path(matrix.__file__).with_name(f"matrix-{dialect}.md").read_text("utf-8")
        assert published == matrix.render(dialect, requirements.load(dialect), faults.load(dialect), proofs)

    def test_has_a_fault_for_each_testable_requirement(self, dialect: str, proofs: tuple[Proof, ...]) -> None:
        found = {proof.requirement for proof in proofs if proof.killed}
        rows = requirements.load(dialect).values()
        assert [row.id for row in rows if row.party is Party.SERVER and not row.excluded and row.id not in found] == []


class TestWhatIsJudged:
    def test_every_requirement_without_a_test_has_a_reason(self, dialect: str) -> None:
        """A requirement is in a case, in a rule, or excluded with a reason."""
        tested = judged_by(dialect)
        silent = [row.id for row in requirements.load(dialect).values() if row.party is Party.SERVER]
        assert [name for name in silent if name not in tested and not requirements.get(name).excluded] == []
