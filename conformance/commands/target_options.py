"""The options that say which server is meant, shared by every command that talks to one."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click

from conformance import corpus
from conformance.cases.registry import OPTIONS
from conformance.cases.target import ENDPOINTS, SOURCE, TARGET, Target
from conformance.commands.exits import Unusable
from conformance.peers.address import Address

_PORTS: Final = {"ws": 80, "http": 80, "wss": 443, "https": 443}
_RATE: Final = 16_000
_PATH_SIGNS: Final = "/%:@!$&'()*+,;=~"  # what a URL may have as it is; everything else is percent-encoded
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_Function = Callable[..., Any]


def dialect_option(function: _Function) -> _Function:
    """Add `--dialect`."""
    return click.option(
        "--dialect",
        type=click.Choice(list(ENDPOINTS)),
        default="translator",
        show_default=True,
        help="Dialect to speak.",
    )(function)


def target_options(function: _Function) -> _Function:
    """Add the options that describe a server under test."""
    options = (
        dialect_option,
        click.option("--key", metavar="KEY", envvar="SPEECHWIRE_KEY", help="A good subscription key."),
        click.option("--token", metavar="TOKEN", envvar="SPEECHWIRE_TOKEN", help="A good token."),
        click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header on every request."),
        click.option("--from", "source", default=SOURCE, show_default=True, help="Language of the recordings."),
        click.option("--to", "target", default=TARGET, show_default=True, help="Language to translate into."),
        click.option("--voice", help="Voice to ask for; by default the server chooses."),
        click.option("--audio", type=click.Path(path_type=Path), metavar="DIR", help="Recordings with a manifest."),
        click.option("--without", default="", metavar="WORDS", help=f"What the server lacks: {','.join(OPTIONS)}."),
        click.option(
            "--pace", default=0.0, metavar="X", help="Speed of speech: 1 real time, 0 in one burst (default)."
        ),
        click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificate to trust, in PEM."),
        click.option("--insecure", is_flag=True, help="Do not check the server's certificate."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def parse_url(url: str, dialect: str) -> tuple[str, int, bool, str]:
    """Return host, port, whether TLS, and the path with query of a server's URL; click's usage error for a bad one."""
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        port = parts.port
    except ValueError as error:
        raise click.UsageError(f"the URL {url!r} cannot be read: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise click.UsageError(f"the URL {url!r} must begin with ws:// or wss:// and name a host")
    path = quote(parts.path, safe=_PATH_SIGNS) if parts.path not in ("", "/") else ENDPOINTS[dialect][0]
    query = quote(parts.query, safe=_PATH_SIGNS + "?")
    secure = parts.scheme in ("wss", "https")
    if port == 0:
        raise click.UsageError(f"the URL {url!r} has port 0, which only a server that --start starts can have")
    return parts.hostname, port or _PORTS[parts.scheme], secure, f"{path}?{query}" if query else path


def tls_context(*, secure: bool, ca: str | None, insecure: bool) -> ssl.SSLContext | None:
    """Return the TLS context of a client, or None for a plain connection."""
    if not secure:
        if ca or insecure:
            raise click.UsageError("--ca and --insecure need a wss:// URL")
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
    except (ssl.SSLError, OSError) as error:
        raise Unusable(f"{ca}: no certificate can be read from it ({error.strerror or error})") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def parse_headers(given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return `NAME: VALUE` options as header fields."""
    fields = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not _FIELD_NAME.fullmatch(name.strip()):
            raise click.UsageError("--header must have the form 'NAME: VALUE'")
        fields.append((name.strip(), _fit_for_header(f"--header {name.strip()}", value.strip())))
    return tuple(fields)


def parse_credentials(options: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return key and token, None for one that is absent or empty; neither is ever shown."""
    key, token = (_fit_for_header(f"--{name}", options[name] or "") or None for name in ("key", "token"))
    return key, token


def _fit_for_header(option: str, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise click.UsageError(f"{option}: the value of a header is printable ASCII")
    return value


def make_target(url: str, options: dict[str, Any]) -> Target:
    """Return the target that a URL and the options of `target_options` describe."""
    host, port, secure, path = parse_url(url, options["dialect"])
    tls = tls_context(secure=secure, ca=options["ca"], insecure=options["insecure"])
    without = frozenset(word.strip() for word in options["without"].split(",") if word.strip())
    unknown = sorted(without - set(OPTIONS))
    if unknown:
        raise click.UsageError(f"--without {','.join(unknown)}: the words are {', '.join(OPTIONS)}")
    if options["pace"] < 0:
        raise click.UsageError("--pace is 0 (a burst) or a factor of real time")
    key, token = parse_credentials(options)
    return Target(
        address=Address.tcp(host, port, tls),
        path=path,
        key=key,
        token=token,
        headers=parse_headers(options["headers"]),
        source=options["source"],
        target=options["target"],
        voice=options["voice"],
        without=without,
        corpus=_corpus(options["audio"]),
        pace=options["pace"],
    )


def _corpus(directory: Path | None) -> corpus.Corpus:
    """Return the recordings: the user's own beside those of ours that have other names."""
    try:
        ours = corpus.load()
        if directory is None:
            return ours
        theirs = corpus.load(directory)
    except corpus.CorpusError as error:
        raise Unusable(str(error)) from error
    wrong = [recording.id for recording in theirs if recording.format.rate != _RATE]
    if wrong:
        raise Unusable(f"{directory}: {wrong[0]} is not at {_RATE} Hz, which is what the protocol asks of clients")
    kept = tuple(recording for recording in ours if recording.id not in theirs)
    return corpus.Corpus(directory, (*theirs.recordings, *kept))
