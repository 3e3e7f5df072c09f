"""From audio to results: endpointing, recognition, translation, voice, one thing after another.

The session hands its orders over with `put`, which never waits; whoever reads the socket waits in `room` before
reading on, so that what is buffered stays bounded. Findings go back through `deliver`, which waits while the client
is slow. One session's work is cut into slices, between which every other session gets its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from protocol.audio import PcmFormat
from protocol.events import (
    Audio,
    AudioEnded,
    AudioStarted,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Silence,
    Span,
    Speech,
    ToPipeline,
)
from protocol.languages import Voice
from reference_server.endpointing import Ended, Endpointer, Endpointing, Found, Grown, Silent, Started
from reference_server.engines.base import Engine, EngineFailure, EngineSession, Job, Text, Utterance
from reference_server.policy import Limits
from reference_server.voice import Encoder

_logger = logging.getLogger("speechwire.server")

_T = TypeVar("_T")
Deliver = Callable[[FromPipeline], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text to be spoken: by which voice, and as what kind of file."""

    text: str
    voice: Voice
    encode: Encoder


@dataclass(frozen=True, slots=True)
class Plan:
    """What one session wants from its pipeline.

    Attributes:
        job: Languages, for the engine.
        endpointing: When utterances end; without growth there are no hypotheses.
        spoken: What has to be spoken behind a phrase, in order.
    """

    job: Job
    endpointing: Endpointing
    spoken: Callable[[Text], tuple[Spoken, ...]]


class Pipeline:
    """The pipeline of one session; `start` it, and `stop` it whatever happened."""

    def __init__(self, engine: Engine, plan: Plan, limits: Limits, deliver: Deliver) -> None:
        self._plan = plan
        self._limits = limits
        self._deliver = deliver
        self._engine: EngineSession = engine.open(plan.job)
        self._orders: deque[ToPipeline] = deque()
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._buffered = 0
        self._most_buffered = 0
        self._dropped = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._hearing: _Hearing | None = None

    # For the shell.

    def start(self) -> None:
        """Begin to work."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, order: ToPipeline) -> None:
        """Take an order of the session. `AudioEnded` without flush drops everything at once."""
        if isinstance(order, AudioEnded) and not order.flush:
            self._drop()
            return
        if isinstance(order, AudioStarted):
            self._most_buffered = int(self._limits.buffered_s * order.format.bytes_per_second)
        elif isinstance(order, Audio):
            self._buffered += len(order.data)
            if self._buffered > self._most_buffered:
                self._has_room.clear()
        self._orders.append(order)
        self._changed.set()

    async def room(self) -> None:
        """Wait until there is room for more audio; at once when none is wanted any more."""
        await self._has_room.wait()

    async def stop(self) -> None:
        """Drop what is left and wait for the end of the work."""
        self._drop()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._close_engine()  # also when the task was cancelled before its first step

    def _drop(self) -> None:
        if self._dropped:
            return
        self._dropped = True
        self._orders.clear()
        self._has_room.set()
        # Called from within its own deliver(), the task ends by itself at its next step.
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    # The work.

    async def _run(self) -> None:
        try:
            while not self._dropped:
                if self._orders:
                    await self._carry_out(self._orders.popleft())
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except EngineFailure as failure:
            await self._fail(failure)
        except Exception:  # a defect of an engine or of ours must end this session alone
            _logger.exception("a pipeline failed")
            await self._fail(EngineFailure(1011, "the server failed"))
        finally:
            await self._close_engine()

    async def _fail(self, failure: EngineFailure) -> None:
        if not self._dropped:
            await self._deliver(Fault(_now(), failure.code, failure.reason))

    async def _close_engine(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(self._limits.engine_s):
                await self._engine.close()
        except Exception:  # the same
            _logger.exception("an engine did not close")

    async def _carry_out(self, order: ToPipeline) -> None:
        if isinstance(order, AudioStarted):
            self._hearing = _Hearing(order.format, self._plan.endpointing)
        elif isinstance(order, Audio):
            await self._audio(order.data)
        else:
            if self._hearing is not None and (last := self._hearing.endpointer.finish()):
                await self._found(last, self._hearing)
            await self._say(Drained(_now()))
            self._dropped = True

    async def _audio(self, data: bytes) -> None:
        hearing = self._hearing
        if hearing is None:
            raise ValueError("audio came before its format")
        size = max(2, int(self._limits.slice_s * hearing.format.bytes_per_second) & ~1)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            for found in hearing.feed(piece):
                if self._dropped:
                    return
                await self._found(found, hearing)
            self._buffered -= len(piece)
            if self._buffered <= self._most_buffered:
                self._has_room.set()
            await asyncio.sleep(0)

    async def _found(self, found: Found, hearing: _Hearing) -> None:
        if isinstance(found, Started):
            hearing.utterances += 1
        elif isinstance(found, Grown):
            text = await self._ask(self._engine.hypothesis(hearing.utterance(found.span)))
            if text is not None:
                result = Hypothesis(_now(), found.span, text.recognition, text.translations, text.profanities)
                await self._say(result)
        elif isinstance(found, Silent):
            await self._say(Silence(_now(), found.size))
        else:
            await self._phrase(found, hearing)

    async def _phrase(self, found: Ended, hearing: _Hearing) -> None:
        text = await self._ask(self._engine.phrase(hearing.utterance(found.span)))
        await self._say(Phrase(_now(), found.span, text.recognition, text.translations, text.profanities))
        for spoken in self._plan.spoken(text):
            if self._dropped:
                return
            pcm = await self._ask(self._engine.speak(spoken.text, spoken.voice))
            pieces = []
            for piece in spoken.encode(pcm):
                pieces.append(piece)
                await asyncio.sleep(0)
            await self._say(Speech(_now(), b"".join(pieces)))

    async def _say(self, result: FromPipeline) -> None:
        if not self._dropped:
            await self._deliver(result)

    async def _ask(self, answer: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._limits.engine_s):
                return await answer
        except TimeoutError:
            raise EngineFailure(1011, f"the engine did not answer within {self._limits.engine_s:g} s") from None


class _Hearing:
    """What is known of a stream: its endpointer, and the samples that an utterance can still need."""

    def __init__(self, pcm: PcmFormat, endpointing: Endpointing) -> None:
        self.format = pcm
        self.endpointer = Endpointer(pcm, endpointing)
        self.utterances = 0
        self._kept = bytearray()
        self._kept_from = 0

    def feed(self, data: bytes) -> list[Found]:
        """Take audio; what a span of an earlier feed began with may be forgotten now."""
        self._forget(self.endpointer.needed_from)
        self._kept += data
        return self.endpointer.feed(data)

    def utterance(self, span: Span) -> Utterance:
        """Return the utterance that was started last, as far as `span` reaches."""
        start = span.start - self._kept_from
        return Utterance(self.utterances - 1, span, self.format, bytes(self._kept[start : start + span.size]))

    def _forget(self, position: int) -> None:
        del self._kept[: position - self._kept_from]
        self._kept_from = position


def _now() -> float:
    return asyncio.get_running_loop().time()
