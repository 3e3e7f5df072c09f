"""Silence of every length, before speech, behind it and alone; noise; and speech that does not end.

Silence counts in audio, so it is sent in bursts. A server has to keep up with twice real time, and is waited for as
long as that takes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, DICTATION, INTERACTIVE, usual
from conformance.cases.speech.dialogue import Session, open_session
from conformance.cases.speech.hearing import (
    ACKNOWLEDGEMENT,
    LOOSE_S,
    answers,
    hear,
    judge_beside_turns,
    near,
    need_results,
    need_turns,
    silence,
    spoken_for,
    starts_at,
)
from conformance.cases.speech.turn import STREAM, Turn
from conformance.cases.speech.ways import served
from conformance.cases.utterances import recording, samples
from conformance.peers.budget import RESULT
from protocol.audio import TICKS_PER_SECOND

_GIVEN_UP: Final = "initialsilencetimeout"
_LEAD_MS: Final = 1_500
_FIRST_MS: Final = 6_000
_REST_MS: Final = 39_000  # 45 s in all: as much as both official clients send within 20 s
_SILENCE_MS: Final = 16_000  # 15.4 s at the most
_SHORTEST_S: Final = 10.5
_SHORT_MS: Final = 5_000
_LONG_MS: Final = 36_000
_MORE_MS: Final = 29_000
_LONGEST_S: Final = 35.0
_UNACKNOWLEDGED_S: Final = 60.0


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
        _judge_start(context, turn)


def _judge_start(context: Context, turn: Turn) -> None:
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


async def _next_turn(context: Context, session: Session) -> None:
    """Say something in the next turn of the connection, and judge that this is served."""
    turn = await session.begin(usual(context, mode=INTERACTIVE))
    await turn.say()
    await turn.finished()
    expected = "a result in the turn that follows a silence"
    await judge_beside_turns(context, "turn.several", served(turn), expected, turn.state)


@case("status.initial-silence", "status.initial-silence", "turn.one-shot-final", "turn.several", time="waits")
async def initial_silence(context: Context) -> None:
    """Say nothing in a one-shot turn whose stream does not end: it ends by itself, with one final; then speak."""
    session = await open_session(context)
    turn = await session.begin()
    await turn.pcm(silence(_FIRST_MS), pace=0)
    # Shorter than a wait for something that is due: whoever takes longer to give up gets more silence.
    if not await turn.final(budget=context.budget.wait(RESULT) / 2):
        await turn.pcm(silence(_REST_MS), pace=0)
        await turn.final(budget=context.budget.patience(_REST_MS))
    ended = turn.over or (bool(turn.finals) and await turn.ends())
    statuses = [final.status for final in turn.finals if final.status != ACKNOWLEDGEMENT]
    expected = "a final InitialSilenceTimeout and turn.end while nothing is said"
    if ended and not statuses:
        context.broken("turn.one-shot-final", "one final", turn.state)
        return
    kept = ended and _GIVEN_UP in map(str.lower, statuses)  # how it is spelled is judged on the wire
    context.check("status.initial-silence", kept, expected, f"{', '.join(statuses) or 'no final'}; {turn.state}")
    if ended:
        context.check("turn.one-shot-final", len(statuses) == 1, "one final", ", ".join(statuses))
        await _next_turn(context, session)


@case(
    "status.long-silence",
    "status.silence-phrase",
    "status.silence-offset",
    "detected.end-silence",
    "turn.several",
    time="waits",
)
async def long_silence(context: Context) -> None:
    """Be silent for 16 s behind a sentence, then for 16 s in a turn of its own: a final covers each; then speak."""
    for mode in (CONVERSATION, DICTATION):
        session = await open_session(context, usual(context, mode=mode))
        for speaks in (True, False):
            turn = await session.begin()
            if speaks:
                await turn.say()
                if not await hear(turn):
                    raise Blocked(f"speech gives no result: {turn.state}")
            if not await _silent(context, turn):
                return
        await _next_turn(context, session)
        await session.close()


async def _silent(context: Context, turn: Turn) -> bool:
    """Be silent for long enough, and judge how that ends the turn; tell whether it did."""
    before, since = len(turn.finals), max((final.covered for final in turn.finals), default=0) / TICKS_PER_SECOND
    await turn.pcm(silence(_SILENCE_MS), pace=0)
    ended = await turn.ends(budget=context.budget.patience(_SILENCE_MS))
    quiet = turn.finals[before:]
    if ended and before and not quiet:
        return True  # whoever ends every turn behind its first final was not there for the silence
    reached = max((final.covered for final in quiet), default=0) / TICKS_PER_SECOND
    timed = "timing" not in context.target.without
    covered = bool(quiet) and (reached - since >= _SHORTEST_S or not timed)
    if not (ended and covered):
        if turn.line.ended is not None:
            raise Blocked(f"the server ended the connection: {turn.state}")
        await need_turns(context, turn.ask.mode or CONVERSATION)
    expected = f"a final for {_SILENCE_MS / 1000:.0f} s of silence behind {since:.1f} s, and turn.end"
    observed = f"finals that reach up to {reached:.1f} s; {turn.state}" if quiet else turn.state
    context.check("status.silence-phrase", ended and covered, expected, observed)
    if quiet and timed and before:
        begun = starts_at(quiet[0])
        expected = f"an Offset of {since:.2f} s, where the last final ends"
        context.check("status.silence-offset", near(begun, since), expected, f"{begun:.2f} s")
    if ended:
        told = turn.at("speech.endDetected")
        context.check("detected.end-silence", len(told) == 1, "one speech.endDetected", turn.state)
    return ended


@case("status.silent-rest", "status.silent-rest")
async def silent_rest(context: Context) -> None:
    """End a stream behind 5 s of silence, with speech before it and without: nothing but turn.end comes for that."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    for speaks in (True, False):
        turn = await session.begin()
        if speaks:
            await turn.say()
        await turn.pcm(silence(_SHORT_MS), pace=0)
        await turn.end()
        ended = await turn.ends(budget=context.budget.patience(_SHORT_MS))
        if not ended or (speaks and not answers(turn)):
            raise Blocked(f"a stream that ends gives no result, or no end of its turn: {turn.state}")
        # One that acknowledges the rest saves a client a further turn, and is as good.
        shown = [final for final in turn.finals if final not in answers(turn)]
        shown = [final for final in shown if final.status not in (ACKNOWLEDGEMENT, "NoMatch")]
        kept = not shown and (speaks or not turn.at("speech.endDetected"))
        context.check("status.silent-rest", kept, "turn.end, and nothing else about the silence", turn.state)
    await session.close()


@case("status.long-speech", "status.long-speech", "close.unacknowledged", needs=("timing",), time="waits")
async def long_speech(context: Context) -> None:
    """Speak for 65 s without a pause: finals come while the stream goes on, so that none is too long."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.pcm(spoken_for(context, _LONG_MS), pace=0)
    early = await hear(turn, budget=context.budget.patience(_LONG_MS))
    await turn.pcm(spoken_for(context, _MORE_MS), pace=0)
    await turn.line.until(
        lambda: int(_left(turn) <= _UNACKNOWLEDGED_S), 1, "a final", budget=context.budget.patience(_MORE_MS)
    )
    sent, left = turn.sent / STREAM.bytes_per_second, _left(turn)
    await turn.finished(budget=context.budget.patience(_MORE_MS))
    await session.close()
    if not answers(turn):
        raise Blocked(f"speech without a pause gives no result: {turn.state}")
    expected = f"finals that reach to within {_UNACKNOWLEDGED_S:.0f} s of {sent:.0f} s of audio"
    context.check("close.unacknowledged", left <= _UNACKNOWLEDGED_S, expected, f"{left:.1f} s; {turn.state}")
    ends = [final.covered / TICKS_PER_SECOND for final in answers(turn)]
    longest = max(end - begun for begun, end in pairwise((0.0, *ends)))
    expected = f"a final before {_LONGEST_S:.0f} s of speech, and none that is longer"
    observed = f"{longest:.1f} s; {turn.state}"
    context.check("status.long-speech", early and longest <= _LONGEST_S, expected, observed)


def _left(turn: Turn) -> float:
    """Return how much of the audio that was sent no final has acknowledged, in seconds."""
    done = max((final.covered for final in turn.finals), default=0) / TICKS_PER_SECOND
    return turn.sent / STREAM.bytes_per_second - done


@case("status.noise", "turn.one-shot-final", "status.end-of-dictation", "result.no-text-unless-success")
async def noise(context: Context) -> None:
    """Send noise without words in a one-shot turn: it has one final, with a text only if something was understood."""
    session = await open_session(context)
    turn = await session.begin()
    await turn.pcm(samples(recording(context, "noise"), STREAM.rate), pace=0)
    await turn.pcm(silence(1000), pace=0)
    await turn.end()
    if not await turn.ends():
        raise Blocked(f"turn.end did not come: {turn.state}")
    shown = [final for final in turn.finals if final.status != ACKNOWLEDGEMENT]
    if turn.finals and not shown:
        context.broken("status.end-of-dictation", "another final in a one-shot turn", f"{ACKNOWLEDGEMENT} alone")
        return
    context.kept("status.end-of-dictation")
    context.check("turn.one-shot-final", len(shown) == 1, "one final", turn.state)
    for final in shown:
        good = final.status == "Success" or not (final.text or final.translations)
        expected = f"no text beside {final.status}"
        context.check("result.no-text-unless-success", good, expected, repr(final.text or final.translations))
