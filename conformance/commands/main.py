"""`speechwire`: finds the command that was asked for, and imports that one alone."""

from __future__ import annotations

import importlib
from typing import Final

import click

_COMMANDS: Final = {
    "serve": ("serve", "Run the reference server."),
    "languages": ("languages", "List what an engine hears, translates and speaks, and what it lacks."),
    "translate": ("translate", "Translate a recording: the reference client."),
    "check": ("check", "Check a server, a client or recorded traffic against the protocol."),
    "baseline": ("baseline", "Keep the file of what is known not to conform."),
    "replay": ("replay", "Hold a conversation that failed once more, or judge it again."),
    "doctor": ("doctor", "Find out, layer by layer, whether a server can be checked."),
    "requirements": ("requirements", "List the requirements."),
    "cases": ("cases", "List the cases, or explain one."),
    "docs": ("docs", "Write the documentation of all messages."),
    "selfproof": ("selfproof", "Prove that the suite finds each of its faults."),
}

_SERVER_LIBRARIES: Final = frozenset({"babel", "jwt", "soxr", "lameenc", "h11", "cryptography"})


class _Interrupted(click.ClickException):
    """Ctrl-C; the exit code is that of a run that could not be made (3), never that of a verdict."""

    exit_code = 3


class _Lazy(click.Group):
    """A group whose commands stand in modules of their own, imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is no such one."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"conformance.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; say in a sentence that it was interrupted, or needs libraries that are not installed."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        except KeyboardInterrupt as interrupt:
            raise _Interrupted("interrupted") from interrupt

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


def _missing(error: ModuleNotFoundError) -> Exception:
    """Return what to say when a library that only the server needs is not installed; else the error itself."""
    name = (error.name or "").partition(".")[0]
    if name not in _SERVER_LIBRARIES:
        return error
    return click.UsageError(f"this needs the reference server, and {name} is not installed: install speechwire[server]")


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="speechwire", prog_name="speechwire")
def main() -> None:
    """Reference implementation and conformance suite of real-time speech translation over WebSocket.

    Exit codes: 0 conforming, 1 violations, 2 usage, 3 could not run.
    """
