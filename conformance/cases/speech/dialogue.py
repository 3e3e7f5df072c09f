"""How a case talks in the speech dialects: opens a connection, holds turns on it, hears what comes.

What the suite sends is itself legal: configuration first, a context and a RIFF header for each turn, chunks of 100 ms
in a burst or at a pace, telemetry behind each turn. What it sends wrong on purpose is marked as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.speech.asking import Ask, config_body, context_body, speech_target, usual
from conformance.cases.speech.reading import Heard, folded, heard
from conformance.cases.speech.turn import STREAM, Turn
from conformance.peers.budget import RESULT
from conformance.peers.link import Link, Received
from protocol.audio import PcmFormat
from protocol.speech.framing import UspMessage, write
from protocol.speech.handshake import CONNECTION_ID
from protocol.websocket import ABNORMAL, Unreadable
from protocol.wire import Headers, HttpResponse, Kind, PeerClosed

Form = Callable[[Kind, Headers, bytes], bytes]
"""How a message is written: from its headers and its body to the payload of a WebSocket message."""

Frames = Callable[[bytes], Sequence[bytes]]
"""Into which frames a message is cut."""

JSON: Final = "application/json; charset=utf-8"


def plain(kind: Kind, headers: Headers, body: bytes) -> bytes:
    """Write a message as the documents have it."""
    return write(UspMessage(kind, headers, body)).data


def whole(data: bytes) -> Sequence[bytes]:
    """Leave a message in one frame."""
    return (data,)


def new_id(context: Context) -> str:
    """Return an id of 32 hex digits that depends on the seed and the case alone."""
    return context.guid().replace("-", "")


async def upgrade(
    context: Context, target: str, headers: Headers | None = None, *, deliberate: str | None = None
) -> Link | HttpResponse:
    """Ask for a connection with the good credentials and a connection id, or with exactly these headers."""
    if headers is None:
        headers = (*context.target.credentials, (CONNECTION_ID, new_id(context)))
    return await context.dial(target, headers, deliberate=deliberate)


async def connect(
    context: Context,
    ask: Ask | None = None,
    *,
    headers: Headers | None = None,
    target: str | None = None,
    form: Form = plain,
    frames: Frames = whole,
) -> Session:
    """Make a connection that has to be accepted; nothing is said on it yet.

    `ask` decides what the query says, and is what turns ask for.

    Raises:
        Blocked: It was refused.
    """
    ask = usual(context) if ask is None else ask
    opened = await upgrade(context, speech_target(context, ask) if target is None else target, headers)
    if isinstance(opened, HttpResponse):
        raise Blocked(f"a good upgrade was refused with status {opened.status}")
    return Session(context, opened, ask, form, frames)


async def open_session(context: Context, ask: Ask | None = None, **how: Any) -> Session:
    """Make a connection, as `connect` does, and configure it."""
    session = await connect(context, ask, **how)
    await session.config()
    return session


@dataclass
class Session:
    """An open connection, and what has been heard on it.

    Attributes:
        ask: What turns ask for, if nothing else is said.
        form: How messages are written.
        frames: Into which frames they are cut.
        telemetry: Whether the end of a turn is answered with telemetry, as it should be.
        turns: By id, in the form of `reading.folded`.
        heard: Everything, in order.
        stray: What came with an id of no turn of ours.
        ended: How the server ended the connection, once it has.
        first: The id of the first turn, which the configuration has, too, as with one client.
    """

    context: Context
    link: Link
    ask: Ask
    form: Form = plain
    frames: Frames = whole
    telemetry: bool = True
    turns: dict[str, Turn] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    stray: list[Heard] = field(default_factory=list)
    ended: PeerClosed | Unreadable | None = None

    def __post_init__(self) -> None:
        self.first = new_id(self.context)
        self._begun = datetime.now(UTC), self.link.now()
        self._spoken = 0  # voices of finals

    # Sending.

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
        """Send a message in the session's form; without `identity` it has no request id. `headers` stand last."""
        own: list[tuple[str, str]] = [("Path", path)]
        if identity is not None:
            own.append(("X-RequestId", identity))
        own.append(("X-Timestamp", self.stamp(self.link.now())))
        if content_type is not None:
            own.append(("Content-Type", content_type))
        await self.raw(kind, self.form(kind, (*own, *headers), body), deliberate=deliberate)

    async def raw(self, kind: Kind, data: bytes, *, deliberate: str | None = None) -> None:
        """Send a WebSocket message with exactly this payload."""
        parts = self.frames(data)
        for index, part in enumerate(parts):
            first, final = index == 0, index == len(parts) - 1
            await self.link.frame(kind, part, first=first, final=final, deliberate=deliberate)

    async def json(
        self, path: str, identity: str | None, members: Mapping[str, Any], *, deliberate: str | None = None
    ) -> None:
        """Send a text message with a body of JSON."""
        body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
        await self.send(Kind.TEXT, path, identity, body, content_type=JSON, deliberate=deliberate)

    async def config(self, members: Mapping[str, Any] | None = None) -> None:
        """Send speech.config, the usual one or this one."""
        await self.json("speech.config", self.first, config_body(self.ask) if members is None else members)

    async def begin(
        self,
        ask: Ask | None = None,
        *,
        stream: PcmFormat = STREAM,
        context: bool = True,
        header: bool = True,
        identity: str | None = None,
        deliberate: str | None = None,
    ) -> Turn:
        """Begin a turn with its speech.context and its audio header; return it."""
        ask = self.ask if ask is None else ask
        turn = Turn(self, identity or (new_id(self.context) if self.turns else self.first), ask, stream)
        self.turns[folded(turn.id)] = turn
        if context:
            await self.json("speech.context", turn.id, context_body(ask), deliberate=deliberate)
        if header:
            await turn.header()
        return turn

    def stamp(self, time: float) -> str:
        """Return a time of the loop's clock as headers and telemetry write it, in UTC."""
        wall, begun = self._begun
        return f"{wall + timedelta(seconds=time - begun):%Y-%m-%dT%H:%M:%S.%f}0Z"

    # Hearing.

    async def hear(self, what: str, budget: float | None = None, due: float | None = None) -> bool:
        """Take in the next message; False when nothing came in time, or the connection ended. Times as for the link."""
        if self.ended is not None:
            return False
        answer = await self.link.answer(what, budget, due=due)
        if answer is None:
            return False
        if not isinstance(answer, Received):
            self.ended = answer
            return False
        message = heard(answer)
        self.heard.append(message)
        turn = self.turns.get(message.turn)
        if turn is None:
            self.stray.append(message)
            return True
        turn.heard.append(message)
        if message.is_voice_end and len(turn.voice_ends) <= len(turn.ask.targets) * len(turn.finals):
            self._spoken += 1
        if message.path == "turn.end" and not turn.over:
            turn.over = True
            self.link.barrier("turn.end")
            if self.telemetry:
                await self._report(turn)
        return True

    async def until(
        self,
        progress: Callable[[], int],
        count: int,
        what: str,
        *,
        budget: float | None = None,
        vain: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Take in messages until there is as much progress, at most `budget` seconds for each step of it.

        The voice of a final takes its time, and what is waited for may have to wait for it. What else is said does not
        make it wait any longer; it ends when the connection does, or in vain.
        """
        reached = progress()
        while reached < count:
            begun, usual_s = self.link.now(), self.context.budget.wait(RESULT)
            limit, spoken = begun + (usual_s if budget is None else budget), self._spoken
            while progress() == reached and self._spoken == spoken:
                if vain():
                    return False
                due = max(begun, limit - usual_s) if budget is None or budget >= usual_s else None
                if not await self.hear(what, max(0.0, limit - self.link.now()), due=due):
                    return progress() >= count
            self.context.budget.came(RESULT, self.link.now() - max(begun, self.link.sent_at))
            reached = progress()
        return True

    async def closed(self, what: str, budget: float | None = None) -> PeerClosed | None:
        """Wait for the server to end the connection; None when it does not in time."""
        await self.until(lambda: int(self.ended is not None), 1, what, budget=budget)
        return self.ended if isinstance(self.ended, PeerClosed) else None

    async def _report(self, turn: Turn) -> None:
        """Send the telemetry of a turn."""
        received: dict[str, list[str]] = {}
        for message in turn.heard:
            received.setdefault(message.message.path, []).append(self.stamp(message.time))
        metrics: list[dict[str, str]] = []
        if len(self.turns) == 1:
            times = {"Start": self.stamp(self._begun[1]), "End": self.stamp(self._begun[1])}
            metrics.append({"Name": "Connection", "Id": self.first, **times})
        if turn.streamed is not None:
            start, end = turn.streamed
            metrics.append({"Name": "Microphone", "Start": self.stamp(start), "End": self.stamp(end)})
        body = {"ReceivedMessages": [{path: times} for path, times in received.items()], "Metrics": metrics}
        await self.json("telemetry", turn.id, body)

    # Ending.

    async def close(self) -> None:
        """End the connection as a good client does."""
        await self.link.close()

    @property
    def end(self) -> str:
        """How the server ended the connection, for a person."""
        ended = self.ended
        if ended is None:
            return f"nothing more (waits are now {self.context.budget.wait(RESULT):.1f} s)"
        if not isinstance(ended, PeerClosed):
            return f"what cannot be read: {ended.reason}"
        if ended.code == ABNORMAL:
            return "the end of the connection without a close frame"
        return f"close {ended.code} {ended.reason!r}"
