"""The positive control of the speech dialects: one good turn, said and heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.control import Step
from conformance.cases.speech.asking import Ask, other_targets, speech_target, usual
from conformance.cases.speech.dialogue import Session
from conformance.cases.speech.dialogue import upgrade as ask_for
from conformance.cases.speech.hearing import open_or_refused
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import REFUSALS, hung_up
from conformance.judge.verdict import Verdict
from conformance.peers.budget import CLOSE, RESULT
from conformance.peers.link import Link
from protocol.wire import HttpResponse, PeerClosed

REQUIREMENT: Final = "speech.handshake.accept"
_START: Final = "speech.turn.start-first"
_FINAL: Final = "speech.result.final-always"
_END: Final = "speech.turn.end-last"
_ENOUGH: Final = 2


async def upgrade(context: Context) -> Link | HttpResponse:
    """Ask for a connection."""
    return await ask_for(context, speech_target(context))


async def converse(context: Context, link: Link) -> AsyncIterator[Step]:
    """Say a clear sentence, hear its final and the end of the turn, close."""
    session = Session(context, link, usual(context))
    await session.config()
    turn = await session.begin()
    await turn.say(context.target.corpus["clear-1"])
    begun = link.now()
    if not await turn.finished():
        yield _silent(turn)
        return
    context.budget.measured(RESULT, link.now() - begun)
    if not turn.finals:
        advice = "Every turn with speech needs a final before its turn.end; see the failure below."
        yield Step("final", False, f"the turn ended without a final: {turn.state}", advice, _FINAL, Verdict.VIOLATION)
        return
    final = turn.finals[0]
    yield Step("final", True, f"speech gives a final: {final.status} {final.text[:60]!r}")
    yield Step("turn", True, "the turn has an end")
    begun = link.now()
    ended = await link.close()
    if ended is None:
        advice = "The server has to answer a close frame with its own and then end the connection."
        yield Step("close", False, "the close is not answered", advice, "speech.close.answer", Verdict.VIOLATION)
        return
    context.budget.measured(CLOSE, link.now() - begun)
    yield Step("close", True, "the closing handshake is answered")
    others = await _others(context)
    says = f"translations go into {' and '.join(others)}, too" if others else "translations go into no other language"
    yield Step("targets", True, says, others=others)


async def _others(context: Context) -> tuple[str, ...]:
    """Return two languages beside the user's into which the server translates, or as many as it has.

    One is left out only where the server says that it has none of it: what answers wrongly is judged by the cases.
    """
    found: list[str] = []
    for tag in other_targets(context.target):
        if len(found) < _ENOUGH and not await _declines(context, usual(context, targets=(tag,))):
            found.append(tag)
    return tuple(found)


async def _declines(context: Context, ask: Ask) -> bool:
    """Tell whether a target is not offered: it is refused, or each final says that there is no translation."""
    try:
        session = await open_or_refused(context, ask)
    except Blocked:
        return False  # of an endpoint that is gone the cases will tell
    if isinstance(session, HttpResponse):
        return True
    turn = await session.begin()
    await turn.say(context.target.corpus["clear-1"])
    await hung_up(turn)
    if not turn.finals:
        return isinstance(session.ended, PeerClosed)
    return all(final.translation_status == "Error" or final.status in REFUSALS for final in turn.finals)


def _silent(turn: Turn) -> Step:
    """Say how far a turn came that has no end. The official SDKs hang on each of these."""
    if not turn.at("turn.start"):
        advice = "The server has to begin each turn with turn.start, with the client's X-RequestId byte for byte."
        return Step("turn", False, f"the turn did not begin: {turn.state}", advice, _START, Verdict.VIOLATION)
    if not turn.finals:
        advice = "The server has to send a final for what was said, at the latest at the end of the stream."
        return Step("final", False, f"no final came: {turn.state}", advice, _FINAL, Verdict.VIOLATION)
    advice = "The server has to end a turn with turn.end, at the latest behind the empty audio message."
    return Step("turn", False, f"the turn did not end: {turn.state}", advice, _END, Verdict.VIOLATION)
