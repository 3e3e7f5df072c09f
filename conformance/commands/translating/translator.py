"""The shell of the reference client of `translator`."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

import click

from conformance.commands.exits import CouldNotRun
from conformance.commands.show import Closed, Problem, Result, Show, Told, Voiced
from conformance.commands.translating.asked import Adapter, Asked, refusal
from conformance.commands.translating.carrying import feed, hear, put
from conformance.judge.verdict import ExitCode
from conformance.peers.address import DialError
from conformance.peers.budget import Budget
from conformance.peers.link import Link, dial
from conformance.transcript import Recorder, Vantage
from protocol.riff import STREAM
from protocol.translator.client import ClientSession, Heard, Output, Over, Trouble, Voice
from protocol.translator.handshake import ProfanityAction, VoiceFormat, build_target
from protocol.translator.messages import Final
from protocol.wire import Close, HttpResponse, Message


def _check(asked: Asked) -> None:
    if len(asked.targets) != 1:
        raise click.UsageError("this dialect translates into one language: give --to once")
    if asked.mode is not None:
        raise click.UsageError("this dialect has no modes: leave out --mode")
    for option, value, known in (
        ("--format", asked.voice_format, [member.value for member in VoiceFormat]),
        ("--profanity", asked.profanity, [member.value for member in ProfanityAction]),
    ):
        if value not in (None, *known):
            raise click.UsageError(f"{option} is one of {', '.join(known)} in this dialect")


async def _run(asked: Asked, show: Show) -> ExitCode:
    speaks = asked.voice is not None
    target = build_target(
        asked.path,
        source=asked.source,
        target=asked.targets[0],
        features=("Partial", "TimingInfo", *(("TextToSpeech",) if speaks else ())),
        voice=None if asked.voice in (None, "auto") else asked.voice,
        format=asked.voice_format,
        profanity=asked.profanity,
    )
    headers = (("X-ClientTraceId", str(uuid.uuid4())), *asked.headers, *asked.credentials)
    recorder = Recorder(asked.dialect, Vantage.CLIENT, "translate", 0)
    try:
        opened = await dial(asked.address, target, headers, recorder, Budget())
    except DialError as error:
        show.failed(error.reason)
        raise CouldNotRun(error.reason) from error
    if isinstance(opened, HttpResponse):
        show.failed(refusal(opened))
        raise CouldNotRun(refusal(opened))
    return await _Run(opened, ClientSession(asked.stream, speaks=speaks), show).all(asked.pcm, asked.pace)


ADAPTER = Adapter(STREAM, _check, _run)


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
                event = await hear(self.link, self.session.next_deadline)
                await self._carry_out(self.session.receive(event))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await self.link.finish()
        return ExitCode.CONFORMING if self.over.complete and not self.trouble else ExitCode.VIOLATIONS

    async def _send(self, pcm: bytes, pace: float) -> None:
        async def give(samples: bytes) -> None:
            await self._carry_out(self.session.audio(samples))

        await feed(self.session.format, pcm, pace, self.session.policy.chunk_ms, give)
        await self._carry_out(self.session.finish(self.link.now()))

    async def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Message):
                await put(self.link, output)
            elif isinstance(output, Close):
                await self.link.close(output.code, output.reason)
            elif isinstance(output, Heard | Voice | Trouble | Over):
                self.trouble = self.trouble or isinstance(output, Trouble)
                self.over = output if isinstance(output, Over) else self.over
                self.show.tell(_told(output))


def _told(event: Heard | Voice | Trouble | Over) -> Told:
    match event:
        case Heard(result=result):
            times = (None, None) if result.timing is None else (result.timing.offset_ticks, result.timing.size_ticks)
            return Result(isinstance(result, Final), result.id, result.recognition, result.translation, *times)
        case Voice():
            return Voiced(event.id, event.file)
        case Trouble(violation=violation):
            return Problem(str(violation), {"requirement": violation.requirement})
        case Over():
            return Closed(event.code, event.reason, event.complete)
