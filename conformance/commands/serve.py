"""`speechwire serve`: the reference server on a port."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import ipaddress
import logging
import signal
import ssl
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from conformance.commands.engine_options import engine_options, make_engine
from conformance.commands.exits import CouldNotRun, Unusable, why
from conformance.report.text import printable
from reference_server import tls
from reference_server.app import Server
from reference_server.engines.base import CannotStart
from reference_server.policy import Settings


def _base(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    """Return the base URL of a server, or complain: what comes behind it is the client's path and query."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and "@" not in parts.netloc and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named or parts.scheme not in {"ws", "wss"} or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise click.BadParameter(f"expected ws://host:port or wss://host:port, got '{url}'")
    return url


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@engine_options("scripted")
@click.option("--script", type=click.Path(path_type=Path), metavar="FILE", help="What the scripted engine says.")
@click.option("--key", "keys", multiple=True, metavar="KEY", help="A good key; test-key on the loopback by default.")
@click.option("--secret", metavar="TEXT", envvar="SPEECHWIRE_SECRET", help="Signs tokens; shared by several nodes.")
@click.option("--tls", is_flag=True, help="Serve wss:// with a throwaway CA, whose path is printed.")
@click.option("--cert", type=click.Path(path_type=Path), metavar="FILE", help="Serve wss:// with this certificate.")
@click.option("--cert-key", type=click.Path(path_type=Path), metavar="FILE", help="The certificate's private key.")
@click.option(
    "--redirect",
    metavar="URL",
    callback=_base,
    help="Send the speech dialects on to this ws:// or wss:// server (307).",
)
@click.option(
    "--fault", metavar="ID", help="Break one requirement on purpose; `speechwire selfproof --list` has the ids."
)
def command(**options: Any) -> None:
    """Run the reference server until it is interrupted.

    The first line on standard output is LISTENING and its URL.
    """
    if bool(options["cert"]) != bool(options["cert_key"]) or (options["tls"] and options["cert"]):
        raise click.UsageError("give --tls, or --cert together with --cert-key")
    if not options["keys"] and not _is_loopback(options["host"]):
        raise click.UsageError(f"--key is required when listening on {options['host']}: it is not the loopback")
    logging.basicConfig(level=logging.WARNING, format="speechwire: %(message)s")
    try:
        with _tls(options) as context:
            asyncio.run(_serve(options, context))
    except CannotStart as error:
        raise CouldNotRun(str(error)) from error
    except OSError as error:
        where = f"{options['host']}:{options['port']}"
        raise CouldNotRun(f"cannot listen on {where}: {why(error)}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def _tls(options: dict[str, Any]) -> Iterator[ssl.SSLContext | None]:
    """Give the TLS context of the server; a throwaway CA lives as long as the server."""
    if not (options["tls"] or options["cert"]):
        yield None
        return
    if options["cert"]:
        try:
            yield tls.from_files(options["cert"], options["cert_key"])
        except tls.TlsError as error:
            raise Unusable(str(error)) from error
        return
    with tempfile.TemporaryDirectory(prefix="speechwire-ca-") as folder:
        made = tls.throwaway(Path(folder))
        options["ca"] = made.ca
        yield made.context


async def _serve(options: dict[str, Any], context: ssl.SSLContext | None) -> None:
    server = _server(options)
    running = asyncio.ensure_future(_run(server, options, context))
    for kind in (signal.SIGINT, signal.SIGTERM):  # before anybody can know that it is there
        asyncio.get_running_loop().add_signal_handler(kind, running.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        await server.shutdown()


async def _run(server: Server, options: dict[str, Any], context: ssl.SSLContext | None) -> None:
    """Make the engine ready, listen, and go on until that is cancelled."""
    await server.start()
    for sentence in getattr(server.engine, "missing", ()):
        click.echo(f"speechwire: {printable(sentence)}", err=True)
    listening = await server.listen(options["host"], options["port"], context)
    host = f"[{options['host']}]" if ":" in options["host"] else options["host"]
    click.echo(f"LISTENING {'wss' if context else 'ws'}://{host}:{listening.port}")
    if "ca" in options:
        click.echo(f"CA {options['ca']}")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _server(options: dict[str, Any]) -> Server:
    settings = Settings(control=_is_loopback(options["host"]), redirect=options["redirect"])
    if options["keys"]:
        settings = replace(settings, keys=options["keys"])
    if options["secret"]:
        settings = replace(settings, secret=options["secret"].encode())
    engine = make_engine(options)
    if options["fault"] is None:
        return Server(settings, engine)
    from conformance.faults import registry  # noqa: PLC0415 - only --fault needs it

    try:
        fault = registry.get(options["fault"])
    except KeyError as error:
        near = difflib.get_close_matches(options["fault"], registry.everything(), 3, 0.4)
        hint = f"did you mean {' or '.join(near)}" if near else "`speechwire selfproof --list` has the ids"
        raise click.UsageError(f"--fault {options['fault']}: there is no such fault; {hint}") from error
    return Server(fault.settings(settings), engine, tap=fault.mutator)
