"""What connections owe to one another (speech.turn.isolation, malformed.isolated)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.hearing import (
    answers,
    hear,
    judge_beside_turns,
    lasts,
    near,
    sentence,
    silence,
    starts_at,
)
from conformance.cases.speech.reading import Heard
from conformance.cases.speech.turn import CHUNK_MS, STREAM, Turn
from conformance.cases.speech.ways import need_reference, served
from conformance.judge.verdict import Verdict
from protocol.wire import Kind

_ISOLATION: Final = "turn.isolation"
_ISOLATED: Final = "malformed.isolated"
_LEAD_MS: Final = 1000


@case("isolation.silent-beside", _ISOLATION, connections=2)
async def silent_beside(context: Context) -> None:
    """Speak on one connection and be silent on another one, chunk by chunk; then speak there, too."""
    ask = usual(context, mode=CONVERSATION)
    sessions = [await open_session(context, ask) for _ in range(2)]
    speaker, listener = [await session.begin() for session in sessions]
    pcm, size = sentence(context), STREAM.ms_to_bytes(CHUNK_MS)
    for at in range(0, len(pcm), size):
        await speaker.pcm(pcm[at : at + size])
        await listener.pcm(bytes(len(pcm[at : at + size])))
    await hear(speaker)
    await speaker.say()  # when this is answered, whatever of the first sentence went astray has come as well
    await speaker.finished()
    await listener.say()
    await listener.finished()
    for session in sessions:
        await session.close()
    said = len(pcm) / STREAM.bytes_per_second
    strange = _too_early(context, listener, said)
    expected = f"nothing on the connection that is silent for its first {said:.1f} s"
    if strange:
        observed = f"{strange[0].path} {strange[0].text!r}; {listener.state}"
        context.broken(_ISOLATION, expected, observed, Verdict.VIOLATION)
        return
    if not answers(speaker) or not answers(listener):
        await need_reference(context)
        raise Blocked(f"speech on two connections at once gives no results: {speaker.state}; {listener.state}")
    context.kept(_ISOLATION)


def _too_early(context: Context, turn: Turn, silent_s: float) -> list[Heard]:
    """Return what is said of the silence at the start of a turn; without times, what is said too often."""
    told = [message for message in (*turn.interims, *answers(turn)) if message.text]
    if "timing" in context.target.without:
        return told[1:] if len(answers(turn)) > 1 else []
    return [message for message in told if starts_at(message) + lasts(message) < silent_s - 1.0]


@case("isolation.times", _ISOLATION, connections=2, needs=("timing",))
async def times(context: Context) -> None:
    """Speak on two connections at once, on one of them a second later: each counts its own audio alone."""
    ask = usual(context, mode=CONVERSATION)
    sessions = [await open_session(context, ask) for _ in range(2)]
    turns = [await session.begin() for session in sessions]
    pcm, lead = sentence(context), silence(_LEAD_MS)
    streams = (pcm + lead, lead + pcm)
    size = STREAM.ms_to_bytes(CHUNK_MS)
    for at in range(0, len(streams[0]), size):
        for turn, stream in zip(turns, streams, strict=True):
            await turn.pcm(stream[at : at + size])
    for turn in turns:
        await turn.finished()
    for session in sessions:
        await session.close()
    if not all(answers(turn) for turn in turns):
        await need_reference(context)
        raise Blocked(f"speech on two connections at once gives no results: {turns[0].state}; {turns[1].state}")
    first, second = (starts_at(answers(turn)[0]) for turn in turns)
    kept = near(second - first, _LEAD_MS / 1000) and all(len(answers(turn)) == 1 for turn in turns)
    expected = f"one result on each connection, with Offsets {_LEAD_MS / 1000:.0f} s apart"
    counts = " and ".join(str(len(answers(turn))) for turn in turns)
    context.check(
        _ISOLATION, kept, expected, f"{counts} results, at {first:.2f} s and {second:.2f} s", Verdict.VIOLATION
    )


@case("isolation.beside-malformed", _ISOLATED, connections=2)
async def beside_malformed(context: Context) -> None:
    """In the middle of a turn end other connections badly: by what no server can read, and by going away in a turn."""
    beside = await open_session(context)
    turn = await beside.begin()
    pcm = sentence(context)
    half = len(pcm) // 2
    await turn.pcm(pcm[:half])
    for kind, data in ((Kind.BINARY, b"\xff\xff\x00"), (Kind.TEXT, b"{}"), (Kind.BINARY, b"")):
        other = await open_session(context)
        await (await other.begin()).pcm(pcm[:half])
        await other.raw(kind, data, deliberate="speech.client.frame-text")
        await other.close()
    await turn.pcm(pcm[half:])
    await turn.finished()
    following = await beside.begin()
    await following.say()
    await following.finished()
    await beside.close()
    kept = served(turn) and served(following)
    state = following.state if served(turn) else turn.state
    expected = "a result on the connection beside those that ended badly"
    await judge_beside_turns(context, _ISOLATED, kept, expected, state)
