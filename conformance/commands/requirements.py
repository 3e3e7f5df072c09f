"""`speechwire requirements`: the register, as a list or as JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from conformance.cases.judged import judged_by
from conformance.cases.target import ENDPOINTS
from protocol import requirements
from protocol.requirements import Requirement
from protocol.wire import Party


@click.command()
@click.option("--dialect", type=click.Choice(list(ENDPOINTS)), help="One dialect only.")
@click.option("--party", type=click.Choice([party.value for party in Party]), help="One party only.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array (schema `requirements`).")
def command(dialect: str | None, party: str | None, as_json: bool) -> None:
    """List the requirements: id, level, basis, statement."""
    rows = [row for row in requirements.load(dialect).values() if party is None or row.party.value == party]
    if as_json:
        tested = judged_by(dialect)
        click.echo(json.dumps([document(row, tested.get(row.id, ())) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        note = f" (not tested: {row.excluded})" if row.excluded else ""
        click.echo(f"{row.id}  {row.party.value} {row.level.value} {row.basis.value}{note}\n    {row.statement}")


def document(row: Requirement, tested_by: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Return a requirement in the published JSON form."""
    form: dict[str, Any] = {
        "id": row.id,
        "dialects": list(row.dialects),
        "party": row.party.value,
        "level": row.level.value,
        "basis": row.basis.value,
        "statement": row.statement,
        "source": row.source,
        "facts": list(row.facts),
        "since": row.since,
    }
    if row.excluded is not None:
        form["excluded"] = row.excluded
    else:
        form["tested_by"] = list(tested_by)
    return form
