"""The report on a terminal: what failed stands last, and a peer can neither colour it nor move the cursor."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from conformance.judge.verdict import Check, ExitCode, Verdict
from conformance.report import summary
from conformance.report.events import CaseFinished, Report, RunFinished, RunStarted
from conformance.report.terminal import Terminal
from conformance.report.text import shown
from protocol.requirements import Requirement

MakeReport = Callable[..., Report]
Register = Mapping[str, Requirement]
ROOT = Path(__file__).parents[2]
AGAIN = "speechwire check server ws://127.0.0.1:9000/speech/translate --dialect translator"
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and cursor movements, as rich writes them


def started(report: Report, planned: int = 1) -> RunStarted:
    return RunStarted(report.speechwire, report.register, report.peer, report.dialect, report.seed, planned)


def cases(report: Report) -> list[CaseFinished]:
    names = dict.fromkeys(check.case for check in report.checks if check.case != "wire")
    return [CaseFinished(name, tuple(check for check in report.checks if check.case == name), 3.0) for name in names]


def printed(report: Report, register: Register, *, terminal: bool = False) -> str:
    """Return what a whole run prints."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, legacy_windows=False)
    with Terminal(register, console) as screen:
        screen.handle(started(report))
        for event in cases(report):
            screen.handle(event)
        screen.handle(RunFinished(report))
    return file.getvalue()


class TestRun:
    def test_begins_with_what_is_run(self, make_report: MakeReport, register: Register) -> None:
        lines = printed(make_report(), register).splitlines()
        assert lines[0] == (
            "speechwire 2026.1.0, requirements 2026.1, translator: url ws://127.0.0.1:9000/speech/translate"
        )
        assert lines[1] == "1 case, seed 7"

    def test_each_case_has_a_line_with_its_gravest_verdict(self, make_report: MakeReport, register: Register) -> None:
        assert printed(make_report(), register).splitlines()[2] == "violation       one-phrase  3.0 s"

    def test_a_case_that_saw_nothing_says_so(self, make_report: MakeReport, register: Register) -> None:
        file = io.StringIO()
        Terminal(register, Console(file=file)).handle(CaseFinished("quiet", (), 0.0))
        assert file.getvalue() == "not-observed    quiet  0.0 s\n"

    def test_names_of_failing_checks_come_last(self, make_report: MakeReport, register: Register) -> None:
        assert printed(make_report(), register).splitlines()[-5:] == [
            "4 checks fail the run:",
            "violation one-phrase/translator.auth.bad-key",
            "flaky one-phrase/translator.final.always",
            "could-not-run one-phrase/translator.close.echo",
            "violation wire/translator.final.id-unique",
        ]

    def test_a_failure_says_all_that_is_known(self, make_report: MakeReport, register: Register) -> None:
        lines = printed(make_report(), register).splitlines()
        requirement = register["translator.auth.bad-key"]
        begin = lines.index("violation one-phrase/translator.auth.bad-key")
        assert lines[begin + 1 : begin + 9] == [
            f"  {requirement.statement}",
            f"  {requirement.level.value}, {requirement.basis.value}: {requirement.source}",
            "  expected: status 401",
            "  observed: status 101",
            "    connection 1 of one-phrase",
            "        0.100 > GET /speech/translate",
            "        0.200 < 403",
            "  again: speechwire replay bundles/a.json --url ws://127.0.0.1:9000/speech/translate",
        ]

    def test_a_failure_without_a_bundle_is_seen_again_by_its_case(
        self, make_report: MakeReport, register: Register
    ) -> None:
        check = Check("one-phrase", "translator.final.always", Verdict.VIOLATION, "a final", "none")
        report = make_report(check)
        file = io.StringIO()
        terminal = Terminal(register, Console(file=file, width=200))
        terminal.handle(CaseFinished("one-phrase", (check,), 1.0))
        terminal.handle(RunFinished(report))
        assert f"  again: {AGAIN} --only one-phrase\n" in file.getvalue()

    def test_conversations_are_counted_where_they_were_held(self, make_report: MakeReport, register: Register) -> None:
        assert "conversations" not in printed(make_report(), register)
        report = replace(make_report(), conversations=2000)
        assert "2,000 conversations were held that nobody wrote, seed 7.\n" in printed(report, register)

    def test_a_single_failure_is_not_listed_twice(self, make_report: MakeReport, register: Register) -> None:
        check = Check("c", "translator.final.always", Verdict.VIOLATION, "a final", "none")
        text = printed(make_report(check), register)
        assert text.count("violation c/translator.final.always") == 1
        assert text.splitlines()[-1].startswith("  again: ")

    def test_what_is_judged_over_the_whole_run_is_seen_again_by_a_whole_run(
        self, make_report: MakeReport, register: Register
    ) -> None:
        check = Check("wire", "translator.final.id-unique", Verdict.VIOLATION, "a new id", "1 twice")
        assert printed(make_report(check), register).splitlines()[-1] == (f"  again: {AGAIN}")

    def test_departures_that_do_not_fail_come_before_the_summary(
        self, make_report: MakeReport, register: Register
    ) -> None:
        lines = printed(make_report(), register).splitlines()
        begin = lines.index("departures that do not fail this run:")
        assert lines[begin + 1 : begin + 4] == [
            "non-strict one-phrase/translator.auth.missing",
            "  expected: status 401",
            "  observed: status 403",
        ]
        assert begin < lines.index(summary.coverage_sentence(make_report()))

    def test_the_legend_explains_and_counts_every_verdict(self, make_report: MakeReport, register: Register) -> None:
        lines = printed(make_report(), register).splitlines()
        for verdict, meaning in summary.LEGEND.items():
            count = 2 if verdict is Verdict.VIOLATION else 1
            assert f"{count:5} {verdict.value:<14}  {meaning}" in lines

    def test_sums_up(self, make_report: MakeReport, register: Register) -> None:
        lines = printed(make_report(), register).splitlines()
        begin = lines.index(
            "2 requirements tested of 4 testable, 1 excluded from testing, 1 not observed, 1 not applicable."
        )
        assert lines[begin + 1] == "The run took 4.0 s; 25% of it was waiting."
        assert lines[begin + 2] == "Exit code 1, violations: at least one check fails the run."

    def test_of_a_conforming_peer_ends_with_the_exit_code(self, make_report: MakeReport, register: Register) -> None:
        text = printed(make_report(Check("c", "translator.final.always", Verdict.OK, "", "")), register)
        assert text.splitlines()[-1] == summary.exit_sentence(make_report(exit_code=ExitCode.CONFORMING))
        assert "departures" not in text


class TestLiveLine:
    def test_says_on_a_terminal_how_far_the_run_is(self, make_report: MakeReport, register: Register) -> None:
        assert "1 of 1 case, 1 with violations" in printed(make_report(), register, terminal=True)
        assert "1 of 1 case" not in printed(make_report(), register)

    def test_goes_when_the_run_breaks_off(self, make_report: MakeReport, register: Register) -> None:
        file = io.StringIO()
        report = make_report()

        def broken_run() -> None:
            with Terminal(register, Console(file=file, force_terminal=True, legacy_windows=False)) as screen:
                screen.handle(started(report))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            broken_run()
        assert file.getvalue().index("\x1b[?25l") < file.getvalue().index("\x1b[?25h")  # the cursor is back

    def test_plain_lines_have_no_control_characters(self, make_report: MakeReport, register: Register) -> None:
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", printed(make_report(), register))


class TestHostilePeer:
    @pytest.mark.parametrize("terminal", [False, True])
    @pytest.mark.parametrize("verdict", [Verdict.VIOLATION, Verdict.NON_STRICT, Verdict.FLAKY])
    def test_is_shown_and_never_obeyed(
        self,
        make_report: MakeReport,
        register: Register,
        quoting: Callable[[str, Verdict], Check],
        hostile: str,
        verdict: Verdict,
        terminal: bool,
    ) -> None:
        report = make_report(quoting(hostile, verdict), peer={"url": hostile, hostile: hostile})
        text = printed(report, register, terminal=terminal)
        plain = SEQUENCE.sub("", text) if terminal else text
        assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", plain)
        assert f"  {shown(f'expected: {hostile}', 600)}\n" in plain or not hostile
        assert len(plain) < 100_000

    def test_markup_stays_as_it_was_written(
        self, make_report: MakeReport, register: Register, quoting: Callable[[str, Verdict], Check]
    ) -> None:
        words = "[bold red]x[/bold red] [/] [link=http://evil]y[/link] :smile: \\[z]"
        text = printed(make_report(quoting(words, Verdict.VIOLATION)), register, terminal=True)
        assert text.count(words) == 5  # expected, observed, two lines of the timeline, the bundle
        assert "\x1b]8" not in text

    def test_control_characters_become_escapes(
        self, make_report: MakeReport, register: Register, quoting: Callable[[str, Verdict], Check]
    ) -> None:
        text = printed(make_report(quoting("a\x1b[2J\r\nb\x07", Verdict.VIOLATION)), register)
        assert "  observed: a\\x1b[2J\\r\\nb\\x07\n" in text


class TestStandardOutput:
    def test_of_a_narrow_encoding_does_not_end_the_run(
        self, register: Register, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="ascii"))
        Terminal(register).handle(CaseFinished("grüße-你", (), 0.0))
        sys.stdout.flush()
        assert data.getvalue() == b"not-observed    gr\\xfc\\xdfe-\\u4f60  0.0 s\n"

    def test_may_be_something_else_than_a_file(
        self, register: Register, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = io.StringIO()
        monkeypatch.setattr(sys, "stdout", text)
        Terminal(register).handle(CaseFinished("quiet", (), 0.0))
        assert text.getvalue() == "not-observed    quiet  0.0 s\n"
        assert capsys.readouterr().out == ""


class TestStartTime:
    """Loading rich takes longer than the rest of a short command."""

    def test_rich_is_imported_by_the_terminal_report_alone(self) -> None:
        importers = set()
        for path in (
            *ROOT.glob("conformance/**/*.py"),
            *ROOT.glob("protocol/**/*.py"),
            *ROOT.glob("reference_server/**/*.py"),
        ):
            for node in ast.walk(ast.parse(path.read_bytes())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                if any(name.partition(".")[0] == "rich" for name in names):
                    importers.add(path.relative_to(ROOT).as_posix())
        assert importers == {"conformance/report/terminal.py"}

    def test_the_other_reports_do_not_load_it(self) -> None:
        program = (
            "import sys, conformance.report.json_report, conformance.report.junit, conformance.report.markdown, "
            "conformance.report.files; sys.exit('rich' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
