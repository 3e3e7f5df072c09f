"""Ways to say the same thing, and the judgement that one of them is taken as well as another.

A way that gives no result proves nothing by itself: the server may give none at all. So each is judged beside a
control that differs from it in nothing but the property in question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from conformance.cases.context import Blocked, Context
from conformance.cases.speech.asking import Ask
from conformance.cases.speech.dialogue import Form, open_session, plain
from conformance.cases.speech.turn import Turn
from conformance.judge.verdict import Verdict
from protocol.websocket import ABNORMAL
from protocol.wire import PeerClosed

Hold = Callable[[Context], Awaitable[Turn]]
"""Holds a turn, from the connection on, up to its end or to where the server gave up."""

REFUSALS: Final = frozenset({"Error", "BadRequest", "Forbidden", "TooManyRequests", "ServiceUnavailable"})
"""Statuses of finals that answer nothing."""


async def reference(context: Context) -> Turn:
    """Hold a turn in the usual way: the shortest utterance of the run, as one shot."""
    return await one_turn(context)


async def one_turn(context: Context, ask: Ask | None = None, *, form: Form = plain, **how: Any) -> Turn:
    """Say the shortest utterance of the run in a turn of its own, wait for the turn's end, end the connection.

    Raises:
        Blocked: The connection was refused.
    """
    session = await open_session(context, ask, form=form, **how)
    turn = await session.begin()
    await turn.say()
    return await hung_up(turn)


async def hung_up(turn: Turn) -> Turn:
    """Wait for the end of a turn, then end the connection; return the turn."""
    await turn.finished()
    await turn.line.link.close()
    return turn


def served(turn: Turn) -> bool:
    """Tell whether a turn came to its end and gave a result."""
    if not turn.over:
        return False
    if "recognition" in turn.line.context.target.without:
        return any(final.status not in REFUSALS for final in turn.finals)
    return bool(turn.results)


def aborted(turn: Turn) -> bool:
    """Tell whether the server ended the connection without a close frame."""
    ended = turn.line.ended
    return isinstance(ended, PeerClosed) and ended.code == ABNORMAL


@dataclass(frozen=True, slots=True)
class Way:
    """One way to hold a turn.

    Attributes:
        what: What is special about it.
        requirements: What it shows, without the folder's name.
        hold: How it goes.
        control: What differs from it in nothing but that.
    """

    what: str
    requirements: tuple[str, ...]
    hold: Hold
    control: Hold = reference


async def need_reference(context: Context) -> None:
    """Hold a turn in the usual way, as the control of whatever is to be refused.

    Raises:
        Blocked: It gives no result.
    """
    turn = await reference(context)
    if not served(turn):
        raise Blocked(f"a good turn gives no result: {turn.state}")


async def accepted(context: Context, way: Way, milder: Verdict | None = None) -> Turn:
    """Judge whether a way to hold a turn is served; return the turn. `milder` is for a server that closes with a code.

    Raises:
        Blocked: It is not, but neither is the control.
    """
    turn = await way.hold(context)
    if served(turn):
        for requirement in way.requirements:
            context.kept(requirement)
        return turn
    other = await way.control(context)
    if not served(other):
        raise Blocked(f"neither {way.what} nor the control gives a result: {other.state}")
    verdict = milder if isinstance(turn.line.ended, PeerClosed) and not aborted(turn) else None
    for requirement in way.requirements:
        context.broken(requirement, f"a result for {way.what}, as without it", turn.state, verdict)
    return turn


async def each_accepted(context: Context, ways: Sequence[Way]) -> None:
    """Judge whether several ways are served, one by one.

    Raises:
        Blocked: One of them is not, and neither is its control; the others are judged all the same.
    """
    blocked: Blocked | None = None
    for way in ways:
        try:
            await accepted(context, way)
        except Blocked as reason:
            blocked = blocked or reason
    if blocked is not None:
        raise blocked


async def all_accepted(context: Context, together: Hold, ways: Sequence[Way]) -> None:
    """Judge whether several ways are served: all of them at once first, and one by one where that goes wrong.

    Raises:
        Blocked: As `each_accepted` does.
    """
    if not served(await together(context)):
        await each_accepted(context, ways)
        return
    for way in ways:
        for requirement in way.requirements:
            context.kept(requirement)
