"""One turn of a connection: its audio, and what came for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from conformance.cases.context import Blocked, Context
from conformance.cases.speech.asking import INTERACTIVE, Ask
from conformance.cases.speech.reading import Heard
from conformance.cases.utterances import briefest, samples, utterance
from conformance.corpus import Recording
from conformance.peers.link import Link
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.websocket import Unreadable
from protocol.wire import Headers, Kind, PeerClosed

STREAM: Final = PcmFormat(16_000)
SILENCE_MS: Final = 2600
CHUNK_MS: Final = 100
BURST_MS: Final = 200  # few messages, and smaller than what the documents allow
WAV: Final = "audio/x-wav"
"""Content-Type of audio that begins with a RIFF header."""

MOST_BYTES: Final = 8192
"""Largest chunk of audio that the documents allow."""

_MOMENT_S = 0.3  # the end of a one-shot turn comes together with its final, or only once the client ends the stream


class Line(Protocol):
    """What a turn needs of its connection (`dialogue.Session`)."""

    context: Context
    link: Link
    ended: PeerClosed | Unreadable | None

    async def send(
        self,
        kind: Kind,
        path: str,
        identity: str | None,
        body: bytes,
        *,
        content_type: str | None = None,
        headers: Headers = (),
        deliberate: str | None = None,
    ) -> None:
        """Send a message."""

    async def until(
        self,
        progress: Callable[[], int],
        count: int,
        what: str,
        *,
        budget: float | None = None,
        vain: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Take in messages until there is as much progress, or waiting is vain."""

    @property
    def end(self) -> str:
        """How the server ended the connection, for a person."""


@dataclass
class Turn:
    """A turn that was begun, and what has been heard of it.

    Attributes:
        id: Its request id, as it was sent.
        ask: What it asks for.
        format: Of its audio.
        sent: Bytes of audio behind the header.
        heard: Its messages, in order.
        over: Whether turn.end has come.
        ended: Whether the empty message was sent that ends the stream.
        streamed: When audio was first and last sent, by the loop's clock.
    """

    line: Line
    id: str
    ask: Ask
    format: PcmFormat = STREAM
    sent: int = 0
    heard: list[Heard] = field(default_factory=list)
    over: bool = False
    ended: bool = False
    streamed: tuple[float, float] | None = None

    # Sending.

    async def audio(
        self,
        data: bytes,
        *,
        content_type: str | None = None,
        headers: Headers = (),
        deliberate: str | None = None,
    ) -> None:
        """Send one message of audio with this payload."""
        now = self.line.link.now()
        self.streamed = (now if self.streamed is None else self.streamed[0], now)
        await self.line.send(
            Kind.BINARY, "audio", self.id, data, content_type=content_type, headers=headers, deliberate=deliberate
        )

    async def header(self, samples_behind: bytes = b"", *, deliberate: str | None = None) -> None:
        """Send the reference header, of unknown size, in a message of its own or with samples behind it."""
        await self.audio(build_header(self.format) + samples_behind, content_type=WAV, deliberate=deliberate)
        self.sent += len(samples_behind)

    async def pcm(
        self, pcm: bytes, pace: float | None = None, *, size: int | None = None, deliberate: str | None = None
    ) -> None:
        """Send samples in messages of 100 ms, 200 ms in a burst, or `size` bytes; at the pace of the run or this one.

        Nothing is sent once the turn or the connection is over.
        """
        line = self.line
        speed = line.context.target.pace if pace is None else pace
        if size is None:
            size = min(self.format.ms_to_bytes(CHUNK_MS if speed else BURST_MS), MOST_BYTES)
        begun = line.link.now()
        for at in range(0, len(pcm), size):
            if self.over or line.link.closed is not None:
                return
            await self.audio(pcm[at : at + size], deliberate=deliberate)
            self.sent += len(pcm[at : at + size])
            if speed:
                due = begun + (at + size) / self.format.bytes_per_second / speed
                await asyncio.sleep(max(0.0, due - line.link.now()))

    async def pause(self, milliseconds: int, pace: float | None = None) -> None:
        """Send silence."""
        await self.pcm(bytes(self.format.ms_to_bytes(milliseconds)), pace)

    async def say(self, recording: Recording | None = None, pace: float | None = None) -> None:
        """Send a recording, by default the shortest utterance of the run, and the silence that ends it."""
        corpus, rate = self.line.context.target.corpus, self.format.rate
        pcm = utterance(*briefest(corpus), rate=rate) if recording is None else samples(recording, rate)
        await self.pcm(pcm, pace)
        await self.pause(SILENCE_MS, pace)

    async def end(self) -> None:
        """End the stream with an empty message."""
        self.ended = True
        await self.audio(b"")

    # Hearing.

    @property
    def finals(self) -> list[Heard]:
        """The finals heard so far, whatever their status; plain ones only where there are no others."""
        return _asked(message for message in self.heard if message.is_final)

    @property
    def results(self) -> list[Heard]:
        """The finals heard so far in which something was recognised."""
        return [message for message in self.finals if message.status == "Success" and message.text]

    @property
    def interims(self) -> list[Heard]:
        """The hypotheses heard so far."""
        return _asked(message for message in self.heard if message.is_interim)

    @property
    def voice(self) -> bytes:
        """The audio of all voices heard so far, joined."""
        return b"".join(message.message.body for message in self.heard if message.is_chunk)

    @property
    def voice_ends(self) -> list[Heard]:
        """The ends of voices heard so far."""
        return [message for message in self.heard if message.is_voice_end]

    def at(self, *paths: str) -> list[Heard]:
        """Return the messages heard so far that have one of these paths, compared without case."""
        wanted = {path.lower() for path in paths}
        return [message for message in self.heard if message.path in wanted]

    async def final(self, count: int = 1, budget: float | None = None) -> bool:
        """Wait until `count` finals in all have come; False when they do not in time, or the turn ends first."""
        what = f"final {count} of the turn"
        return await self.line.until(lambda: len(self.finals), count, what, budget=budget, vain=lambda: self.over)

    async def until(self, count: int, *paths: str, budget: float | None = None) -> bool:
        """Wait until `count` messages of these paths have come; False as for `final`."""
        return await self.line.until(
            lambda: len(self.at(*paths)), count, f"{paths[0]} {count}", budget=budget, vain=lambda: self.over
        )

    async def finished(self, budget: float | None = None) -> bool:
        """Wait for turn.end; the stream is ended for it where the turn does not end by itself."""
        if not self.ended:
            if self.ask.mode is INTERACTIVE and await self.final(budget=budget):
                await self._end_comes(_MOMENT_S)
            if not self.over:
                await self.end()
        return await self._end_comes(budget)

    async def ends(self, budget: float | None = None) -> bool:
        """Wait for turn.end, doing nothing for it."""
        return await self._end_comes(budget)

    async def _end_comes(self, budget: float | None) -> bool:
        return await self.line.until(lambda: int(self.over), 1, "turn.end", budget=budget)

    async def need_final(self, count: int = 1) -> Heard:
        """Wait for a final that the case cannot do without, and return the last of `count`."""
        if not await self.final(count):
            raise Blocked(f"final {count} did not come: {self.state}")
        return self.finals[count - 1]

    async def need_end(self) -> None:
        """Wait for a turn.end that the case cannot do without."""
        if not await self.finished():
            raise Blocked(f"turn.end did not come: {self.state}")

    @property
    def state(self) -> str:
        """How things stand, for a person."""
        came = f"{_counted(message.message.path for message in self.heard) or 'no message of the turn'} came"
        return came if self.over and self.line.ended is None else f"{came}; then {self.line.end}"


def _asked(results: Iterable[Heard]) -> list[Heard]:
    """Leave out plain results beside those of a translation; that they came at all is judged on the wire."""
    found = list(results)
    return [message for message in found if not message.path.startswith("speech.")] or found


def _counted(paths: Iterable[str]) -> str:
    """Return paths in the order of their first coming, with their number where there are several."""
    counts: dict[str, int] = {}
    for path in paths:
        counts[path] = counts.get(path, 0) + 1
    return ", ".join(path if count == 1 else f"{count} {path}" for path, count in counts.items())
