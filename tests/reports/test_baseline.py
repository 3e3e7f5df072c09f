"""What a baseline makes of a report, what reports make of a baseline, and the file between the two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.baseline.entries import Baseline, BaselineError, Entry, read, save
from conformance.baseline.settle import likely, settle
from conformance.baseline.update import Change, Seen, look, update
from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report import json_report, junit, markdown, summary
from conformance.report.events import Report
from protocol import requirements

MakeReport = Callable[..., Report]

TODAY = date(2026, 11, 26)
FILE = Path("known.toml")
ID = "translator.final.id-unique"
CHECK = f"wire/{ID}"
BAD = Check("wire", ID, Verdict.VIOLATION, "a new id", "1 twice")
MILD = Check("wire", ID, Verdict.NON_STRICT, "a new id", "1 twice")
GOOD = Check("wire", ID, Verdict.OK, "", "")
UNSEEN = Check("wire", ID, Verdict.COULD_NOT_RUN, "", "no session")
OTHER = Check("final", "translator.final.fields", Verdict.VIOLATION, "four members", "three")


def entry(verdict: Verdict = Verdict.VIOLATION, **changes: Any) -> Entry:
    return Entry(**{"check": CHECK, "verdict": verdict, "reason": "an old node", "link": "", "since": TODAY, **changes})


def flaky(failed: int, runs: int) -> Check:
    return Check("wire", ID, Verdict.FLAKY, "a new id", "1 twice", runs, failed, worst=Verdict.VIOLATION)


@pytest.fixture
def settled(make_report: MakeReport) -> Callable[..., Report]:
    """Give the maker of a report under a baseline of one entry."""

    def make(known: Entry, *checks: Check, strict: bool = False, possible: bool = True, **changes: Any) -> Report:
        report = make_report(*checks, strict=strict, **changes)
        baseline = Baseline("translator", "server", {known.check: known})
        return settle(report, baseline, FILE, lambda _: possible, TODAY)

    return make


Settled = Callable[..., Report]


class TestWhatIsKnown:
    def test_does_not_fail_the_run_and_is_told(self, settled: Settled) -> None:
        report = settled(entry(link="https://example.org/7"), BAD)
        assert (report.exit_code, report.outcome) == (ExitCode.CONFORMING, "conforming")
        assert report.checks[0].verdict is Verdict.VIOLATION
        assert report.checks[0].known == "an old node (https://example.org/7)"
        assert summary.failing(report) == summary.departures(report) == ()
        assert summary.known(report) == report.checks

    def test_excuses_nothing_else(self, settled: Settled) -> None:
        report = settled(entry(), BAD, OTHER)
        assert (report.exit_code, report.outcome) == (ExitCode.VIOLATIONS, "violations")
        assert summary.failing(report) == (OTHER,)

    def test_excuses_nothing_graver(self, settled: Settled) -> None:
        assert settled(entry(Verdict.NON_STRICT), BAD).exit_code is ExitCode.VIOLATIONS
        assert settled(entry(Verdict.NON_STRICT), MILD, strict=True).exit_code is ExitCode.CONFORMING

    @pytest.mark.parametrize(("known", "found"), [(entry(), UNSEEN), (entry(Verdict.COULD_NOT_RUN), BAD)])
    def test_is_not_what_could_not_be_run(self, settled: Settled, known: Entry, found: Check) -> None:
        report = settled(known, found)
        assert report.checks[0].known is None
        assert report.exit_code is found.exit_code(strict=False)

    def test_may_be_that_something_cannot_be_run(self, settled: Settled) -> None:
        report = settled(entry(Verdict.COULD_NOT_RUN), UNSEEN, GOOD)
        assert (report.exit_code, report.outcome) == (ExitCode.CONFORMING, "conforming")

    def test_excuses_no_run_in_which_nothing_was_run(self, settled: Settled) -> None:
        report = settled(entry(), GOOD, exit_code=ExitCode.COULD_NOT_RUN, outcome="could-not-run")
        assert (report.exit_code, report.outcome) == (ExitCode.VIOLATIONS, "violations")  # stale comes first
        report = settled(entry(), BAD, exit_code=ExitCode.COULD_NOT_RUN, outcome="could-not-run")
        assert (report.exit_code, report.outcome) == (ExitCode.COULD_NOT_RUN, "could-not-run")


class TestWhatFailsAtTimes:
    @pytest.mark.parametrize(
        ("failed", "runs", "excused"), [(1, 3, True), (2, 3, True), (3, 3, False), (1, 1, True), (0, 3, True)]
    )
    def test_may_fail_as_often_as_its_rate_lets_expect(
        self, settled: Settled, failed: int, runs: int, excused: bool
    ) -> None:
        found = flaky(failed, runs) if 0 < failed < runs else BAD if failed else GOOD
        if failed == runs > 1:
            found = Check("wire", ID, Verdict.VIOLATION, "a new id", "1 twice", repeats=runs - 1)
        report = settled(entry(failed=2, runs=20), found)
        assert (report.exit_code is ExitCode.CONFORMING) == excused

    def test_is_not_stale_when_it_does_not_fail(self, settled: Settled) -> None:
        report = settled(entry(failed=2, runs=20), GOOD)
        assert report.baseline is not None
        assert report.baseline.stale == {}

    @given(runs=st.integers(1, 40), rate=st.floats(0.01, 0.99))
    def test_is_likely_to_fail_as_often_as_it_does(self, runs: int, rate: float) -> None:
        assert likely(0, runs, rate)
        assert likely(round(runs * rate), runs, rate)
        seen = [likely(failed, runs, rate) for failed in range(runs + 1)]
        assert seen == sorted(seen, reverse=True)

    def test_that_is_known_to_fail_always_may_do_so_at_times(self, settled: Settled) -> None:
        assert settled(entry(), flaky(1, 3)).exit_code is ExitCode.CONFORMING


class TestAStaleEntry:
    @pytest.mark.parametrize("found", [GOOD, MILD])
    def test_is_one_whose_check_is_less_grave_and_fails_the_run(self, settled: Settled, found: Check) -> None:
        report = settled(entry(), found)
        assert report.baseline is not None
        assert report.baseline.stale == {CHECK: f"it is {found.verdict.value} now, not violation"}
        assert (report.exit_code, report.outcome) == (ExitCode.VIOLATIONS, "violations")

    def test_is_one_of_no_check(self, settled: Settled) -> None:
        report = settled(entry(), OTHER, possible=False)
        assert report.baseline is not None
        assert report.baseline.stale == {CHECK: "there is no such check"}

    @pytest.mark.parametrize("found", [OTHER, Check("wire", ID, Verdict.NOT_APPLICABLE, "", "no voices"), UNSEEN])
    def test_is_not_one_of_a_check_that_was_not_run(self, settled: Settled, found: Check) -> None:
        report = settled(entry(), found)
        assert report.baseline is not None
        assert report.baseline.stale == {}

    def test_is_told_by_every_report(self, settled: Settled) -> None:
        report, register = settled(entry(), GOOD), requirements.load("translator")
        assert json_report.document(report, register)["baseline"]["stale"] == [CHECK]
        suite = ET.fromstring(junit.render(report, register).split("\n", 1)[1])  # noqa: S314 - written by ourselves
        assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == [
            f"baseline: {CHECK}"
        ]
        assert "stale, and fails the run" in markdown.render(report, register)
        assert any("stale" in line for line in summary.baseline_sentences(report))


class TestAnOldEntry:
    def test_is_told_and_fails_nothing(self, settled: Settled) -> None:
        report = settled(entry(since=date(2026, 1, 1)), BAD)
        assert report.baseline is not None
        assert report.baseline.old == {CHECK: "since 2026-01-01: an old node"}
        assert report.exit_code is ExitCode.CONFORMING
        assert any("old: " in line for line in summary.baseline_sentences(report))

    def test_is_half_a_year_old(self, settled: Settled) -> None:
        report = settled(entry(since=date(2026, 6, 1)), BAD)
        assert report.baseline is not None
        assert report.baseline.old == {}


class TestReportsOfAKnownDeparture:
    def test_have_it_with_its_reason(self, settled: Settled) -> None:
        report, register = settled(entry(), BAD), requirements.load("translator")
        (check,) = json_report.document(report, register)["checks"]
        assert (check["verdict"], check["known"]) == ("violation", "an old node")
        suite = ET.fromstring(junit.render(report, register).split("\n", 1)[1])  # noqa: S314 - written by ourselves
        (skipped,) = suite.iter("skipped")
        assert skipped.get("message") == "violation, known: an old node"
        assert "### Known departures" in markdown.render(report, register)


class TestTheFile:
    ENTRIES = (entry(), entry(check="a/translator.token.jwt", failed=1, runs=20, link="https://example.org/ä"))

    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        baseline = Baseline("translator", "server", {one.check: one for one in self.ENTRIES})
        save(tmp_path / FILE, baseline)
        assert read(tmp_path / FILE) == baseline
        save(tmp_path / FILE, read(tmp_path / FILE))
        assert read(tmp_path / FILE) == baseline

    @given(reason=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
    def test_takes_any_reason(self, reason: str, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.mktemp("b") / FILE
        save(path, Baseline("translator", "server", {CHECK: entry(reason=reason)}))
        assert read(path).entries[CHECK].reason == reason

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("dialect =", "it is no TOML"),
            ('dialect = "x"\nparty = "server"', "/dialect: expected"),
            ('dialect = "translator"', "/party: expected"),
            ('dialect = "translator"\nparty = "server"\n[[known]]\ncheck = "a"', "/known/0/"),
        ],
    )
    def test_that_is_wrong_is_refused_with_what_is_allowed(self, tmp_path: Path, text: str, says: str) -> None:
        (tmp_path / FILE).write_text(text, "utf-8")
        with pytest.raises(BaselineError, match=says):
            read(tmp_path / FILE)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"since": "2026-02-30"}, "/known/0/since: expected a day, got '2026-02-30'"),
            ({"again": True}, "/known/1: there is another entry for"),
        ],
    )
    def test_has_real_days_and_each_check_once(self, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
        one = f'[[known]]\ncheck = "{CHECK}"\nverdict = "violation"\nreason = "x"\n'
        since = f'since = "{changes.get("since", "2026-01-01")}"\n'
        text = 'dialect = "translator"\nparty = "server"\n' + (one + since) * (2 if "again" in changes else 1)
        (tmp_path / FILE).write_text(text, "utf-8")
        with pytest.raises(BaselineError, match=says):
            read(tmp_path / FILE)

    def test_has_no_more_failures_than_runs(self, tmp_path: Path) -> None:
        save(tmp_path / FILE, Baseline("translator", "server", {CHECK: entry(failed=3, runs=2)}))
        with pytest.raises(BaselineError, match="expected at most the 2 of runs, got 3"):
            read(tmp_path / FILE)

    def test_takes_a_day_with_and_without_quotes(self, tmp_path: Path) -> None:
        save(tmp_path / FILE, Baseline("translator", "server", {CHECK: entry()}))
        assert "since = 2026-11-26" in (tmp_path / FILE).read_text("utf-8")


def documents(*runs: tuple[Check, ...]) -> list[dict[str, Any]]:
    register = requirements.load("translator")
    return [
        {"checks": [json_report.document(report, register)["checks"][0] for report in map(_report, run)]}
        for run in runs
    ]


def _report(check: Check) -> Report:
    return Report("1", "2026.1", {}, "translator", 0, "conforming", ExitCode.CONFORMING, (check,), {}, 1.0, 0.0)


class TestAnUpdate:
    EMPTY = Baseline("translator", "server")

    def test_adds_what_fails_in_every_run(self) -> None:
        seen = look(documents((BAD, OTHER), (BAD, OTHER)), strict=False)
        baseline, changes = update(self.EMPTY, seen, reason="r", link="l", today=TODAY)
        assert baseline.entries[CHECK] == Entry(CHECK, Verdict.VIOLATION, "r", "l", TODAY)
        assert changes == [Change("added", OTHER.id), Change("added", CHECK)]

    def test_adds_what_fails_in_some_with_its_rate(self) -> None:
        seen = look(documents((BAD,), (GOOD,), (flaky(1, 3),)), strict=False)
        assert seen == {CHECK: Seen(2, 5, Verdict.VIOLATION)}
        baseline, _ = update(self.EMPTY, seen, reason="r", link="", today=TODAY)
        assert baseline.entries[CHECK] == Entry(CHECK, Verdict.VIOLATION, "r", "", TODAY, 2, 5)

    def test_counts_runs_within_a_run(self) -> None:
        again = Check("wire", ID, Verdict.VIOLATION, "a new id", "1 twice", repeats=2)
        assert look(documents((again,)), strict=False) == {CHECK: Seen(3, 3, Verdict.VIOLATION)}

    def test_takes_a_flaky_one_for_what_its_worst_run_was(self) -> None:
        mild = Check("wire", ID, Verdict.FLAKY, "", "", count=3, failed=1, worst=Verdict.NON_STRICT)
        assert look(documents((mild,)), strict=False) == {CHECK: Seen(0, 3, Verdict.OK)}
        assert look(documents((mild,)), strict=True) == {CHECK: Seen(1, 3, Verdict.NON_STRICT)}

    def test_takes_the_mild_ones_when_it_is_asked_to(self) -> None:
        assert look(documents((MILD,)), strict=False) == {CHECK: Seen(0, 1, Verdict.OK)}
        assert look(documents((MILD,)), strict=True) == {CHECK: Seen(1, 1, Verdict.NON_STRICT)}

    def test_keeps_what_still_fails_with_its_reason_and_day(self) -> None:
        old = Baseline("translator", "server", {CHECK: entry(since=date(2026, 1, 1))})
        baseline, changes = update(old, look(documents((BAD,)), strict=False), reason="", link="", today=TODAY)
        assert (baseline, changes) == (old, [Change("kept", CHECK)])

    def test_removes_what_does_not_fail_any_more(self) -> None:
        old = Baseline("translator", "server", {CHECK: entry()})
        baseline, changes = update(old, look(documents((GOOD,)), strict=False), reason="", link="", today=TODAY)
        assert (baseline.entries, changes) == ({}, [Change("removed", CHECK)])

    def test_leaves_what_was_not_looked_for(self) -> None:
        gone = Check("wire", ID, Verdict.NOT_APPLICABLE, "", "no voices")
        old = Baseline("translator", "server", {CHECK: entry()})
        assert update(old, look(documents((gone,)), strict=False), reason="", link="", today=TODAY) == (old, [])

    def test_counts_on_for_what_fails_at_times(self) -> None:
        old = Baseline("translator", "server", {CHECK: entry(failed=2, runs=20)})
        baseline, changes = update(old, look(documents((GOOD,)), strict=False), reason="", link="", today=TODAY)
        assert (baseline.entries[CHECK].failed, baseline.entries[CHECK].runs) == (2, 21)
        assert changes == [Change("changed", CHECK)]

    def test_takes_no_new_entry_without_a_reason(self) -> None:
        with pytest.raises(ValueError, match=CHECK):
            update(self.EMPTY, look(documents((BAD,)), strict=False), reason="", link="", today=TODAY)
