"""`speechwire translate`: the reference client."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from conformance import corpus
from conformance.commands.exits import CouldNotRun, Unusable, why
from conformance.commands.show import Show
from conformance.commands.target_options import (
    dialect_option,
    parse_credentials,
    parse_headers,
    parse_url,
    tls_context,
)
from conformance.judge.verdict import ExitCode
from conformance.peers.address import Address, DialError
from conformance.peers.budget import Budget
from conformance.peers.link import Link, Received, dial
from conformance.report.text import shown
from conformance.transcript import Recorder, Vantage
from protocol.audio import PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import HeaderReader
from protocol.translator.client import ClientSession, Heard, Output, Over, Trouble, Voice
from protocol.translator.handshake import build_target
from protocol.wire import Close, Fragment, HttpResponse, Message, PeerClosed, Tick

_LONGEST = 600  # characters of somebody else's sentence


@click.command()
@click.argument("audio")
@click.option("--url", required=True, help="The server; a URL without a path gets the dialect's.")
@dialect_option
@click.option("--key", envvar="SPEECHWIRE_KEY", help="Subscription key.")
@click.option("--token", envvar="SPEECHWIRE_TOKEN", help="Token.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header on the request.")
@click.option("--from", "source", default="en-US", show_default=True, help="Language of the speech.")
@click.option("--to", "targets", multiple=True, default=["pt"], show_default=True, help="Language to translate into.")
@click.option("--voice", metavar="NAME|auto", help="Speak the translation; auto lets the server choose.")
@click.option("--format", "voice_format", type=click.Choice(["audio/wav", "audio/mp3"]), help="Format of the voice.")
@click.option("--profanity", type=click.Choice(["NoAction", "Marked", "Deleted"]), help="What becomes of profanities.")
@click.option("--save", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Save each voice there.")
@click.option("--pace", default=1.0, show_default=True, metavar="X", help="Speed: 1 real time, 0 in one burst.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="CA certificate to trust, in PEM.")
@click.option("--insecure", is_flag=True, help="Do not check the server's certificate.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of text.")
def command(audio: str, **options: Any) -> None:
    """Translate AUDIO, a WAV file or `corpus:ID`, and show what the server says while it says it.

    Exit codes: 0 complete, 1 the server broke off or broke the protocol, 2 usage, 3 no session.
    """
    if len(options["targets"]) != 1:
        raise click.UsageError("this dialect translates into one language: give --to once")
    if options["pace"] < 0:
        raise click.UsageError("--pace is 0 (a burst) or a factor of real time")
    stream, pcm = _read(audio)
    if options["save"] is not None:
        try:
            options["save"].mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unusable(f"{options['save']}: {why(error)}") from error
    sys.exit(asyncio.run(_translate(stream, pcm, options)))


def _read(audio: str) -> tuple[PcmFormat, bytes]:
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
        found = HeaderReader().feed(data)
    except PeerViolation as error:
        raise Unusable(
            f"{audio}: no WAV file that can be streamed: expected {error.expected} at {error.at}, got {error.observed}"
        ) from error
    if found is None:
        raise Unusable(f"{audio}: the file ends within its WAV header")
    header, samples = found
    samples = samples if header.announced is None else samples[: header.announced]
    return header.format, samples[: len(samples) - len(samples) % header.format.block_align]


async def _translate(stream: PcmFormat, pcm: bytes, options: dict[str, Any]) -> ExitCode:
    host, port, secure, path = parse_url(options["url"], options["dialect"])
    tls = tls_context(secure=secure, ca=options["ca"], insecure=options["insecure"])
    speaks = options["voice"] is not None
    target = build_target(
        path,
        source=options["source"],
        target=options["targets"][0],
        features=("Partial", "TimingInfo", *(("TextToSpeech",) if speaks else ())),
        voice=None if options["voice"] in (None, "auto") else options["voice"],
        format=options["voice_format"],
        profanity=options["profanity"],
    )
    headers = [("X-ClientTraceId", str(uuid.uuid4())), *parse_headers(options["headers"])]
    key, token = parse_credentials(options)
    if token is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    elif key is not None:
        headers.append(("Ocp-Apim-Subscription-Key", key))
    recorder = Recorder(options["dialect"], Vantage.CLIENT, "translate", 0)
    show = Show(options["as_json"], options["save"])
    try:
        opened = await dial(Address.tcp(host, port, tls), target, tuple(headers), recorder, Budget())
    except DialError as error:
        show.failed(error.reason)
        raise CouldNotRun(error.reason) from error
    if isinstance(opened, HttpResponse):
        refused = f"the server refused the session with status {opened.status}{_detail(opened.body)}"
        show.failed(refused)
        raise CouldNotRun(refused)
    return await _Run(opened, ClientSession(stream, speaks=speaks), show).all(pcm, options["pace"])


def _detail(body: bytes) -> str:
    """Return what the body of a refusal says: its message where it is of the usual shape, else its beginning."""
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, RecursionError, LookupError, TypeError):
        said = body[:300].decode(errors="replace")
    said = shown(" ".join(said.split()), _LONGEST)
    return f": {said}" if said else ""


@dataclass
class _Run:
    """Carries out what the session says, on one link."""

    link: Link
    session: ClientSession
    show: Show
    trouble: bool = False
    over: Over | None = None

    async def all(self, pcm: bytes, pace: float) -> ExitCode:
        """Send everything and hear everything."""
        await self._carry_out(self.session.start())
        sending = asyncio.ensure_future(self._send(pcm, pace))
        try:
            while self.over is None:
                await self._listen()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await self.link.finish()
        return ExitCode.CONFORMING if self.over.complete and not self.trouble else ExitCode.VIOLATIONS

    async def _send(self, pcm: bytes, pace: float) -> None:
        stream = self.session.format
        size = stream.ms_to_bytes(self.session.policy.chunk_ms)
        begun = self.link.now()
        for at in range(0, len(pcm), size):
            await self._carry_out(self.session.audio(pcm[at : at + size]))
            if pace:
                due = begun + (at + size) / stream.bytes_per_second / pace
                await asyncio.sleep(max(0.0, due - self.link.now()))
        await self._carry_out(self.session.finish(self.link.now()))

    async def _listen(self) -> None:
        """Wait for the next message, or for the session's deadline; look up the deadline again now and then."""
        deadline = self.session.next_deadline
        wait = 0.5 if deadline is None else max(0.0, min(0.5, deadline - self.link.now()))
        answer = await self.link.answer("the next message", wait)
        if answer is None:
            await self._carry_out(self.session.receive(Tick(self.link.now())))
        elif isinstance(answer, Received):
            await self._carry_out(self.session.receive(Fragment(answer.ended, answer.kind, answer.data)))
        else:
            code, reason = answer.code, answer.reason
            await self._carry_out(self.session.receive(PeerClosed(answer.time, code, reason)))

    async def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Message):
                last = len(output.fragments) - 1
                for index, data in enumerate(output.fragments):
                    await self.link.frame(output.kind, data, first=index == 0, final=index == last)
            elif isinstance(output, Close):
                await self.link.close(output.code, output.reason)
            elif isinstance(output, Heard | Voice | Trouble | Over):
                self.trouble = self.trouble or isinstance(output, Trouble)
                self.over = output if isinstance(output, Over) else self.over
                self.show.tell(output)
