"""The options that every check shares: what is run, what is written, what counts; and the report that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from conformance.baseline.entries import Baseline, BaselineError, read
from conformance.baseline.settle import settle
from conformance.cases import registry
from conformance.commands.exits import Unusable, why
from conformance.report import json_report, junit, markdown
from conformance.report.events import Event, Report, RunFinished
from conformance.report.files import ReportError, ensure_writable, write
from conformance.report.terminal import Terminal
from conformance.report.text import printable
from protocol import requirements

_Function = Callable[..., Any]
_FORMATS = {"json_file": json_report.render, "junit_file": junit.render, "markdown_file": markdown.render}


def report_options(function: _Function) -> _Function:
    """Add the options of reports and selection."""
    options = (
        click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the report."),
        click.option("--junit", "junit_file", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML."),
        click.option(
            "--markdown", "markdown_file", type=click.Path(path_type=Path), metavar="FILE", help="Write Markdown."
        ),
        click.option(
            "--profile",
            type=click.Choice(["quick", "default", "deep"]),
            default="default",
            show_default=True,
            help="quick lets no time pass; deep runs each case three times.",
        ),
        click.option("--only", multiple=True, metavar="GLOB", help="Run these cases only."),
        click.option("--skip", multiple=True, metavar="GLOB", help="Leave these cases out."),
        click.option("-x", "stop_at_first", is_flag=True, help="Stop at the first violation."),
        click.option("--seed", default=0, show_default=True, help="Seed of everything that is drawn."),
        click.option("--strict", is_flag=True, help="Let non-strict departures count."),
        click.option(
            "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="What is known, and does not count."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


class Reporting:
    """Where the events of a check go: to the terminal, and at the end, the baseline applied, into the report files.

    Made before anything is run: it raises Unusable for a report file that could not be written, and for a baseline
    that cannot be used. Use it as a context manager around the run.

    Args:
        options: The options of `report_options`.
        dialect: Dialect that is spoken.
        party: Who is judged, as in a report.
    """

    def __init__(self, options: Mapping[str, Any], dialect: str, party: str) -> None:
        self._options = options
        self._register = requirements.load(dialect)
        self._cases = {case.id: case for case in registry.load(dialect)}
        self._baseline = _read(options["baseline"], dialect, party)
        for name in _FORMATS:
            if options[name] is not None:
                try:
                    ensure_writable(options[name])
                except ReportError as error:
                    raise Unusable(str(error)) from error
        self._terminal = Terminal(self._register)
        self._report: Report | None = None

    def __enter__(self) -> Reporting:
        self._terminal.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._terminal.__exit__(*error)

    def handle(self, event: Event) -> None:
        """Take one event of the run."""
        if isinstance(event, RunFinished):
            self._report = self._settled(event.report)
            event = RunFinished(self._report)
        self._terminal.handle(event)

    def _settled(self, report: Report) -> Report:
        if self._baseline is None:
            return report
        today = datetime.now().astimezone().date()
        return settle(report, self._baseline, self._options["baseline"], self._possible, today)

    def _possible(self, check: str) -> bool:
        name, _, requirement = check.rpartition("/")
        case = self._cases.get(name)
        return requirement in (self._register if case is None else case.requirements)

    def finish(self) -> Report:
        """Write the report files that were asked for; return the report of the run, which has ended."""
        if self._report is None:
            raise RuntimeError("the run has not ended")
        for name, render in _FORMATS.items():
            if self._options[name] is not None:
                try:
                    write(self._options[name], render(self._report, self._register))
                except ReportError as error:
                    raise Unusable(str(error)) from error
        return self._report


def _read(file: Path | None, dialect: str, party: str) -> Baseline | None:
    if file is None:
        return None
    try:
        baseline = read(file)
    except BaselineError as error:
        raise Unusable(printable(str(error))) from error
    except OSError as error:
        raise Unusable(printable(f"{file}: {why(error)}")) from error
    if (baseline.dialect, baseline.party) != (dialect, party):
        raise Unusable(f"{file}: it is of {baseline.dialect} and a {baseline.party}, not of {dialect} and a {party}")
    return baseline
