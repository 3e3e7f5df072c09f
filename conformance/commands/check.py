"""`speechwire check`: a server, a client, or what was recorded of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import click

from conformance.cases.control import Step
from conformance.cases.target import ENDPOINTS, SOURCE, TARGET
from conformance.commands.exits import CouldNotRun, Unusable, why
from conformance.commands.report_options import Reporting, report_options
from conformance.commands.target_options import dialect_option, make_target, parse_url, target_options
from conformance.feeds.capture import read_capture
from conformance.feeds.capture_json import CaptureError
from conformance.feeds.programs import NotStarted, ending, fill_in, stoppable
from conformance.feeds.recorded import judge_recorded
from conformance.feeds.server import CONNECTIONS, CROWD, Options, check_server, select
from conformance.feeds.started import started
from conformance.judge.wire import WIRE
from conformance.report.events import Report
from conformance.report.text import printable, shown
from conformance.transcript import Vantage
from protocol.wire import Party

_PORT_0 = re.compile(r"((?:\w+://)?(?:\[[^\]]*\]|[^/:?]*)):0+(?![0-9])")
_CONVERSATIONS, _CONVERSATIONS_S = 2_000, 30.0
_LAST_LINES = 10
_LONGEST = 600


@click.group()
def command() -> None:
    """Check a server, a client, or recorded traffic against the protocol."""


@command.command()
@click.argument("url")
@target_options
@report_options
@click.option(
    "--connections",
    type=click.IntRange(1, 256),
    help=f"Connections at a time, at most.  [default: {CONNECTIONS}, and {CROWD} for conversations that nobody wrote]",
)
@click.option(
    "--slow",
    "scale",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Wait X times as long.",
)
@click.option(
    "--minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="With --profile deep: hold conversations for so long.",
)
@click.option(
    "--bundles",
    default="speechwire-bundles",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where conversations that failed are written.",
)
@click.option(
    "--examples",
    default="speechwire-examples",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="With --profile deep: where they are kept, to be tried first the next time.",
)
@click.option(
    "--start", metavar="COMMAND", help="Start the server with this first; a port 0 in URL becomes a free one, {port}."
)
def server(url: str, **options: Any) -> None:
    """Check the server at URL. A URL without a path gets the dialect's."""
    url, command = _to_start(url, options["start"])
    target = make_target(url, options)
    reporting = Reporting(options, options["dialect"], Party.SERVER.value)
    selection = Options(
        profile=options["profile"],
        only=options["only"],
        skip=options["skip"],
        seed=options["seed"],
        connections=options["connections"] or CONNECTIONS,
        crowd=options["connections"] or CROWD,
        strict=options["strict"],
        stop_at_first=options["stop_at_first"],
        scale=options["scale"],
        bundles=options["bundles"],
        **_conversations(options),
    )
    if not select(options["dialect"], selection) and not selection.holds_conversations:
        raise CouldNotRun("no case matches --only and --skip; `speechwire cases` lists them")
    peer = {"url": url.partition("?")[0]}

    async def run() -> None:
        starting = started(command, target.address.host, target.address.port) if command else contextlib.nullcontext()
        with stoppable():
            async with starting:
                await check_server(target, options["dialect"], selection, reporting.handle, peer, _tell)

    with reporting:
        try:
            asyncio.run(run())
        except asyncio.CancelledError as error:
            raise CouldNotRun("the run was told to stop") from error
        except NotStarted as error:
            raise CouldNotRun("\n".join(map(printable, str(error).split("\n")))) from error
    sys.exit(reporting.finish().exit_code)


def _conversations(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many conversations that nobody wrote a profile holds, and for how long."""
    match options["profile"]:
        case "quick":
            return {}
        case "default":
            return {"conversations": _CONVERSATIONS, "seconds": _CONVERSATIONS_S}
        case _:
            return {"conversations": sys.maxsize, "seconds": options["minutes"] * 60, "examples": options["examples"]}


def _to_start(url: str, start: str | None) -> tuple[str, list[str]]:
    """Return the URL with its port filled in, and the words of the command that starts the server there."""
    if not start:
        return url, []
    try:
        words = shlex.split(start)
    except ValueError as error:
        raise click.UsageError(f"--start: {error}") from error
    found = _PORT_0.match(url)
    if found:
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"{found[1]}:{free.getsockname()[1]}{url[found.end() :]}"
    return url, fill_in(words, {"port": str(parse_url(url, "translator")[1]), "url": url})


def _tell(step: Step) -> None:
    if not step.works:
        click.echo(f"doctor: {shown(step.says, _LONGEST)}\n        {step.advice}", err=True)


@command.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED)
@dialect_option
@report_options
@click.option("--from", "source", default=SOURCE, show_default=True, help="Filled in for {from}.")
@click.option("--to", "target", default=TARGET, show_default=True, help="Filled in for {to}.")
@click.option("--voice", default="pt-BR-Maria", show_default=True, help="Filled in for {voice}.")
@click.option(
    "--hang",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Time that the client has.",
)
@click.option("--tls", is_flag=True, help="Serve wss:// with a throwaway CA, filled in for {ca}.")
def client(program: tuple[str, ...], **options: Any) -> None:
    """Check a client: `check client --dialect D -- COMMAND {url}`.

    In COMMAND, {url} {wav} {key} {from} {to} {voice} {ca} are filled in; the id of the case is in the environment
    variable SPEECHWIRE_CASE.
    """
    from conformance.commands.client_recording import CASE  # noqa: PLC0415 - needs [server]
    from conformance.commands.client_server import Unstarted, check_with_reference_server  # noqa: PLC0415 - the same

    if not any("{url}" in word for word in program):
        raise click.UsageError("COMMAND has no {url} in it: the client has to be told where the server is")
    reporting = Reporting(options, options["dialect"], Party.CLIENT.value)
    if not _matches(CASE, options["only"] or ("*",)) or _matches(CASE, options["skip"]):
        raise CouldNotRun(f"no case matches --only and --skip; a client has the case {CASE}")
    with reporting:
        try:
            asyncio.run(check_with_reference_server(program, options, reporting.handle))
        except Unstarted as error:
            reporting.finish()
            raise CouldNotRun(str(error)) from error
        except asyncio.CancelledError as error:
            raise CouldNotRun("the run was told to stop, and has ended the client") from error
    report = reporting.finish()
    _tell_output(report)
    sys.exit(report.exit_code)


def _matches(identity: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(identity, pattern) for pattern in patterns)


def _tell_output(report: Report) -> None:
    """Show the end of what a client printed that did not end well: its own reason is often the better one."""
    code = cast("int | None", report.peer["exit"])
    if code == 0:
        return
    lines = str(report.peer["output"]).strip().splitlines()[-_LAST_LINES:]
    click.echo(f"the client {ending(code)}{'; it printed at the end:' if lines else ' and printed nothing'}", err=True)
    for line in lines:
        click.echo(f"    {printable(line)}", err=True)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--dialect",
    type=click.Choice(list(ENDPOINTS)),
    help="Dialect that was spoken.  [default: what the path of the request, or the bundle, says]",
)
@click.option(
    "--vantage",
    type=click.Choice([place.value for place in Vantage]),
    help="Where it was recorded.  [default: what the bundle says; server for a capture]",
)
@click.option(
    "--party",
    type=click.Choice([*(party.value for party in Party), "both"]),
    default="both",
    show_default=True,
    help="Who is judged.",
)
@report_options
def capture(file: Path, **options: Any) -> None:
    """Check recorded traffic: a capture as JSON lines, or a bundle of transcripts.

    Nothing is sent. What the recording does not show is not observed, and no fault of anybody.
    """
    if not _matches(WIRE, options["only"] or ("*",)) or _matches(WIRE, options["skip"]):
        raise CouldNotRun(f"no case matches --only and --skip; recorded traffic has the case {WIRE}")
    try:
        vantage = Vantage(options["vantage"]) if options["vantage"] else None
        transcripts = read_capture(file, options["dialect"], vantage)
    except CaptureError as error:
        raise Unusable(printable(str(error))) from error
    except OSError as error:
        raise Unusable(printable(f"{file}: {why(error)}")) from error
    if not transcripts:
        raise CouldNotRun(printable(f"{file}: it holds no connection"))
    reporting = Reporting(options, transcripts[0].dialect, options["party"])
    parties = tuple(Party) if options["party"] == "both" else (Party(options["party"]),)
    seen_from = {} if vantage is None else {"vantage": vantage.value}
    peer = {"file": str(file), "connections": len(transcripts), **seen_from}
    with reporting:
        judge_recorded(transcripts, parties, peer, reporting.handle, seed=options["seed"], strict=options["strict"])
    sys.exit(reporting.finish().exit_code)
