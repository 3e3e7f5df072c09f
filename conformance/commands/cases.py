"""`speechwire cases`: the catalogue."""

from __future__ import annotations

import json

import click

from conformance.cases import registry
from conformance.cases.registry import Case
from conformance.commands.target_options import dialect_option
from protocol import requirements
from protocol.wire import Party


@click.command()
@dialect_option
@click.option("--json", "as_json", is_flag=True, help="As a JSON array (schema `cases`).")
@click.option("--explain", metavar="ID", help="Say what one case does and which requirements it judges.")
def command(dialect: str, as_json: bool, explain: str | None) -> None:
    """List the cases: id, what it does."""
    found = [case for party in Party for case in registry.load(dialect, party)]
    if explain is not None:
        case = next((case for case in found if case.id == explain), None)
        if case is None:
            raise click.UsageError(f"there is no case {explain!r}; `speechwire cases` lists them")
        _explain(case)
    elif as_json:
        click.echo(json.dumps([_document(case) for case in found], ensure_ascii=False, indent=2))
    else:
        for case in found:
            click.echo(f"{case.id}\n    {case.summary}")


def _document(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "dialect": case.dialect,
        "party": case.party.value,
        "requirements": list(case.requirements),
        "needs": list(case.needs),
        "time": case.time,
        "summary": case.summary,
    }


def _explain(case: Case) -> None:
    click.echo(f"{case.id}: {case.summary}")
    if case.needs:
        click.echo(f"needs: {', '.join(case.needs)}")
    for name in case.requirements:
        row = requirements.get(name)
        click.echo(f"\n{name}  {row.level.value} {row.basis.value}, source {row.source}\n    {row.statement}")
        for form in row.tolerated:
            click.echo(f"    tolerated: {form}")
