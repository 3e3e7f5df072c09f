"""How commands end, and how they say why."""

from __future__ import annotations

import click

from conformance.judge.verdict import ExitCode


class CouldNotRun(click.ClickException):
    """What was asked for could not be done, for a reason outside the command line; exit code 3."""

    exit_code = ExitCode.COULD_NOT_RUN
