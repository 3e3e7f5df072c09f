"""`speechwire replay`: hold a conversation that failed once more, or judge what was recorded of it again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from conformance import timeline
from conformance.commands.exits import CouldNotRun, Unusable, why
from conformance.commands.target_options import make_target, target_options
from conformance.feeds.doctor import diagnose
from conformance.feeds.properties import players
from conformance.feeds.server import control
from conformance.judge.verdict import Check, Verdict, exit_code
from conformance.peers.budget import Budget
from conformance.programs import dissect
from conformance.programs.blame import blamed
from conformance.programs.bundle import Bundle, BundleError, read
from conformance.programs.outcome import Departure, departures
from conformance.programs.player import Played
from conformance.report.text import printable, shown
from protocol import requirements

_CONNECTIONS = 8
_LONGEST = 600


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--url", help="Hold the conversation again with the server at this URL.")
@click.option("--strict", is_flag=True, help="Let non-strict departures count.")
@target_options
def command(bundle: Path, url: str | None, **options: Any) -> None:
    """Hold a conversation again that `check server` wrote into BUNDLE; without --url, judge what was recorded."""
    try:
        kept = read(bundle)
    except BundleError as error:
        raise Unusable(printable(str(error))) from error
    except OSError as error:
        raise Unusable(printable(f"{bundle}: {why(error)}")) from error
    options["dialect"] = kept.played.program.dialect
    if url is None:
        now, played, observed = kept.judged_again(), kept.played, kept.departure.observed
    else:
        now, played, observed = asyncio.run(_again(kept, url, options))
    _show(kept, played, now, observed)
    check = Check("replay", kept.departure.requirement, now, kept.departure.expected, observed)
    sys.exit(exit_code([check], strict=options["strict"], executed=1))


async def _again(kept: Bundle, url: str, options: dict[str, Any]) -> tuple[Verdict, Played, str]:
    """Hold the conversation with a server; return what that says of the requirement, and what was seen."""
    target, dialect = make_target(url, options), options["dialect"]
    diagnosis = await diagnose(target, dialect, control(dialect), Budget(), lambda _: None, kept.seed)
    if not diagnosis.usable:
        step = diagnosis.trouble
        raise CouldNotRun(shown(f"the server does not work: {step.says}" if step else "the server does not work", 600))
    playing = players(target, dialect, diagnosis.budget, kept.seed, _CONNECTIONS)
    played = await playing.play(kept.played.program)
    found = await blamed(played.program, departures(played), playing.outcome)
    mine = [one for one in found if one.requirement == kept.departure.requirement]
    if mine:
        return mine[0].verdict, played, mine[0].observed
    return Verdict.OK, played, _others(found)


def _others(found: tuple[Departure, ...]) -> str:
    """Return in what else a conversation departs, for a person."""
    names = ", ".join(dict.fromkeys(one.requirement for one in found))
    return f"it departs from {names} instead" if names else "what is expected"


def _show(kept: Bundle, played: Played, now: Verdict, observed: str) -> None:
    departure = kept.departure
    click.echo(f"{departure.requirement}: then {departure.verdict.value}, now {now.value}")
    click.echo(f"  {requirements.get(departure.requirement).statement}")
    click.echo(f"  expected: {shown(departure.expected, _LONGEST)}")
    click.echo(f"  observed: {shown(observed, _LONGEST)}")
    lines = list(dissect.lines(played, departure.talk))
    lines += [line for transcript in played.transcripts for line in timeline.lines(transcript)]
    for line in lines:
        click.echo(f"    {shown(line, _LONGEST)}")
