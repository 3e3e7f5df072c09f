"""The positive control of `translator`: one good session, said and heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from conformance.cases.context import Context
from conformance.cases.control import Step
from conformance.cases.translator.dialogue import SILENCE_MS, Dialogue, speech_target
from conformance.cases.translator.dialogue import upgrade as ask
from conformance.judge.verdict import Verdict
from conformance.peers.budget import CLOSE, RESULT
from conformance.peers.link import Link
from protocol.wire import HttpResponse

REQUIREMENT: Final = "translator.handshake.accept"
_FINAL: Final = "translator.endpoint.final-after-silence"


async def upgrade(context: Context) -> Link | HttpResponse:
    """Ask for a session with finals only."""
    return await ask(context, speech_target(context))


async def converse(context: Context, link: Link) -> AsyncIterator[Step]:
    """Say a clear sentence and 2.5 s of silence, hear its final, close."""
    dialogue = Dialogue(context, link)
    await dialogue.header()
    await dialogue.say(context.target.corpus["clear-1"])
    begun = link.now()
    if not await dialogue.final():
        if dialogue.ended is None:
            says = f"no final came for speech and {SILENCE_MS / 1000:.1f} s of silence: {dialogue.state()}"
        else:
            says = f"the session ended before a final: {dialogue.state()}"
        advice = "The server has to end an utterance by silence and send its final; see the failure below."
        # A burst proves nothing yet (the case endpoint.final-after-silence goes on at the pace of speech).
        verdict = Verdict.VIOLATION if context.target.pace == 1 else Verdict.COULD_NOT_RUN
        yield Step("final", False, says, advice, _FINAL, verdict)
        return
    context.budget.measured(RESULT, link.now() - begun)
    yield Step("final", True, f"speech gives a final: {dialogue.finals[0].recognition[:60]!r}")
    begun = link.now()
    ended = await link.close()
    if ended is None:
        advice = "The server has to answer a close frame with its own and then end the connection."
        yield Step("close", False, "the close is not answered", advice, "translator.close.echo", Verdict.VIOLATION)
        return
    context.budget.measured(CLOSE, link.now() - begun)
    yield Step("close", True, "the closing handshake is answered")
