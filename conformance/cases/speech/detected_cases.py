"""Where speech begins and ends (speech.detected.*); what these messages have to look like is judged on the wire."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, INTERACTIVE, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import LOOSE_S, answers, need_results, starts_at
from conformance.cases.speech.turn import Turn
from conformance.cases.utterances import recording
from protocol.audio import TICKS_PER_SECOND

_LEAD_MS: Final = 1500


@case("detected.behind-silence", "detected.start-order", "detected.start-positive", "detected.end-order")
async def behind_silence(context: Context) -> None:
    """Be silent, then speak, as one shot and in a conversation: the start of the speech is told before any text."""
    for mode in (INTERACTIVE, CONVERSATION):
        session = await open_session(context, usual(context, mode=mode))
        turn = await session.begin()
        await turn.pause(_LEAD_MS)
        await turn.say(recording(context, "clear-1"))
        await turn.finished()
        await session.close()
        need_results(turn)
        _judge(context, turn)


def _judge(context: Context, turn: Turn) -> None:
    order = [message.path for message in turn.heard]
    starts, ends = turn.at("speech.startDetected"), turn.at("speech.endDetected")
    first = min(turn.heard.index(message) for message in (*turn.interims[:1], *answers(turn)[:1]))
    early = bool(starts) and turn.heard.index(starts[0]) < first
    expected = "speech.startDetected before the first result with a text"
    context.check("detected.start-order", early, expected, ", ".join(order[: first + 1]))
    if starts and starts[0].offset is not None and "timing" not in context.target.without:
        told, found = starts[0].offset / TICKS_PER_SECOND, starts_at(answers(turn)[0])
        good = 0 < told <= found + LOOSE_S
        expected = f"an Offset above 0 and up to that of the result, {found:.2f} s"
        context.check("detected.start-positive", good, expected, f"{told:.2f} s")
    if ends:
        behind = not starts or turn.heard.index(ends[0]) > turn.heard.index(starts[0])
        within = order.index("turn.end") > turn.heard.index(ends[0]) if turn.over else True
        expected = "speech.endDetected behind speech.startDetected and before turn.end"
        context.check("detected.end-order", behind and within, expected, ", ".join(order))
