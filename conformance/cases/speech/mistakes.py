"""Messages with one mistake, and what a server makes of them.

Each is sent within a good turn, which then goes on. So a server that skips the message shows that by serving the turn,
and nobody has to wait for what does not come.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.speech.dialogue import Session, open_session
from conformance.cases.speech.turn import STREAM, Turn
from conformance.cases.speech.ways import aborted, served
from protocol.wire import Headers, Kind, PeerClosed

ISOLATED: Final = "malformed.isolated"
_REACTION_S: Final = 0.25
_CHUNK: Final = bytes(STREAM.ms_to_bytes(100))
_REPORT: Final = b'{"ReceivedMessages":[],"Metrics":[]}'

Send = Callable[[Session, Turn], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        requirement: What says how it is answered, without the folder's name.
        what: The message, for a person.
        codes: The close codes of a right answer; none where every code is right.
        send: Sends the message on an open turn.
        passes: Whether a server that serves the turn nevertheless is right, too.
    """

    requirement: str
    what: str
    codes: Collection[int]
    send: Send
    passes: bool = False

    @property
    def expected(self) -> str:
        """What is expected, for a person."""
        answer = f"close {' or '.join(map(str, self.codes))}" if self.codes else "a close"
        return f"{answer} for {self.what}{', or a turn that goes on' if self.passes else ''}"


def fields(session: Session, path: str, identity: str) -> Headers:
    """Return the headers of a good message."""
    return (("Path", path), ("X-RequestId", identity), ("X-Timestamp", session.stamp(session.link.now())))


def block(headers: Headers) -> bytes:
    """Return the header block of a message, without the empty line."""
    return "".join(f"{name}:{value}\r\n" for name, value in headers).encode()


def as_text(head: bytes, body: bytes = _REPORT) -> bytes:
    """Return a text message of a header block and a body."""
    return head + b"\r\n" + body


def as_binary(head: bytes, payload: bytes = _CHUNK, size: int | None = None) -> bytes:
    """Return a binary message of a header block, with its true size or this one, and a payload."""
    return (len(head) if size is None else size).to_bytes(2, "big") + head + payload


async def good_messages(session: Session, turn: Turn) -> None:
    """Send what the mistakes are mistakes in: telemetry, a chunk of silence, an event, a message of no known path."""
    await session.raw(Kind.TEXT, as_text(block(fields(session, "telemetry", turn.id))))
    await turn.pcm(_CHUNK)
    languages = {"id": "translation", "name": "updateLanguage", "to": list(turn.ask.targets)}  # the same ones
    note = json.dumps(languages).encode()
    await session.raw(Kind.TEXT, as_text(block(fields(session, "event", turn.id)), note))


async def judge(context: Context, mistakes: Sequence[Mistake]) -> None:
    """Make each mistake on a connection of its own; judge the answer, and that a connection beside does not notice.

    Raises:
        Blocked: The connection beside them, on which everything is good, is not served, and neither is one alone.
    """
    beside = await open_session(context)
    turn = await beside.begin()
    await good_messages(beside, turn)
    made = [(mistake, *await _make(context, mistake)) for mistake in mistakes]
    await turn.say()
    await turn.finished()
    well = served(turn)
    await beside.close()
    if not well and not served(await _alone(context)):
        raise Blocked(f"a good turn gives no result: {turn.state}")
    context.check(ISOLATED, well, "a result on the connection beside the malformed messages", turn.state)
    for mistake, wrong, ended in made:
        right = ended is not None and (not mistake.codes or ended.code in mistake.codes)
        right = right or (mistake.passes and served(wrong))
        context.check(mistake.requirement, right, mistake.expected, wrong.state)
        expected = f"a close with a code for {mistake.what}, or a turn that goes on"
        context.check(ISOLATED, wrong.over or ended is not None, expected, wrong.state)


async def _alone(context: Context) -> Turn:
    session = await open_session(context)
    turn = await session.begin()
    await good_messages(session, turn)
    await turn.say()
    await turn.finished()
    await session.close()
    return turn


async def outcome(turn: Turn) -> PeerClosed | None:
    """Go on with a turn on which something wrong was sent; return the close frame that came for it, if one did."""
    line = turn.line
    # Who goes on sending into a connection that the other side has closed may lose the close frame.
    await line.until(lambda: int(line.ended is not None), 1, "a reaction", budget=_REACTION_S)
    if line.ended is None:
        await turn.say()
        await turn.finished()
    await line.link.close()
    return line.ended if isinstance(line.ended, PeerClosed) and not aborted(turn) else None


async def _make(context: Context, mistake: Mistake) -> tuple[Turn, PeerClosed | None]:
    """Make a mistake on a connection of its own; return its turn, and the close frame that came for it."""
    session = await open_session(context)
    turn = await session.begin()
    await mistake.send(session, turn)
    return turn, await outcome(turn)
