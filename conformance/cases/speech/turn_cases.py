"""Turns: one after another, in every mode, one that ends the other, and what is left of one (speech.turn.*)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, DICTATION, usual
from conformance.cases.speech.dialogue import new_id, open_session
from conformance.cases.speech.hearing import (
    LOOSE_S,
    answers,
    hear,
    judge_beside_turns,
    length,
    middles,
    near,
    starts_at,
    unheard,
)
from conformance.cases.speech.turn import STREAM, Turn
from conformance.cases.speech.ways import served
from conformance.cases.utterances import briefest, recording, utterance
from conformance.peers.budget import RESULT
from protocol.audio import TICKS_PER_SECOND
from protocol.speech.messages import V1

_SAME: Final = 3
_MANY: Final = 9
_RESTS: Final = (STREAM.ms_to_bytes(20), 10)  # bytes


@case("turn.several", "turn.several", "turn.id-echo", "result.turn-relative")
async def several(context: Context) -> None:
    """Say the same sentence in three turns of one connection: each has its result, at the same offset."""
    spoken = recording(context, "clear-1")
    session = await open_session(context)
    first, *others = turns = [await _one_shot(await session.begin()) for _ in range(_SAME)]
    await session.close()
    if not served(first):
        raise Blocked(f"the first turn gives no result: {first.state}")
    for turn in others:
        _judge_turn(context, turn)
    told = [answers(turn)[0] for turn in turns if served(turn)]
    if "timing" in context.target.without or len(told) < len(turns):
        return
    offsets = [starts_at(final) for final in told]
    expected = f"the Offset of the first turn, {offsets[0]:.2f} s, in each turn with the same {length(spoken):.1f} s"
    same = all(near(offset, offsets[0]) for offset in offsets)
    context.check("result.turn-relative", same, expected, ", ".join(f"{offset:.2f} s" for offset in offsets))


async def _one_shot(turn: Turn) -> Turn:
    """Say a sentence in a one-shot turn."""
    await turn.say(recording(turn.line.context, "clear-1"))
    await turn.finished()
    return turn


def _judge_turn(context: Context, turn: Turn) -> None:
    """Judge that a later turn is served like the first, under its own id, letter for letter."""
    context.check("turn.several", served(turn), "a result and turn.end in a later turn of the connection", turn.state)
    wrong = [message.message.request_id for message in turn.heard if message.message.request_id != turn.id]
    if turn.heard:
        context.check("turn.id-echo", not wrong, f"the id {turn.id} in every message", wrong[0] if wrong else "")


@case("turn.many", "turn.several", "turn.id-echo")
async def many(context: Context) -> None:
    """Hold nine turns on one connection; their ids have small letters, capital letters and both."""
    session = await open_session(context)
    for number in range(_MANY):
        identity = new_id(context)
        mixed = identity[:16].upper() + identity[16:]
        turn = await session.begin(identity=(identity, identity.upper(), mixed)[number % 3])
        await turn.say()
        await turn.finished()
        if number == 0 and not served(turn):
            raise Blocked(f"the first turn gives no result: {turn.state}")
        _judge_turn(context, turn)
        if not served(turn):
            break
    await session.close()


@case("turn.one-shot", "turn.one-shot-ends", "turn.one-shot-final", "turn.several")
async def one_shot(context: Context) -> None:
    """Say two sentences in a one-shot turn whose stream never ends: the first one ends it; then hold another turn."""
    session = await open_session(context)
    turn = await session.begin()
    await turn.say(recording(context, "pair"))
    if not await hear(turn):
        raise Blocked(f"two sentences give no final: {turn.state}")
    ended = await turn.ends()
    context.check("turn.one-shot-ends", ended, "turn.end behind the first final, without an end of stream", turn.state)
    if not ended:
        return
    seen = [final for final in turn.finals if final.status != "EndOfDictation"]
    statuses = ", ".join(final.status for final in seen)
    context.check("turn.one-shot-final", len(seen) == 1, "one final", f"{len(seen)} finals: {statuses}")
    following = await session.begin()
    await following.say()
    await following.finished()
    await session.close()
    context.check("turn.several", served(following), "a result in the next turn", following.state)


@case("turn.conversation", "turn.conversation-goes-on", "result.final-always")
async def conversation(context: Context) -> None:
    """Say four sentences in one turn, of mode conversation and of mode dictation: it goes on behind each final."""
    pair = recording(context, "pair")
    for mode in (CONVERSATION, DICTATION):
        session = await open_session(context, usual(context, mode=mode))
        turn = await session.begin()
        await turn.say(pair)
        if not await hear(turn):
            raise Blocked(f"two sentences give no final: {turn.state}")
        before = len(answers(turn))
        await turn.say(pair)  # behind the final that has come; whoever ends the turn with that does so before the next
        await hear(turn, before + 1)
        context.check(
            "turn.conversation-goes-on", not turn.over, f"a {mode.value} that goes on behind its finals", turn.state
        )
        if turn.over:
            continue
        await turn.finished()
        if session.ended is not None:
            raise Blocked(f"the server ended the connection: {turn.state}")
        await session.close()
        moments = [*middles(pair), *middles(pair, length(pair))]
        lost = [] if "timing" in context.target.without else unheard(answers(turn), moments)
        observed = f"nothing about the speech at {', '.join(f'{moment:.1f} s' for moment in lost)}; {turn.state}"
        context.check("result.final-always", not lost, "each of four sentences in a final", observed)


@case("turn.abandoned", "turn.new-id-abandons", "turn.several")
async def abandoned(context: Context) -> None:
    """Begin a turn while results of another one are due: once the new one has started, none of the old one comes."""
    spoken = utterance(*briefest(context.target.corpus))
    session = await open_session(context, usual(context, mode=CONVERSATION))
    old = await session.begin()
    for _ in range(_SAME):
        await old.say()
    await old.pcm(spoken[: len(spoken) // 2])
    new = await session.begin()
    await new.say()
    await new.finished()
    await session.close()
    expected = "a result of a turn that begins within another one"
    await judge_beside_turns(context, "turn.several", bool(answers(new)), expected, new.state, CONVERSATION)
    started = next((at for at, message in enumerate(session.heard) if message in new.at("turn.start")), None)
    if started is None:
        return
    late = [message.path for message in session.heard[started:] if message in old.heard and message.path != "turn.end"]
    expected = "no result of a turn behind turn.start of the next one"
    context.check("turn.new-id-abandons", not late, expected, ", ".join(late[:3]))


@case("turn.unknown-mode", "turn.unknown-mode", "turn.end-last", "turn.several", dialects=(V1,))
async def unknown_mode(context: Context) -> None:
    """Name no mode and end no stream, as one client does: the turn ends behind its utterance, or when it is told to."""
    session = await open_session(context, usual(context, mode=None))
    turns: list[Turn] = []
    for _ in range(2):
        turn = await session.begin()
        turns.append(turn)
        await turn.say(recording(context, "pair"))
        if not await hear(turn) and not turns[1:]:
            raise Blocked(f"two sentences give no final: {turn.state}")
        # Shorter than a wait for something that is due: who waits for the end of the stream does nothing wrong.
        by_itself = await turn.ends(budget=context.budget.wait(RESULT) / 2)
        detected = bool(turn.at("speech.endDetected"))
        seen = len(answers(turn))
        expected = "one final, speech.endDetected and turn.end for the first of two sentences"
        context.check("turn.unknown-mode", by_itself and detected and seen == 1, expected, turn.state)
        if not by_itself:
            await turn.end()
        ended = await turn.ends()
        context.check("turn.end-last", ended, "turn.end, at the latest behind the end of the stream", turn.state)
        if not ended:
            return
    await session.close()
    context.check("turn.several", served(turns[1]), "a result in the second turn of the connection", turns[1].state)


@case("turn.tail", "turn.tail")
async def tail(context: Context) -> None:
    """Behind a conversation hold turns of 20 ms and of 10 bytes, as one client does for what no final has covered."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.say()
    await turn.need_end()
    started = bool(turn.at("turn.start"))  # who never sends it breaks another requirement
    for size in _RESTS:
        rest = await session.begin()
        await rest.pcm(bytes(size))
        await rest.end()
        await rest.ends()
        whole = rest.over and (bool(rest.at("turn.start")) or not started)
        expected = f"turn.start and turn.end for {size} bytes"
        await judge_beside_turns(context, "turn.tail", whole, expected, rest.state, CONVERSATION)
        if not whole:
            return
    await session.close()


@case("turn.acknowledged", "turn.acknowledged", needs=("timing",))
async def acknowledged(context: Context) -> None:
    """End a stream with the last sample of speech, three times on one connection: the finals reach up to there."""
    spoken = utterance(*briefest(context.target.corpus))
    session = await open_session(context, usual(context, mode=CONVERSATION))
    for _ in range(_SAME):
        turn = await session.begin()
        await turn.pcm(spoken)
        await turn.end()
        if not await turn.ends() or not answers(turn):
            raise Blocked(f"speech that ends with its stream gives no result: {turn.state}")
        done, sent = max(final.covered for final in turn.finals) / TICKS_PER_SECOND, turn.sent / STREAM.bytes_per_second
        expected = f"finals that reach up to about {sent:.2f} s, where the speech and the stream end"
        context.check("turn.acknowledged", done >= sent - LOOSE_S, expected, f"{done:.2f} s; {turn.state}")
    await session.close()
