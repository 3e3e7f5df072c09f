"""How a case talks `translator`: opens a session, speaks a recording, hears results.

What the suite sends is itself legal: a 16 kHz header, utterances of at most 5 s in one burst or at a pace, at least
2.5 s of silence behind each. What it sends wrong on purpose is marked as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from conformance.cases.context import Blocked, Context
from conformance.cases.utterances import samples
from conformance.corpus import Recording
from conformance.judge.reading import Seen
from conformance.judge.translator.reading import Result, read_result
from conformance.peers.budget import RESULT
from conformance.peers.link import Link, Received
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.translator.handshake import build_target
from protocol.websocket import ABNORMAL, Unreadable
from protocol.wire import Headers, HttpResponse, Kind, PeerClosed

STREAM = PcmFormat(16_000)
SILENCE_MS = 2600
CHUNK_MS = 100

KEY_HEADER, TOKEN_HEADER = "Ocp-Apim-Subscription-Key", "Authorization"


def speech_target(context: Context, features: Iterable[str] = (), **changes: object) -> str:
    """Return a good request target with these features; `changes` are arguments of `build_target`."""
    arguments: dict[str, object] = {
        "source": context.target.source,
        "target": context.target.target,
        "features": tuple(features),
    }
    if context.target.voice is not None and any(word.lower() == "texttospeech" for word in features):
        arguments["voice"] = context.target.voice
    return build_target(context.target.path, **{**arguments, **changes})  # type: ignore[arg-type]  # by name


async def upgrade(
    context: Context,
    target: str,
    headers: Headers | None = None,
    *,
    deliberate: str | None = None,
) -> Link | HttpResponse:
    """Ask for a session with the good credentials, or with exactly these headers."""
    trace = (("X-ClientTraceId", context.guid()),)
    given = context.target.credentials if headers is None else headers
    return await context.dial(target, (*given, *trace), deliberate=deliberate)


@dataclass
class Dialogue:
    """An open session, and what has been heard in it. Positions are bytes of audio behind the header."""

    context: Context
    link: Link
    format: PcmFormat = STREAM
    sent: int = 0
    results: list[Result] = field(default_factory=list)
    voices: list[Received] = field(default_factory=list)
    other: list[Received] = field(default_factory=list)
    ended: PeerClosed | Unreadable | None = None
    _finals: int = 0

    # Sending.

    async def header(self, data_size: int = 0) -> None:
        """Send the reference header in a message of its own."""
        await self.link.binary(build_header(self.format, data_size=data_size))

    async def pcm(
        self, pcm: bytes, pace: float | None = None, *, size: int | None = None, deliberate: str | None = None
    ) -> None:
        """Send samples in messages of 100 ms or of `size` bytes, at the pace of the run or at this one.

        Nothing is sent once the session is over.
        """
        size = self.format.ms_to_bytes(CHUNK_MS) if size is None else size
        begun = self.link.now()
        for at in range(0, len(pcm), size):
            if self.link.closed is not None:
                break
            await self.link.binary(pcm[at : at + size], deliberate=deliberate)
            await self.keep_pace(begun, at + size, pace)
        self.sent += len(pcm)

    async def keep_pace(self, begun: float, sent: int, pace: float | None = None) -> None:
        """Wait until so many bytes are due that were begun at a time, at the pace of the run or at this one."""
        speed = self.context.target.pace if pace is None else pace
        if speed:
            due = begun + sent / self.format.bytes_per_second / speed
            await asyncio.sleep(max(0.0, due - self.link.now()))

    async def say(self, recording: Recording, pace: float | None = None) -> None:
        """Send a recording and the silence that ends its last utterance."""
        await self.pcm(samples(recording, self.format.rate), pace)
        await self.pause(SILENCE_MS, pace)

    async def pause(self, milliseconds: int, pace: float | None = None) -> None:
        """Send silence."""
        await self.pcm(bytes(self.format.ms_to_bytes(milliseconds)), pace)

    # Hearing.

    @property
    def finals(self) -> list[Result]:
        """The finals heard so far."""
        return [result for result in self.results if result.final]

    @property
    def partials(self) -> list[Result]:
        """The partials heard so far."""
        return [result for result in self.results if not result.final]

    async def hear(self, what: str, budget: float | None = None, due: float | None = None) -> bool:
        """Take in the next message; False when nothing came in time, or the session ended. Times as for the link."""
        if self.ended is not None:
            return False
        answer = await self.link.answer(what, budget, due=due)
        if answer is None:
            return False
        if not isinstance(answer, Received):
            self.ended = answer
            return False
        if answer.kind is Kind.BINARY:
            self.voices.append(answer)
            return True
        seen = Seen(-1, -1, answer.started, answer.ended, answer.kind, answer.data, True, None)
        result = read_result(seen)
        if result is None:
            self.other.append(answer)
        else:
            self.results.append(result)
            self._finals += result.final
        return True

    async def final(self, count: int = 1, budget: float | None = None) -> bool:
        """Wait until `count` finals in all have come, at most `budget` seconds for each of them."""
        return await self._until(lambda: self._finals, count, f"final {count} of the session", budget)

    async def voice(self, count: int = 1) -> bool:
        """Wait until `count` voices in all have come."""
        return await self._until(lambda: len(self.voices), count, f"voice {count} of the session")

    async def _until(self, progress: Callable[[], int], count: int, what: str, budget: float | None = None) -> bool:
        """Take in messages until there is as much progress.

        The voice of a final takes its time, and what is waited for may have to wait for it. What else is said does not
        make it wait any longer.
        """
        reached = progress()
        while reached < count:
            begun, usual = self.link.now(), self.context.budget.wait(RESULT)
            limit, spoken = begun + (usual if budget is None else budget), self._spoken
            while progress() == reached and self._spoken == spoken:
                if not await self.hear(what, max(0.0, limit - self.link.now()), due=max(begun, limit - usual)):
                    return progress() >= count
            self.context.budget.came(RESULT, self.link.now() - max(begun, self.link.sent_at))
            reached = progress()
        return True

    @property
    def _spoken(self) -> int:
        return min(len(self.voices), self._finals)

    async def need_final(self, count: int = 1, budget: float | None = None) -> Result:
        """Wait for a final that the case cannot do without, as `final` does, and return the last of `count`."""
        if not await self.final(count, budget):
            raise Blocked(f"final {count} did not come: {self.state()}")
        return self.finals[count - 1]

    async def canary(self) -> bool:
        """Say a clear sentence and wait for its final: everything before it has then been said."""
        before = len(self.finals)
        await self.say(self.context.target.corpus["clear-1"])
        heard = await self.final(before + 1)
        if heard:
            self.link.barrier("the final of a canary utterance")
        return heard

    async def closed(self, what: str) -> PeerClosed | None:
        """Wait for the server to end the session; None when it does not in time."""
        await self._until(lambda: int(self.ended is not None), 1, what)
        return self.ended if isinstance(self.ended, PeerClosed) else None

    def state(self) -> str:
        """Return how things stand, for a person."""
        heard = f"{len(self.finals)} finals, {len(self.partials)} partials, {len(self.voices)} voices came"
        if isinstance(self.ended, PeerClosed) and self.ended.code == ABNORMAL:
            return f"{heard}; the server ended the connection without a close frame"
        if isinstance(self.ended, PeerClosed):
            return f"{heard}; the server closed with {self.ended.code} {self.ended.reason!r}"
        if self.ended is not None:
            return f"{heard}; then what cannot be read: {self.ended.reason}"
        waited = self.context.budget.wait(RESULT)
        return f"{heard}; then nothing (waits are now {waited:.1f} s)"

    async def close(self) -> None:
        """End the session as a good client does."""
        await self.link.close()


async def open_session(
    context: Context,
    features: Iterable[str] = (),
    *,
    header: bool = True,
    stream: PcmFormat = STREAM,
    headers: Headers | None = None,
    **changes: object,
) -> Dialogue:
    """Open a session that has to be accepted, and send the audio header.

    Raises:
        Blocked: It was refused.
    """
    opened = await upgrade(context, speech_target(context, features, **changes), headers)
    if isinstance(opened, HttpResponse):
        raise Blocked(f"a good upgrade was refused with status {opened.status}")
    dialogue = Dialogue(context, opened, stream)
    if header:
        await dialogue.header()
    return dialogue
