"""The shell of the reference client of the speech dialects."""

from __future__ import annotations

import asyncio
import platform
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import count

import click

from conformance.commands.exits import CouldNotRun
from conformance.commands.show import Closed, Problem, Result, Show, Told, Voiced
from conformance.commands.translating.asked import Adapter, Asked
from conformance.commands.translating.calling import Caller, Failed
from conformance.commands.translating.carrying import feed, hear, put
from conformance.judge.verdict import ExitCode
from conformance.peers.link import Link
from protocol import requirements
from protocol.languages import PUBLISHED
from protocol.requirements import Level
from protocol.riff import HeaderRules
from protocol.speech.client.hearing import Failure, Heard, Trouble, Voice
from protocol.speech.client.opening import System, Wish
from protocol.speech.client.session import ClientPolicy, ClientSession, Dial, Lost, Output, Over
from protocol.speech.handshake import CONNECTION_ID, Mode, build_target
from protocol.speech.messages import SUCCESS, V1, Final, Translation
from protocol.wire import Close, Message

_RULES = HeaderRules("speech.audio.no-header", "speech.audio.bad-format", channels=range(1, 3))
_TREATMENTS = ("Masked", "Removed", "Raw")
_FASTEST = 2.0  # what official SDKs allow themselves, at most


def _check(asked: Asked) -> None:
    if asked.voice_format is not None:
        raise click.UsageError("the service chooses the format of voices in this dialect: leave out --format")
    if asked.profanity not in (None, *_TREATMENTS):
        raise click.UsageError(f"--profanity is one of {', '.join(_TREATMENTS)} in this dialect")
    if asked.voice == "auto" and not _voices(asked):
        spoken = ", ".join(dict.fromkeys(voice.language for voice in PUBLISHED.voices.values()))
        raise click.UsageError(f"no voice is known that speaks {', '.join(asked.targets)}, only {spoken}: name one")


def _voices(asked: Asked) -> dict[str, str]:
    """Return the voice of each target: with `auto` one for each that has some, and else the named one for its own.

    In `speech-v1` one target alone is spoken.
    """
    if asked.voice is None:
        return {}
    if asked.voice != "auto":
        language = asked.voice.partition("-")[0].lower()
        own = (target for target in asked.targets if target.partition("-")[0].lower() == language)
        return {next(own, asked.targets[0]): asked.voice}
    known = {target: PUBLISHED.voices_for(PUBLISHED.resolve_target(target) or "") for target in asked.targets}
    found = {target: voices[0].id for target, voices in known.items() if voices}
    return dict(list(found.items())[:1]) if asked.dialect == V1 else found


def _target(asked: Asked, wish: Wish) -> str:
    """Return the request target: in `speech-v1` everything is in the query, in `speech-v2` in the context."""
    if asked.dialect != V1:
        return asked.path
    treatment = [] if wish.profanity is None else [("profanity", wish.profanity.lower())]
    voice = next(iter(wish.voices.values()), None)
    return build_target(
        asked.path, source=wish.source, targets=wish.targets, mode=wish.mode, voice=voice, joined=False, extra=treatment
    )


async def _run(asked: Asked, show: Show) -> ExitCode:
    mode = Mode(asked.mode or Mode.CONVERSATION.value)
    wish = Wish(asked.source, asked.targets, _voices(asked), mode, asked.profanity)
    connection_id = uuid.uuid4().hex
    headers = ((CONNECTION_ID, connection_id), *asked.headers, *asked.credentials)
    os_name = platform.system() or "unknown"
    system = System("speechwire", version("speechwire"), os_name, os_name, platform.release() or "unknown")
    session = ClientSession(
        asked.dialect,
        asked.stream,
        wish,
        system=system,
        connection_id=connection_id,
        ids=(uuid.uuid4().hex for _ in count()),
        stamp=_Clock(datetime.now(UTC), Link.now()).stamp,
        policy=ClientPolicy(speed=max(_FASTEST, asked.pace) if asked.pace else None),
    )
    return await _Run(Caller(asked, _target(asked, wish), headers), session, show).all(asked)


ADAPTER = Adapter(_RULES, _check, _run)


@dataclass(frozen=True, slots=True)
class _Clock:
    """Writes the loop's time in UTC: at the loop's time `loop` it was `utc`."""

    utc: datetime
    loop: float

    def stamp(self, time: float) -> str:
        """Return a time with seven digits behind the second (requirement speech.client.timestamp-form)."""
        return (self.utc + timedelta(seconds=time - self.loop)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


@dataclass
class _Run:
    """Carries out what the session says, on one link after the other.

    Attributes:
        turn: Who holds it talks to the session, and carries out the answer before anybody else does.
        ever: Whether there was a connection at all.
    """

    caller: Caller
    session: ClientSession
    show: Show
    link: Link | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    ever: bool = False
    trouble: bool = False
    over: Over | None = None

    async def all(self, asked: Asked) -> ExitCode:
        """Send everything and hear everything."""
        sending = asyncio.ensure_future(self._send(asked))
        try:
            async with self.turn:
                await self._carry_out(self.session.start())
            while self.over is None:
                event = await hear(self.link, self.session.next_deadline)
                async with self.turn:
                    await self._carry_out(self.session.receive(event))
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await self._hang_up()
        if not self.ever:
            self.show.failed(self.over.reason)
            raise CouldNotRun(self.over.reason)
        self.show.tell(Closed(self.over.code, self.over.reason, self.over.complete))
        return ExitCode.CONFORMING if self.over.complete and not self.trouble else ExitCode.VIOLATIONS

    async def _send(self, asked: Asked) -> None:
        async def give(samples: bytes) -> None:
            async with self.turn:
                await self._carry_out(self.session.audio(samples, Link.now()))

        await feed(asked.stream, asked.pcm, asked.pace, self.session.policy.chunk_ms, give)
        async with self.turn:
            await self._carry_out(self.session.finish(Link.now()))

    async def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Message() if self.link is not None:
                    await put(self.link, output)
                case Close(code, reason) if self.link is not None:
                    await self.link.close(code, reason)
                case Dial():
                    await self._carry_out(await self._dial())
                case Lost(code=code, reason=reason):
                    broke = self.link is not None
                    await self._hang_up()
                    self.show.note(f"the connection broke: {code} {reason}".rstrip() if broke else reason)
                case Over():
                    self.over = output
                case Heard() | Voice() | Failure() | Trouble():
                    self.trouble = self.trouble or _counts(output)
                    self.show.tell(_shown(output, self.session.wish.targets[0]))

    async def _dial(self) -> list[Output]:
        begun = Link.now()
        called = await self.caller.call()
        if isinstance(called, Failed):
            return self.session.failed(begun, Link.now(), called.word, called.reason, retry=called.retry)
        self.link, self.ever = called, True
        return self.session.opened(begun, Link.now())

    async def _hang_up(self) -> None:
        link, self.link = self.link, None
        if link is not None:
            await link.finish()


def _counts(event: Heard | Voice | Failure | Trouble) -> bool:
    """Tell whether an event is one of failure: what breaks a SHOULD is told, and no more."""
    if isinstance(event, Trouble):
        return requirements.get(event.violation.requirement).level is Level.MUST
    return isinstance(event, Failure)


def _shown(event: Heard | Voice | Failure | Trouble, first: str) -> Told:
    match event:
        case Heard(result=result):
            final = isinstance(result, Final)
            texts = {translation.language: translation.text for translation in result.translations}
            status = {"status": result.status} if isinstance(result, Final) and result.status != SUCCESS else {}
            first_text = _of(first, result.translations)
            said = result.text or ""
            return Result(final, event.id, said, first_text, event.offset, result.duration, texts, status)
        case Voice():
            return Voiced(event.id, event.file, {"language": event.language})
        case Failure():
            return Problem(f"the service failed: {event.reason or event.status}", {"status": event.status})
        case Trouble(violation=violation):
            return Problem(str(violation), {"requirement": violation.requirement})


def _of(language: str, translations: tuple[Translation, ...]) -> str:
    """Return the text in a language; services may answer `de` for `de-DE` (requirement speech.result.language-echo)."""
    exact = {translation.language.lower(): translation.text for translation in reversed(translations)}
    short = language.lower().partition("-")[0]
    return exact.get(language.lower(), exact.get(short, ""))
