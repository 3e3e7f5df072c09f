"""Plays a program against a server, and says how far it got; what that means is said elsewhere (`outcome`)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from conformance.cases.context import Blocked, Busy, Context
from conformance.peers.budget import CLOSE as CLOSED
from conformance.peers.budget import RESULT
from conformance.peers.link import Link, Received
from conformance.programs.program import AWAIT, CLOSE, FINAL, PAUSE, PING, TURN_END, VOICE, Program, Step
from conformance.programs.sending import Side, Speaker
from conformance.programs.sounds import STREAM
from conformance.transcript import Transcript
from protocol.wire import HttpResponse

REACTION: Final = "a reaction"
"""What is waited for behind a mistake; that it does not come says nothing by itself."""

_REACTION_S: Final = 1.0
_SPEED: Final = 2.0  # as fast as servers have to hear what was sent before
_MOMENT_S: Final = 0.005
_WHAT: Final = {TURN_END: "the end of a turn", FINAL: "a final", VOICE: "a voice"}
"""In other words than those by which the judge of the wire knows what a case waits for: here blame is found out."""

_PING: Final = b"speechwire"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a program.

    Attributes:
        program: The program.
        transcripts: What was seen of each connection, in the order of the program's talks.
        stopped: For each connection the number of the step at which it did not go on: the server had refused or ended
            it, or what the step waits for did not come; None where everything went through.
        said: For each connection what was said on it.
        spans: For each step which entries of its connection's transcript were made by it: the first, and one behind
            the last.
    """

    program: Program
    transcripts: tuple[Transcript, ...]
    stopped: tuple[int | None, ...]
    said: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[int, int], ...]


class _Talk:
    """One connection while it is played."""

    def __init__(self, side: Side, link: Link | None, recorded: int) -> None:
        self.side = side
        self.link = link
        self.recorded = recorded
        self.stopped: int | None = None
        self.sent = 0


async def play(program: Program, speaker: Speaker, context: Context, identity: str, wall: float) -> Played:
    """Play a program.

    Args:
        program: The program.
        speaker: Makes its connections.
        context: Of its own, which opens connections and records them.
        identity: A text that no other play of the run has; ids follow from it.
        wall: The seconds since 1970 at which it begins.

    Raises:
        Busy: The server says that it has too much to do, and goes on saying so.
    """
    begun = Link.now()
    talks: list[_Talk] = []
    spans: list[tuple[int, int]] = []
    try:
        for number, asked in enumerate(program.talks):
            side = speaker.side(asked, f"{identity}/{number}")
            opened = await _opened(context, side)
            talks.append(_Talk(side, opened, len(context.recorders) - 1))
        for number, step in enumerate(program.steps):
            talk = talks[step.talk]
            entries = context.recorders[talk.recorded].entries
            before = len(entries)
            if talk.stopped is None and not await _take(step, talk, context, wall + Link.now() - begun):
                talk.stopped = number
            spans.append((before, len(entries)))
    finally:
        await context.leave()
    return Played(
        program,
        tuple(context.recorders[talk.recorded].transcript() for talk in talks),
        tuple(talk.stopped for talk in talks),
        tuple(tuple(talk.side.texts) for talk in talks),
        tuple(spans),
    )


async def _opened(context: Context, side: Side) -> Link | None:
    target, headers = side.request()
    try:
        opened = await context.dial(target, headers)
    except Busy:
        raise
    except Blocked:
        return None
    return None if isinstance(opened, HttpResponse) else opened


async def _take(step: Step, talk: _Talk, context: Context, wall: float) -> bool:
    """Take one step; return whether the connection can go on."""
    if talk.link is None:
        return False
    if step.does == AWAIT:
        return await _awaited(step, talk, talk.link, context)
    if step.does == PING:
        # A pong may be on its way before a message is judged that came with the ping.
        await asyncio.sleep(_MOMENT_S)
        return talk.link.closed is None and await talk.link.ping(_PING)
    if step.does == PAUSE:
        await asyncio.sleep(step.count / 1000)
        return True
    if step.does == CLOSE:
        await talk.link.close()
        return True
    # Into what the server has ended nothing is sent; a later wait shows whether that was right.
    for message in talk.side.messages(step, wall):
        last = len(message.parts) - 1
        for index, part in enumerate(message.parts):
            await talk.link.frame(
                message.kind, part, first=index == 0, final=index == last, deliberate=message.deliberate
            )
        talk.sent += sum(len(part) for part in message.parts)
    if step.wrong:
        await _react(talk, talk.link, context)
    return True


async def _react(talk: _Talk, link: Link, context: Context) -> None:
    """Give the server the time to answer a mistake: who sends into what it has closed may lose its close frame."""
    seconds = max(_REACTION_S, context.budget.wait(CLOSED))
    until = Link.now() + seconds + talk.sent / STREAM.bytes_per_second / _SPEED
    while link.closed is None and (left := until - Link.now()) > 0:
        # Never for as long as a result is waited for: a server that goes on has kept nobody waiting.
        answer = await link.answer(REACTION, min(left, context.budget.wait(RESULT) / 2))
        if isinstance(answer, Received):
            talk.side.hear(answer)


async def _awaited(step: Step, talk: _Talk, link: Link, context: Context) -> bool:
    """Wait for something of the server, at most as long as the run allows, from when it said something last."""
    patience = context.budget.patience(talk.sent * 1000 // STREAM.bytes_per_second)
    while not talk.side.came(step):
        if talk.side.in_vain(step):
            return False
        answer = await link.answer(f"{_WHAT[step.what]}, number {step.count}", patience)
        if not isinstance(answer, Received):
            return False
        context.budget.came(RESULT, max(0.0, answer.ended - link.sent_at))
        talk.side.hear(answer)
    if step.what == TURN_END:
        link.barrier("turn.end")
    return True
