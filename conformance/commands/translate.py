"""`speechwire translate`: the reference client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from conformance import corpus
from conformance.commands.exits import Unusable, why
from conformance.commands.show import Show
from conformance.commands.target_options import (
    dialect_option,
    parse_credentials,
    parse_headers,
    parse_url,
    tls_context,
)
from conformance.commands.translating import speech, translator
from conformance.commands.translating.asked import Adapter, Asked
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import HeaderReader, HeaderRules
from protocol.speech.handshake import Mode

ADAPTERS: Final[Mapping[str, Adapter]] = {
    "translator": translator.ADAPTER,
    "speech-v1": speech.ADAPTER,
    "speech-v2": speech.ADAPTER,
}
"""The reference client of each dialect."""


@click.command()
@click.argument("audio")
@click.option("--url", required=True, help="The server; a URL without a path gets the dialect's.")
@dialect_option
@click.option("--key", envvar="SPEECHWIRE_KEY", help="Subscription key.")
@click.option("--token", envvar="SPEECHWIRE_TOKEN", help="Token.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header on the request.")
@click.option("--from", "source", default="en-US", show_default=True, help="Language of the speech.")
@click.option("--to", "targets", multiple=True, default=["pt"], show_default=True, help="Languages to translate into.")
@click.option("--voice", metavar="NAME|auto", help="Speak the translation; auto for any voice of its language.")
@click.option(
    "--format", "voice_format", metavar="TYPE", help="Format of the voice: audio/wav, audio/mp3 (translator)."
)
@click.option("--profanity", metavar="WORD", help="What becomes of profanities: a word of the dialect.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), help="How long a turn is (speech).")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Save each voice there.")
@click.option("--pace", default=1.0, show_default=True, metavar="X", help="Speed: 1 real time, 0 in one burst.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificate to trust, in PEM.")
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of text.")
def command(audio: str, **options: Any) -> None:
    """Translate AUDIO, a WAV file or `corpus:ID`, and show what the server says while it says it.

    Exit codes: 0 complete, 1 the server broke off or broke the protocol, 2 usage, 3 no session.
    """
    if options["pace"] < 0:
        raise click.UsageError("--pace is 0 (a burst) or a factor of real time")
    host, port, secure, path = parse_url(options["url"], options["dialect"])
    headers = parse_headers(options["headers"])
    key, token = parse_credentials(options)
    tls = tls_context(secure=secure, ca=options["ca"], insecure=options["insecure"])
    adapter = ADAPTERS[options["dialect"]]
    stream, pcm = _read(audio, adapter.rules)
    asked = Asked(
        dialect=options["dialect"],
        host=host,
        port=port,
        tls=tls,
        path=path,
        headers=headers,
        key=key,
        token=token,
        source=options["source"],
        targets=tuple(dict.fromkeys(options["targets"])),
        voice=options["voice"],
        voice_format=options["voice_format"],
        profanity=options["profanity"],
        mode=options["mode"],
        pace=options["pace"],
        stream=stream,
        pcm=pcm,
    )
    adapter.check(asked)
    if options["save"] is not None:
        try:
            options["save"].mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unusable(f"{options['save']}: {why(error)}") from error
    sys.exit(asyncio.run(adapter.run(asked, Show(options["as_json"], options["save"]))))


def _read(audio: str, rules: HeaderRules) -> tuple[PcmFormat, bytes]:
    """Return format and samples of a WAV file, or of a recording of the corpus."""
    if audio.startswith("corpus:"):
        try:
            recording = corpus.load()[audio.removeprefix("corpus:")]
        except corpus.CorpusError as error:
            raise Unusable(str(error)) from error
        return recording.format, recording.pcm
    try:
        data = Path(audio).read_bytes()
    except OSError as error:
        raise Unusable(f"{audio}: {why(error)}") from error
    try:
        found = HeaderReader(rules).feed(data)
    except PeerViolation as error:
        raise Unusable(
            f"{audio}: no WAV file that can be streamed: expected {error.expected} at {error.at}, got {error.observed}"
        ) from error
    if found is None:
        raise Unusable(f"{audio}: the file ends within its WAV header")
    header, samples = found
    samples = samples if header.announced is None else samples[: header.announced]
    return header.format, samples[: len(samples) - len(samples) % header.format.block_align]
