"""`speechwire baseline`: the file of what is known not to conform."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from conformance.baseline.entries import Baseline, BaselineError, read, save
from conformance.baseline.update import look
from conformance.baseline.update import update as updated
from conformance.commands.exits import Unusable, why
from conformance.report.files import ReportError
from protocol.validate import validator


@click.group()
def command() -> None:
    """Keep the file of what is known not to conform (`--baseline FILE` of every check)."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reason", default="", metavar="TEXT", help="Why it is so; needed when there are new entries.")
@click.option("--link", default="", metavar="URL", help="Where it is followed up.")
@click.option("--strict", is_flag=True, help="Take non-strict departures, too.")
def update(file: Path, reports: tuple[Path, ...], reason: str, link: str, *, strict: bool) -> None:
    """Bring FILE up to date with REPORTS, which checks have written with --json.

    What fails in all of them is known, what fails in some is flaky, with the rate that was seen. Entries keep their
    reason, link and day; those of checks that no longer fail are removed.
    """
    if not (reason + link).isprintable():
        raise click.UsageError("--reason and --link are text of one line")
    documents = [_report(path) for path in reports]
    dialect = documents[0]["dialect"]
    party = _party(documents[0])
    for path, document in zip(reports, documents, strict=True):
        if document["dialect"] != dialect or _party(document) != party:
            raise Unusable(f"{path}: it is of {document['dialect']} and a {_party(document)}, not as the first report")
    try:
        baseline = read(file) if file.exists() else Baseline(dialect, party)
    except BaselineError as error:
        raise Unusable(str(error)) from error
    except OSError as error:
        raise Unusable(f"{file}: {why(error)}") from error
    if (baseline.dialect, baseline.party) != (dialect, party):
        raise Unusable(f"{file}: it is of {baseline.dialect} and a {baseline.party}; the reports are not")
    today = datetime.now().astimezone().date()
    try:
        baseline, changes = updated(baseline, look(documents, strict=strict), reason=reason, link=link, today=today)
    except ValueError as error:
        raise click.UsageError(f"{error} is new in the baseline: say why it is so with --reason") from error
    try:
        save(file, baseline)
    except ReportError as error:
        raise Unusable(str(error)) from error
    for change in changes:
        click.echo(f"{change.what:<8} {change.check}")
    click.echo(f"{file}: {len(baseline.entries)} entries")


def _party(document: dict[str, Any]) -> str:
    peer = document["peer"]
    return "client" if "command" in peer else "both" if "file" in peer else "server"


def _report(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Unusable(f"{path}: {why(error)}") from error
    except ValueError as error:
        raise Unusable(f"{path}: it is no JSON: {error}") from error
    for departure in validator("report").errors(document):
        raise Unusable(f"{path}: {departure.at}: expected {departure.expected}, got {departure.observed}")
    return document
