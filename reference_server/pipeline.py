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
from dataclasses import replace
from typing import TypeVar

from protocol.audio import PcmFormat
from protocol.events import (
    Audio,
    AudioEnded,
    Begun,
    Blame,
    Commit,
    Drained,
    Fault,
    FromPipeline,
    Hypothesis,
    Phrase,
    Retarget,
    Silence,
    Span,
    Speak,
    Speech,
    Task,
)
from reference_server.endpointing import Ended, Endpointing, Found, Grown, Silent, Started
from reference_server.engines.base import Engine, EngineFailure, EngineSession, Job, Text
from reference_server.hearing import Hearing
from reference_server.policy import Limits
from reference_server.voice import mp3, wav

_logger = logging.getLogger("speechwire.server")

_T = TypeVar("_T")
Deliver = Callable[[FromPipeline], Awaitable[None]]
Order = Audio | AudioEnded | Retarget | Commit | Speak
"""What a pipeline is told, once it is there."""

_Heard = Audio | AudioEnded | Retarget | Commit  # in the order of the stream
_ENCODERS = {"wav": wav, "mp3": mp3}
_DEFECT = "the server failed"


class Pipeline:
    """What becomes of one stretch of audio; `start` it, and `stop` it whatever happened.

    Args:
        engine: What hears and speaks.
        pcm: The format of the audio.
        task: What is wanted of it.
        limits: Times and sizes.
        deliver: Takes the findings; none comes once the pipeline was told to drop everything.
        utterances: How many utterances the connection has had before; the engine counts on from there.
    """

    def __init__(
        self, engine: Engine, pcm: PcmFormat, task: Task, limits: Limits, deliver: Deliver, utterances: int = 0
    ) -> None:
        self.utterances = utterances
        self._engine = engine
        self._task = task
        self._targets = task.targets
        self._limits = limits
        self._deliver = deliver
        self._hearing = Hearing(pcm, Endpointing(task.silence_ms, task.longest_ms, task.growth_ms))
        self._orders: deque[_Heard] = deque()
        self._to_speak: deque[Speak] = deque()
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._buffered = 0
        self._most_buffered = int(limits.buffered_s * pcm.bytes_per_second)
        self._over = False
        self._work: asyncio.Task[None] | None = None

    # For the shell.

    @property
    def idle(self) -> bool:
        """Whether no work is left, now and for ever."""
        return self._work is not None and self._work.done()

    def start(self) -> None:
        """Begin to work."""
        self._work = asyncio.get_running_loop().create_task(self._run())

    def put(self, order: Order) -> None:
        """Take an order of the session. `AudioEnded` without flush drops everything at once."""
        if self._over:
            return
        if isinstance(order, AudioEnded) and not order.flush:
            self._drop()
            return
        if isinstance(order, Speak):
            self._to_speak.append(order)
        else:
            self._orders.append(order)
        if isinstance(order, Audio):
            self._buffered += len(order.data)
            if self._buffered > self._most_buffered:
                self._has_room.clear()
        self._changed.set()

    async def room(self) -> None:
        """Wait until there is room for more audio; at once when none is wanted any more."""
        await self._has_room.wait()

    async def stop(self) -> None:
        """Drop what is left and wait for the end of the work."""
        self._drop()
        if self._work is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._work

    def _drop(self) -> None:
        if self._over:
            return
        self._finish()
        # Called from within its own deliver(), the work ends by itself at its next step.
        if self._work is not None and self._work is not asyncio.current_task():
            self._work.cancel()

    def _finish(self) -> None:
        self._over = True
        self._orders.clear()
        self._to_speak.clear()
        self._has_room.set()

    # The work.

    async def _run(self) -> None:
        session: EngineSession | None = None
        try:
            session = self._engine.open(Job(self._task.source, self._task.targets, self._task.candidates))
            await self._listen(session)
        except EngineFailure as failure:
            await self._say(Fault(_now(), failure.code, failure.reason, failure.blame))
        except Exception:  # a defect of an engine or of ours must end this pipeline alone
            _logger.exception("a pipeline failed")
            await self._say(Fault(_now(), 1011, _DEFECT))
        finally:
            self._finish()
            if session is not None:
                await self._close(session)

    async def _listen(self, session: EngineSession) -> None:
        while not self._over:
            if self._to_speak:
                await self._speak(session)
            elif self._orders:
                await self._carry_out(self._orders.popleft(), session)
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _close(self, session: EngineSession) -> None:
        try:
            async with asyncio.timeout(self._limits.engine_s):
                await session.close()
        except Exception:  # the same
            _logger.exception("an engine did not close")

    async def _carry_out(self, order: _Heard, session: EngineSession) -> None:
        if isinstance(order, Audio):
            await self._audio(order.data, session)
        elif isinstance(order, Retarget):
            self._targets = order.targets
            session.retarget(order.targets)
        elif isinstance(order, Commit):
            await self._commit(order.token, session)
        else:
            if ended := self._hearing.endpointer.finish():
                await self._phrase(ended, session, last=True)
            await self._say(Drained(_now()))
            self._finish()

    async def _audio(self, data: bytes, session: EngineSession) -> None:
        size = max(2, int(self._limits.slice_s * self._hearing.format.bytes_per_second) & ~1)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            for found in self._hearing.feed(piece):
                if self._over:
                    return
                await self._found(found, session)
            self._buffered -= len(piece)
            if self._buffered <= self._most_buffered:
                self._has_room.set()
            await asyncio.sleep(0)

    async def _found(self, found: Found, session: EngineSession) -> None:
        if isinstance(found, Started):
            await self._say(Begun(_now(), found.start))
        elif isinstance(found, Grown):
            await self._hypothesis(found.span, session)
        elif isinstance(found, Silent):
            await self._say(Silence(_now(), found.size, found.end))
        else:
            await self._phrase(found, session)

    async def _hypothesis(self, span: Span, session: EngineSession) -> None:
        text = await self._ask(session.hypothesis(self._hearing.open(self.utterances, span)))
        if text is not None:
            texts = (text.recognition, text.translations, text.profanities)
            await self._say(Hypothesis(_now(), span, *texts, text.language, self._targets))

    async def _commit(self, token: str, session: EngineSession) -> None:
        if ended := self._hearing.endpointer.finish():
            await self._phrase(ended, session, commit=token)
        else:
            nothing = Text("", ("",) * len(self._targets))
            phrase = self._told(Span(self._hearing.endpointer.position, 0), nothing)
            await self._say(replace(phrase, commit=token))
            await self._speak(session)

    async def _phrase(
        self, found: Ended, session: EngineSession, *, commit: str | None = None, last: bool = False
    ) -> None:
        """Tell what was said, and carry out what the session wants to be spoken behind it."""
        text = await self._ask(session.phrase(self._hearing.whole(self.utterances, found)))
        self.utterances += 1
        await self._say(replace(self._told(found.span, text), commit=commit, last=last))
        await self._speak(session)

    def _told(self, span: Span, text: Text) -> Phrase:
        return Phrase(
            _now(),
            span,
            text.recognition,
            text.translations,
            text.profanities,
            language=text.language,
            targets=self._targets,
            failures=text.failures,
            status=text.status,
        )

    async def _speak(self, session: EngineSession) -> None:
        while self._to_speak:
            await self._say(await self._spoken(self._to_speak.popleft(), session))

    async def _spoken(self, order: Speak, session: EngineSession) -> Speech:
        """Return the answer to a `Speak`; a voice that fails spoils nothing else, unless a script wants it so."""
        voice = self._engine.catalogue.voices.get(order.voice)
        if voice is None:
            return Speech(_now(), b"", f"there is no voice '{order.voice}'")
        pieces = []
        try:
            pcm = await self._ask(session.speak(order.text, voice))
            for piece in _ENCODERS[order.encoding](pcm):
                pieces.append(piece)
                await asyncio.sleep(0)
        except EngineFailure as failure:
            if failure.blame is Blame.SCRIPT:
                raise
            return Speech(_now(), b"", failure.reason)
        except Exception:  # the same
            _logger.exception("a voice failed")
            return Speech(_now(), b"", _DEFECT)
        return Speech(_now(), b"".join(pieces))

    async def _say(self, result: FromPipeline) -> None:
        if not self._over:
            await self._deliver(result)

    async def _ask(self, answer: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._limits.engine_s):
                return await answer
        except TimeoutError:
            raise EngineFailure(1011, f"the engine did not answer within {self._limits.engine_s:g} s") from None


def _now() -> float:
    return asyncio.get_running_loop().time()
