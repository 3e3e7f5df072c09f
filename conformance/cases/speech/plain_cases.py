"""Recognition without a translation on the paths of v2 (speech.plain.*)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, INTERACTIVE, Ask, speech_target, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import Turn
from conformance.cases.speech.ways import need_reference, served
from conformance.cases.utterances import recording
from protocol.speech.messages import V2

_MEMBERS: Final = frozenset({"RecognitionStatus", "DisplayText", "Offset", "Duration"})
_DETAILED: Final = {"phraseOutput": {"format": "Detailed"}}


async def _hold(context: Context, ask: Ask, form: str) -> Turn:
    """Say a sentence, as a client does that only wants to have it written down; return the turn.

    Raises:
        Blocked: A translation gives no result, either.
    """
    extra = (("language", context.target.source), ("format", form))
    session = await open_session(context, ask, target=speech_target(context, ask, extra=extra))
    turn = await session.begin()
    await turn.say(recording(context, "clear-1"))
    await turn.finished()
    await session.close()
    if not turn.over:
        await need_reference(context)
    return turn


def _named(found: list[Heard]) -> str:
    return ", ".join(f"{message.path} of {', '.join(message.members)}" for message in found)


@case("plain.recognition", "plain.phrase", "plain.hypothesis", dialects=(V2,), needs=("plain", "recognition"))
async def recognition(context: Context) -> None:
    """Ask for no translation, as one shot and in a conversation: the answers are speech.hypothesis and speech.phrase."""
    for mode in (INTERACTIVE, CONVERSATION):
        turn = await _hold(context, usual(context, targets=(), mode=mode), "simple")
        phrases = turn.at("speech.phrase")
        told = [phrase for phrase in phrases if phrase.status == "Success" and phrase.text]
        whole = bool(told) and all(phrase.members.keys() >= _MEMBERS for phrase in told)
        expected = f"speech.phrase with {', '.join(sorted(_MEMBERS))}"
        context.check("plain.phrase", whole, expected, _named(turn.finals) or turn.state)
        if turn.interims:
            other = [message for message in turn.interims if message.path != "speech.hypothesis"]
            context.check("plain.hypothesis", not other, "speech.hypothesis", _named(other))


@case("plain.detailed", "plain.detailed", dialects=(V2,), needs=("plain", "detailed", "recognition"))
async def detailed(context: Context) -> None:
    """Ask for no translation and for the detailed form: the phrase has NBest at top level."""
    turn = await _hold(context, usual(context, targets=(), members=_DETAILED), "detailed")
    if not served(turn):
        raise Blocked(f"nothing was recognised: {turn.state}")
    entries = turn.finals[0].members.get("NBest")
    kept = isinstance(entries, list) and bool(entries)
    context.check("plain.detailed", kept, "NBest beside RecognitionStatus", ", ".join(turn.finals[0].members))
