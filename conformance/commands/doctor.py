"""`speechwire doctor`: layer by layer, whether a server can be checked at all."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click

from conformance import timeline
from conformance.cases.control import Step
from conformance.commands.target_options import make_target, target_options
from conformance.feeds.doctor import Diagnosis, diagnose
from conformance.feeds.server import control
from conformance.judge.verdict import ExitCode, Verdict
from conformance.peers.budget import Budget
from conformance.report.text import shown

_LONGEST = 600


@click.command()
@click.argument("url")
@target_options
@click.option("-v", "--verbose", is_flag=True, help="Show the conversation, too.")
def command(url: str, verbose: bool, **options: Any) -> None:
    """Find out, layer by layer, whether the server at URL can be checked."""
    target = make_target(url, options)
    dialect = options["dialect"]
    found = asyncio.run(diagnose(target, dialect, control(dialect), Budget(), _tell))
    if verbose or found.trouble:
        for transcript in filter(lambda seen: seen.entries, found.transcripts):
            click.echo("\n".join(shown(line, _LONGEST) for line in timeline.lines(transcript)))
    sys.exit(_exit(found))


def _tell(step: Step) -> None:
    click.echo(f"{'ok  ' if step.works else 'FAIL'} {step.layer:<10} {shown(step.says, _LONGEST)}")
    if not step.works:
        click.echo(f"     {step.advice}")


def _exit(found: Diagnosis) -> ExitCode:
    if found.trouble is None:
        return ExitCode.CONFORMING
    return ExitCode.VIOLATIONS if found.trouble.verdict is Verdict.VIOLATION else ExitCode.COULD_NOT_RUN
