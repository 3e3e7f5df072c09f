"""The options that every check shares: what is run, what is written, what counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from conformance.commands.exits import Unusable
from conformance.report import json_report, junit, markdown
from conformance.report.events import Report
from conformance.report.files import ReportError, ensure_writable, write
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
        click.option("--only", multiple=True, metavar="GLOB", help="Run these cases only."),
        click.option("--skip", multiple=True, metavar="GLOB", help="Leave these cases out."),
        click.option("-x", "stop_at_first", is_flag=True, help="Stop at the first violation."),
        click.option("--seed", default=0, show_default=True, help="Seed of everything that is drawn."),
        click.option("--strict", is_flag=True, help="Let non-strict departures count."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def check_files(options: dict[str, Any]) -> None:
    """Raise Unusable, before anything is run, for a report file that could not be written."""
    for name in _FORMATS:
        if options[name] is not None:
            try:
                ensure_writable(options[name])
            except ReportError as error:
                raise Unusable(str(error)) from error


def write_files(report: Report, options: dict[str, Any]) -> None:
    """Write the report files that were asked for."""
    register = requirements.load(report.dialect)
    for name, render in _FORMATS.items():
        if options[name] is not None:
            try:
                write(options[name], render(report, register))
            except ReportError as error:
                raise Unusable(str(error)) from error
