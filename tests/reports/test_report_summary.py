"""The words that all reports for a person share, and how a peer's text is made fit for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

import pytest

from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report import summary
from conformance.report.events import Report
from conformance.report.text import comparison, observed, printable, shown
from protocol.requirements import Requirement

MakeReport = Callable[..., Report]


class TestLegend:
    def test_has_one_sentence_for_each_verdict(self) -> None:
        assert set(summary.LEGEND) == set(Verdict)
        for sentence in summary.LEGEND.values():
            assert re.fullmatch(r"[A-Z][^.]*\.", sentence)

    def test_every_exit_code_has_a_meaning(self) -> None:
        assert set(summary.EXIT_MEANING) == set(ExitCode)


class TestSentences:
    def test_say_what_strict_means(self, make_report: MakeReport) -> None:
        assert "strict" in summary.exit_sentence(make_report(strict=True))
        assert "strict" not in summary.exit_sentence(make_report())

    def test_count_one_requirement_as_one(self, make_report: MakeReport) -> None:
        report = make_report(coverage={"translator.final.always": "tested"})
        assert summary.coverage_sentence(report).startswith("1 requirement tested of 1 testable, 0 excluded")

    def test_a_run_without_a_duration_did_not_wait(self, make_report: MakeReport) -> None:
        report = make_report(total_s=0.0, waiting_s=0.0)
        assert summary.time_sentence(report) == "The run took 0.0 s; 0% of it was waiting."

    def test_give_level_basis_and_source(self, register: Mapping[str, Requirement]) -> None:
        assert summary.standing(register["translator.auth.missing"]) == "MUST, documented: REF18"


class TestSelection:
    @pytest.mark.parametrize("strict", [False, True])
    def test_no_check_is_both_failing_and_harmless(self, make_report: MakeReport, strict: bool) -> None:
        report = make_report(strict=strict)
        failing, harmless = summary.failing(report), summary.departures(report)
        assert not set(failing) & set(harmless)
        rest = {check.verdict for check in set(report.checks) - set(failing) - set(harmless)}
        assert rest == {Verdict.OK, Verdict.NOT_APPLICABLE}


class TestAgain:
    """The command that shows a case once more."""

    @pytest.mark.parametrize(
        ("peer", "party", "command"),
        [
            ({"url": "ws://h:1/p"}, "server", "speechwire check server ws://h:1/p --dialect translator --only a.b"),
            ({}, "server", "speechwire check server URL --dialect translator --only a.b"),
            (
                {"command": "./client {url}"},
                "client",
                "speechwire check client --dialect translator --only a.b -- ./client {url}",
            ),
            (
                {"command": ["./my client", "{url}"]},
                "client",
                "speechwire check client --dialect translator --only a.b -- './my client' '{url}'",
            ),
            ({}, "client", "speechwire check client --dialect translator --only a.b -- COMMAND"),
            ({"file": "a b.jsonl"}, "both", "speechwire check capture 'a b.jsonl' --dialect translator"),
            (
                {"file": "a", "vantage": "middle"},
                "client",
                "speechwire check capture a --dialect translator --party client --vantage middle",
            ),
        ],
    )
    def test_fits_the_judged_party(
        self, make_report: MakeReport, peer: Mapping[str, object], party: str, command: str
    ) -> None:
        assert summary.again(make_report(peer=peer, party=party), "a.b") == command

    def test_without_a_case_is_the_whole_run(self, make_report: MakeReport) -> None:
        assert "--only" not in summary.again(make_report(), None)

    def test_an_address_cannot_start_another_command(self, make_report: MakeReport) -> None:
        url = "ws://h/p?a=$(reboot)&b=';reboot;'"
        assert shlex.split(summary.again(make_report(peer={"url": url}), "a"))[3] == url


class TestText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("plain ~ text", "plain ~ text"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("\x00\x1b\x7f\x85\x9f", "\\x00\\x1b\\x7f\\x85\\x9f"),
            ("\u202e\u2066\u200b\ufeff\u2028", "\\u202e\\u2066\\u200b\\ufeff\\u2028"),
            ("\ud800\udfff\ufffe", "\\ud800\\udfff\\ufffe"),
            ("\U000e0041", "\\U000e0041"),
            ("Grüße 你好 \U0001f600", "Grüße 你好 \U0001f600"),
        ],
    )
    def test_printable_escapes_what_acts_or_hides(self, text: str, expected: str) -> None:
        assert printable(text) == expected

    def test_printable_is_legal_xml_and_one_line(self) -> None:
        everything = printable("".join(map(chr, range(0x110000))))
        assert not re.search(r"[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", everything)
        assert len(everything.splitlines()) == 1

    def test_shown_leaves_out_what_is_too_long(self) -> None:
        assert shown("abc", 3) == "abc"
        assert shown("abcd", 3) == "abc… (1 characters more)"
        assert shown("\x00" * 1_000_000, 2) == "\\x00\\x00… (999998 characters more)"

    def test_observed_of_a_flaky_check_counts(self) -> None:
        flaky = Check("c", "r", Verdict.FLAKY, "a", "b", count=5, failed=2, worst=Verdict.NON_STRICT)
        assert observed(flaky) == "failed 2 of 5 times, as non-strict: b"
        assert observed(Check("c", "r", Verdict.VIOLATION, "a", "b", count=5)) == "b"

    def test_nothing_is_compared_where_nothing_was_expected(self) -> None:
        assert comparison(Check("c", "r", Verdict.COULD_NOT_RUN, "", "no answer")) == ("observed: no answer",)
        assert comparison(Check("c", "r", Verdict.VIOLATION, "1", "2")) == ("expected: 1", "observed: 2")
