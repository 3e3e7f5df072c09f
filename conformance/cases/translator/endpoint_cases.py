"""Where utterances end (translator.endpoint.*)."""

from __future__ import annotations

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, open_session
from conformance.cases.translator.streams import TIMING, live, need_reference, seconds, silence, timing_of
from conformance.cases.utterances import briefest, recording, utterance
from conformance.judge.verdict import Verdict

_DOCUMENTED_MS = 2500
_SHORT_MS = 1000
_LONGEST_S = 30.0
_ENDLESS_S = 33.0
_TOLERANCE_S = 0.5


@case("endpoint.final-after-silence", "endpoint.final-after-silence", time="waits")
async def final_after_silence(context: Context) -> None:
    """Speak, send 2.5 s of silence and nothing more; where a burst of that gives no final, at the pace of speech."""
    requirement = "endpoint.final-after-silence"
    pcm = utterance(*briefest(context.target.corpus))
    dialogue = await open_session(context)
    await dialogue.pcm(pcm + silence(_DOCUMENTED_MS))
    if await dialogue.final():
        context.kept(requirement)
        return
    state = dialogue.state()
    await dialogue.close()
    spoken = await open_session(context)
    expected = f"a final for speech and {_DOCUMENTED_MS} ms of silence"
    if await live(spoken, pcm, silence_ms=_DOCUMENTED_MS):
        context.broken(requirement, f"{expected} in a burst too", state, Verdict.NON_STRICT)
    else:
        context.broken(requirement, expected, f"at the pace of speech: {spoken.state()}", Verdict.VIOLATION)


@case("endpoint.one-second", "endpoint.one-second")
async def one_second(context: Context) -> None:
    """Speak and send one second of silence; with more silence the final has to come at all events."""
    dialogue = await open_session(context)
    await dialogue.pcm(utterance(*briefest(context.target.corpus)) + silence(_SHORT_MS))
    if await dialogue.final():
        context.kept("endpoint.one-second")
        await dialogue.link.close(deliberate="translator.client.silence")
        return
    state = dialogue.state()
    await dialogue.pcm(silence(SILENCE_MS))
    if not await dialogue.final():
        raise Blocked(f"no final came with more silence either: {dialogue.state()}")
    context.broken("endpoint.one-second", f"a final after {_SHORT_MS} ms of silence", state)


@case("endpoint.pause-separates", "endpoint.pause-separates")
async def pause_separates(context: Context) -> None:
    """Say two sentences with a pause between them: each gets its final."""
    dialogue = await open_session(context)
    await dialogue.say(recording(context, "pair"))
    if await dialogue.final(2):
        context.kept("endpoint.pause-separates")
        return
    if not dialogue.finals:
        await dialogue.close()
        await need_reference(context)
    context.broken("endpoint.pause-separates", "two finals for two sentences with a pause", dialogue.state())


@case("endpoint.max-utterance", "endpoint.max-utterance", needs=("timing",))
async def max_utterance(context: Context) -> None:
    """Speak for 33 s without a pause: the first final covers 30 s at the most."""
    once = utterance(recording(context, "numbers"), lead_ms=0)
    times = int(_ENDLESS_S * STREAM.bytes_per_second / len(once)) + 1
    dialogue = await open_session(context, (TIMING,))
    await dialogue.pcm(once * times + silence(SILENCE_MS))
    await dialogue.need_final(budget=context.budget.patience(round(_ENDLESS_S * 1000)))
    covered = seconds(timing_of(dialogue, 0).size_ticks)
    expected = f"a first final of at most {_LONGEST_S:.0f} s"
    context.check("endpoint.max-utterance", covered <= _LONGEST_S + _TOLERANCE_S, expected, f"one of {covered:.1f} s")
