"""The report for a person at a terminal, or for the log of a program; the only module that loads rich.

On a terminal the last line lives and says how far the run is; without one there are only plain lines. Either way
each finished case is a line of its own, and what failed comes last, so that it is on the screen when the run is
over. Text of the peer is never markup: it goes through `Text`, which knows none, with control characters escaped.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from conformance.judge.verdict import Check, ExitCode, Verdict, gravest
from conformance.report import summary
from conformance.report.events import CaseFinished, Event, Report, RunFinished, RunStarted
from conformance.report.text import comparison, shown
from protocol.requirements import Requirement

_LONGEST = 600
_STYLES = {
    Verdict.VIOLATION: "bold red",
    Verdict.COULD_NOT_RUN: "bold magenta",
    Verdict.FLAKY: "yellow",
    Verdict.NON_STRICT: "yellow",
    Verdict.INFORMATIONAL: "cyan",
    Verdict.OK: "green",
    Verdict.NOT_APPLICABLE: "dim",
}
_WIDEST = max(len(verdict.value) for verdict in Verdict)


class Terminal:
    """Prints the events of one run. Use it as a context manager, so that the live line goes whatever happens.

    Args:
        register: The requirements by id.
        console: Where to print; standard output without one.
    """

    def __init__(self, register: Mapping[str, Requirement], console: Console | None = None) -> None:
        self._register = register
        self._console = console or _standard_output()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._planned = 0
        self._cases: dict[str, Verdict] = {}

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def handle(self, event: Event) -> None:
        """Print one event."""
        match event:
            case RunStarted():
                self._started(event)
            case CaseFinished():
                self._case(event)
            case RunFinished(report):
                self._live.stop()
                self._finished(report)

    def _started(self, event: RunStarted) -> None:
        self._planned = event.planned
        peer = ", ".join(f"{_shown(name)} {_shown(value)}" for name, value in event.peer.items())
        self._print(f"speechwire {event.version}, requirements {event.register}, {event.dialect}: {peer}")
        self._print(f"{summary.number(event.planned, 'case')}, seed {event.seed}", "dim")
        if self._console.is_terminal:
            self._live.start()

    def _case(self, event: CaseFinished) -> None:
        verdict = gravest(check.effective for check in event.checks)
        self._cases[event.case] = verdict
        # A case without any check has seen nothing of what it looks for; coverage has the word for that.
        word = verdict.value if event.checks else "not-observed"
        line = Text(f"{word:<{_WIDEST}} ", _STYLES[verdict])
        line.append(f" {_shown(event.case)}", "default")
        line.append(f"  {event.elapsed_s:.1f} s", "dim")
        self._line(line)
        if self._live.is_started:
            failed = sum(found is Verdict.VIOLATION for found in self._cases.values())
            progress = f"{len(self._cases)} of {summary.number(self._planned, 'case')}, {failed} with violations"
            self._live.update(Text(progress, "dim", no_wrap=True, overflow="ellipsis"), refresh=True)

    def _finished(self, report: Report) -> None:
        failing = summary.failing(report)
        self._departures("departures that do not fail this run:", summary.departures(report))
        self._departures("departures that are known:", summary.known(report))
        self._legend(report)
        sentences = (*summary.conversations_sentences(report), summary.coverage_sentence(report))
        for sentence in (*sentences, summary.time_sentence(report)):
            self._print(sentence)
        for sentence in summary.baseline_sentences(report):
            self._print(_shown(sentence))
        good = report.exit_code == ExitCode.CONFORMING
        self._print(summary.exit_sentence(report), "bold green" if good else "bold red")
        for check in failing:
            self._failure(check, report)
        if len(failing) > 1:
            self._print("")
            self._print(f"{len(failing)} checks fail the run:", "bold")
            for check in failing:
                self._check(check)

    def _departures(self, title: str, checks: tuple[Check, ...]) -> None:
        if checks:
            self._print("")
            self._print(title, "bold")
        for check in checks:
            self._check(check)
            self._comparison(check)

    def _legend(self, report: Report) -> None:
        self._print("")
        for verdict, count in summary.counts(report).items():
            line = Text(f"{count:5} ")
            line.append(f"{verdict.value:<{_WIDEST}}", _STYLES[verdict] if count else "dim")
            line.append(f"  {summary.LEGEND[verdict]}", "dim")
            self._line(line)
        self._print("")

    def _failure(self, check: Check, report: Report) -> None:
        requirement = self._register[check.requirement]
        self._print("")
        self._check(check)
        self._print(f"  {_shown(requirement.statement)}")
        self._print(f"  {_shown(summary.standing(requirement))}", "dim")
        self._comparison(check)
        if check.card is not None:
            for line in check.card.lines:
                self._print(f"    {_shown(line)}", "dim")
        # What holds for every message has no case of its own that could be run alone.
        alone = check.case if check.case in self._cases else None
        again = summary.again(report, alone) if check.bundle is None else summary.replay(report, check.bundle)
        self._print(f"  again: {_shown(again)}", "dim")

    def _check(self, check: Check) -> None:
        line = Text(check.verdict.value, _STYLES[check.verdict])
        line.append(f" {_shown(check.id)}", "bold")
        self._line(line)

    def _comparison(self, check: Check) -> None:
        for line in comparison(check):
            self._print(f"  {_shown(line)}")

    def _print(self, text: str, style: str = "") -> None:
        self._line(Text(text, style))

    def _line(self, text: Text) -> None:
        # Soft wrap: the terminal breaks long lines, and a copied line is whole.
        self._console.print(text, soft_wrap=True)


def _shown(value: object) -> str:
    return shown(str(value), _LONGEST)


def _standard_output() -> Console:
    # A peer may answer in a script that the terminal's encoding lacks; that must not end the run.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(markup=False, highlight=False, emoji=False)
