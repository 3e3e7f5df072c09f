"""`speechwire selfproof`: the kill matrix."""

from __future__ import annotations

import json
import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.exits import CouldNotRun, Unusable
from conformance.commands.target_options import dialect_option
from conformance.report.files import ReportError, ensure_writable, write
from conformance.report.summary import number
from protocol import requirements

if TYPE_CHECKING:
    from conformance.faults.prove import Proof


@click.command()
@dialect_option
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the kill matrix.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), metavar="FILE", help="Write it to read.")
@click.option("--only", multiple=True, metavar="GLOB", help="These faults only.")
@click.option("--list", "list_only", is_flag=True, help="Say what the faults are, and prove nothing.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes; all cores by default.")
def command(
    dialect: str,
    json_file: Path | None,
    markdown_file: Path | None,
    only: tuple[str, ...],
    jobs: int,
    *,
    list_only: bool,
) -> None:
    """Run the suite, in memory, against a server with each of the known faults.

    Every fault has to be found by a check on the requirement that it breaks, and by no check on a requirement that
    it does not touch. Exit code 1 otherwise.
    """
    from conformance.faults import matrix, registry  # noqa: PLC0415 - needs [server]
    from conformance.faults.prove import prove  # noqa: PLC0415 - the same
    from conformance.faults.reach import record  # noqa: PLC0415 - the same

    faults = [fault for fault in registry.load(dialect) if not only or any(fnmatchcase(fault.id, g) for g in only)]
    if not faults:
        raise CouldNotRun("no fault matches --only; `speechwire selfproof --list` has the ids")
    if list_only:
        for fault in faults:
            click.echo(f"{fault.id}\n    {fault.summary}")
        return
    for file in (json_file, markdown_file):
        _check_file(file)
    sound = record(dialect)
    if sound.report.exit_code:
        failing = ", ".join(check.id for check in sound.report.checks if check.exit_code(strict=False))
        raise CouldNotRun(f"the reference server itself does not pass: {failing}")

    def tell(proof: Proof) -> None:
        mark = "killed  " if proof.killed else "SURVIVED"
        click.echo(f"{mark} {proof.fault}  by {', '.join(dict.fromkeys(proof.by)) or 'nothing'}")
        if proof.undeclared:
            click.echo(f"         undeclared collateral: {', '.join(proof.undeclared)}")

    proofs = prove(sound, faults, jobs, tell)
    _write(json_file, json.dumps({"faults": [_members(proof) for proof in proofs]}, indent=2) + "\n")
    _write(markdown_file, matrix.render(dialect, requirements.load(dialect), faults, proofs))
    survivors = sum(not proof.killed for proof in proofs)
    stray = sum(bool(proof.undeclared) for proof in proofs)
    counts = f"{number(len(proofs), 'fault')}, {number(survivors, 'survivor')}"
    click.echo(f"{counts}, {stray} with undeclared collateral")
    sys.exit(1 if survivors or stray else 0)


def _members(proof: Proof) -> dict[str, object]:
    return {
        "id": proof.fault,
        "row": proof.requirement,
        "party": proof.party,
        "killed": proof.killed,
        "by": list(dict.fromkeys(proof.by)),
        "implies": list(proof.implies),
        "also": list(proof.also),
    }


def _write(path: Path | None, text: str) -> None:
    if path is not None:
        try:
            write(path, text)
        except ReportError as error:
            raise Unusable(str(error)) from error


def _check_file(path: Path | None) -> None:
    """Raise Unusable, before minutes of work, for a file that could not be written."""
    if path is not None:
        try:
            ensure_writable(path)
        except ReportError as error:
            raise Unusable(str(error)) from error
