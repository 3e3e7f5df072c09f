"""The verdict lattice: every combination of level, basis and named peer, and every precedence of exit codes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from conformance.judge.verdict import (
    SEVERITY,
    Check,
    ExitCode,
    FailureCard,
    Verdict,
    departure,
    exit_code,
    gravest,
    outcome,
    precedence,
)
from protocol.requirements import Basis, Level, Requirement
from protocol.wire import Party

VIOLATION, NON_STRICT, INFORMATIONAL = Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.INFORMATIONAL
LATTICE = {
    # level, basis: (departure, with a named peer that breaks, in a tolerated form)
    (Level.MUST, Basis.DOCUMENTED): (VIOLATION, VIOLATION, NON_STRICT),
    (Level.MUST, Basis.OBSERVED): (NON_STRICT, VIOLATION, NON_STRICT),
    (Level.MUST, Basis.SIBLING): (NON_STRICT, VIOLATION, NON_STRICT),
    (Level.MUST, Basis.PROJECT): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
    (Level.SHOULD, Basis.DOCUMENTED): (NON_STRICT, NON_STRICT, NON_STRICT),
    (Level.SHOULD, Basis.OBSERVED): (NON_STRICT, NON_STRICT, NON_STRICT),
    (Level.SHOULD, Basis.SIBLING): (NON_STRICT, NON_STRICT, NON_STRICT),
    (Level.SHOULD, Basis.PROJECT): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
    (Level.MAY, Basis.DOCUMENTED): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
    (Level.MAY, Basis.OBSERVED): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
    (Level.MAY, Basis.SIBLING): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
    (Level.MAY, Basis.PROJECT): (INFORMATIONAL, INFORMATIONAL, INFORMATIONAL),
}
CODES = {  # verdict: (exit code, exit code of a strict run)
    Verdict.OK: (0, 0),
    Verdict.INFORMATIONAL: (0, 0),
    Verdict.NON_STRICT: (0, 1),
    Verdict.VIOLATION: (1, 1),
    Verdict.COULD_NOT_RUN: (3, 3),
    Verdict.NOT_APPLICABLE: (0, 0),
}
ORDER = (2, 1, 3, 0)


def requirement(level: Level, basis: Basis, breaks: str | None = None) -> Requirement:
    return Requirement(
        id="translator.final.id-unique",
        dialects=("translator",),
        party=Party.SERVER,
        level=level,
        basis=basis,
        statement="No two finals share an id.",
        source="REF18",
        facts=("M3",),
        since="2026.1",
        breaks=breaks,
    )


def check(verdict: Verdict) -> Check:
    return Check("case", "translator.final.id-unique", verdict, "", "")


def flaky(worst: Verdict) -> Check:
    return Check("case", "translator.final.id-unique", Verdict.FLAKY, "", "", count=3, failed=1, worst=worst)


class TestDeparture:
    """How grave a departure is."""

    def test_the_table_is_complete(self) -> None:
        assert set(LATTICE) == set(itertools.product(Level, Basis))

    @pytest.mark.parametrize(("level", "basis"), LATTICE, ids=lambda value: value.value)
    def test_follows_from_the_requirement(self, level: Level, basis: Basis) -> None:
        plain, named = requirement(level, basis), requirement(level, basis, "CS-MS: it hangs")
        assert (
            departure(plain),
            departure(named),
            departure(plain, tolerated=True),
        ) == LATTICE[level, basis]

    @pytest.mark.parametrize(("level", "basis"), LATTICE, ids=lambda value: value.value)
    def test_a_tolerated_form_is_never_a_violation(self, level: Level, basis: Basis) -> None:
        assert departure(requirement(level, basis, "CS-MS: it hangs"), tolerated=True) is LATTICE[level, basis][2]


class TestGravest:
    """Which of several verdicts stands for them."""

    def test_every_verdict_but_flaky_has_its_place(self) -> None:
        assert set(SEVERITY) == set(Verdict) - {Verdict.FLAKY}
        assert len(SEVERITY) == len(set(SEVERITY))

    @pytest.mark.parametrize("pair", list(itertools.combinations(SEVERITY, 2)), ids=str)
    def test_the_earlier_one_wins_in_either_order(self, pair: tuple[Verdict, Verdict]) -> None:
        assert gravest(pair) is gravest(reversed(pair)) is pair[0]

    def test_of_nothing_nothing_applies(self) -> None:
        assert gravest([]) is Verdict.NOT_APPLICABLE


class TestCheck:
    """One requirement in one case."""

    def test_is_named_after_case_and_requirement_whatever_the_verdict(self) -> None:
        assert {check(verdict).id for verdict in CODES} == {"case/translator.final.id-unique"}

    def test_compares_by_value(self) -> None:
        card = FailureCard(1, ("0.000 > GET /",))
        assert Check("a", "b", VIOLATION, "1", "2", card=card) == Check(
            "a", "b", VIOLATION, "1", "2", card=FailureCard(1, ("0.000 > GET /",))
        )

    def test_counts_as_what_it_is_unless_it_is_flaky(self) -> None:
        assert [check(verdict).effective for verdict in CODES] == list(CODES)
        assert [flaky(verdict).effective for verdict in CODES] == list(CODES)

    @pytest.mark.parametrize(
        ("verdict", "worst"),
        [
            (Verdict.FLAKY, None),
            (Verdict.FLAKY, Verdict.FLAKY),
            (Verdict.OK, Verdict.VIOLATION),
            (Verdict.OK, Verdict.FLAKY),
        ],
    )
    def test_is_flaky_exactly_with_a_worst_verdict(self, verdict: Verdict, worst: Verdict | None) -> None:
        with pytest.raises(ValueError, match=r"case/translator\.final\.id-unique: flaky"):
            Check("case", "translator.final.id-unique", verdict, "", "", worst=worst)

    @pytest.mark.parametrize(("failed", "count"), [(2, 1), (-1, 1), (1, 0)])
    def test_cannot_fail_more_often_than_it_ran(self, failed: int, count: int) -> None:
        with pytest.raises(ValueError, match=f"failed {failed} of {count}"):
            Check("case", "r", Verdict.FLAKY, "", "", count=count, failed=failed, worst=VIOLATION)

    @pytest.mark.parametrize(("verdict", "codes"), CODES.items(), ids=str)
    def test_has_an_exit_code_of_its_own(self, verdict: Verdict, codes: tuple[int, int]) -> None:
        for one in (check(verdict), flaky(verdict)):
            assert (one.exit_code(strict=False), one.exit_code(strict=True)) == codes


class TestRate:
    def test_of_a_flaky_check_is_what_was_counted(self) -> None:
        assert flaky(VIOLATION).rate == (1, 3)

    @pytest.mark.parametrize("repeats", [0, 2])
    def test_of_a_failure_that_came_each_time_is_all_of_its_runs(self, repeats: int) -> None:
        found = Check("case", "translator.final.id-unique", VIOLATION, "", "", count=7, repeats=repeats)
        assert found.rate == (repeats + 1, repeats + 1)


class TestKnown:
    @pytest.mark.parametrize("verdict", [VIOLATION, Verdict.COULD_NOT_RUN, Verdict.NON_STRICT])
    def test_a_known_departure_ends_no_run(self, verdict: Verdict) -> None:
        found = Check("case", "translator.final.id-unique", verdict, "", "", known="an old node")
        assert found.exit_code(strict=True) is ExitCode.CONFORMING


class TestExitCode:
    """What a run ends with."""

    @pytest.mark.parametrize("codes", list(itertools.product(ORDER, repeat=2)), ids=str)
    def test_precedence_is_2_1_3_0(self, codes: tuple[int, int]) -> None:
        assert precedence(map(ExitCode, codes)) == min(codes, key=ORDER.index)

    def test_precedence_of_none_is_0(self) -> None:
        assert precedence([]) == 0

    @pytest.mark.parametrize("strict", [False, True])
    @pytest.mark.parametrize("pair", list(itertools.product(CODES, repeat=2)), ids=str)
    @pytest.mark.parametrize("make", [check, flaky])
    def test_of_two_checks_is_that_of_the_one_that_takes_precedence(
        self, make: Callable[[Verdict], Check], pair: tuple[Verdict, Verdict], strict: bool
    ) -> None:
        codes = {CODES[verdict][strict] for verdict in pair}
        code = exit_code([make(verdict) for verdict in pair], strict=strict, executed=1)
        assert code == min(codes, key=ORDER.index)

    def test_a_run_of_nothing_could_not_run(self) -> None:
        assert exit_code([], strict=False, executed=0) == 3
        assert exit_code([check(Verdict.OK)], strict=False, executed=0) == 3

    def test_a_violation_counts_also_where_nothing_was_executed(self) -> None:
        assert exit_code([check(VIOLATION)], strict=False, executed=0) == 1

    def test_a_run_without_anything_to_say_conforms_if_it_ran(self) -> None:
        assert exit_code([], strict=True, executed=1) == 0


class TestOutcome:
    """The same in a word."""

    @pytest.mark.parametrize(
        ("verdict", "strict", "executed", "word"),
        [
            (Verdict.OK, False, 1, "conforming"),
            (Verdict.NON_STRICT, False, 1, "conforming"),
            (Verdict.NON_STRICT, True, 1, "violations"),
            (Verdict.VIOLATION, False, 1, "violations"),
            (Verdict.VIOLATION, False, 0, "violations"),
            (Verdict.COULD_NOT_RUN, False, 1, "could-not-run"),
            (Verdict.OK, True, 0, "could-not-run"),
        ],
    )
    def test_says_what_the_exit_code_says(self, verdict: Verdict, strict: bool, executed: int, word: str) -> None:
        assert outcome([check(verdict)], strict=strict, executed=executed) == word
