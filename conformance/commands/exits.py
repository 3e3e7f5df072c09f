"""How commands end, and how they say why."""

from __future__ import annotations

import os

import click

from conformance.judge.verdict import ExitCode


class CouldNotRun(click.ClickException):
    """What was asked for could not be done, for a reason outside the command line; exit code 3."""

    exit_code = ExitCode.COULD_NOT_RUN


class Unusable(click.ClickException):
    """A file that the command line names cannot be used; exit code 2, one sentence, and no reminder of the options."""

    exit_code = ExitCode.USAGE


def why(error: OSError) -> str:
    """Return what the operating system says of a failure, in its own words."""
    # asyncio and ssl write sentences of their own into strerror; name resolution has numbers of its own.
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
