"""`speechwire docs`: the documentation of the formats."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.exits import Unusable, why
from conformance.docs import render


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Write the documentation of all messages, field by field, to DIR/README.md."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "README.md").write_text(render(), "utf-8")
    except OSError as error:
        raise Unusable(f"{folder}: {why(error)}") from error
    click.echo(f"{folder / 'README.md'}")
