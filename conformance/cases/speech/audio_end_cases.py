"""The end of a stream of audio, and what still comes behind it (speech.audio.*).

Real clients send audio, and empty messages, for turns that are over already; all of that is to be discarded.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, usual
from conformance.cases.speech.dialogue import new_id, open_session
from conformance.cases.speech.turn import CHUNK_MS, STREAM, Turn
from conformance.cases.speech.ways import Way, accepted, each_accepted, hung_up, need_reference, served
from conformance.cases.utterances import briefest, utterance
from protocol.wire import Kind

_CHUNK: Final = bytes(STREAM.ms_to_bytes(CHUNK_MS))
_SCRAP: Final = bytes(STREAM.ms_to_bytes(20))
_AT_ONCE_S: Final = 0.05  # half of the time between two messages of live audio


@case("audio.end", "audio.end")
async def end(context: Context) -> None:
    """Speak, and end the stream without any silence: the final comes, and the end of the turn."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    await turn.pcm(utterance(*briefest(context.target.corpus)))
    await turn.end()
    await turn.ends()
    await session.close()
    if not served(turn):
        await need_reference(context)
    context.check("audio.end", served(turn), "a final and turn.end for an empty audio message", turn.state)


async def _late(context: Context) -> Turn:
    """Hold a turn, send the audio that real clients still send for it, and hold a second one."""
    session = await open_session(context)
    first = await session.begin()
    await first.say()
    await first.finished()
    if not served(first):
        return await hung_up(first)
    for data in (_CHUNK, b""):
        await first.audio(data)
    second = await session.begin()
    await second.say()
    return await hung_up(second)


async def _behind_end_detected(context: Context) -> Turn:
    """Speak, wait for speech.endDetected, send more audio; then hold a second turn, which shows that it did no harm."""
    session = await open_session(context)
    first = await session.begin()
    await first.say()
    await first.until(1, "speech.endDetected", "turn.end")
    for _ in range(3):
        await first.audio(_CHUNK)
    await first.finished()
    if not served(first):
        return await hung_up(first)
    second = await session.begin()
    await second.say()
    return await hung_up(second)


async def _ended(times: int, context: Context) -> Turn:
    """End a stream so many times, then hold a second turn."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    first = await session.begin()
    await first.say()
    for _ in range(times):
        await first.end()
    await first.finished()
    if not served(first):
        return await hung_up(first)
    second = await session.begin(usual(context))
    await second.say()
    return await hung_up(second)


async def _unknown(context: Context) -> Turn:
    """Send audio of an id that nobody has begun, in the middle of a turn."""
    session = await open_session(context)
    turn = await session.begin()
    pcm = utterance(*briefest(context.target.corpus))
    half = len(pcm) // 4 * 2
    await turn.pcm(pcm[:half])
    for data in (_CHUNK, b""):
        await session.send(Kind.BINARY, "audio", new_id(context), data)
    await turn.pcm(pcm[half:])
    await turn.pause(2600)
    return await hung_up(turn)


_WAYS: Final = (
    Way("audio of a finished turn", ("audio.late-id",), _late),
    Way("audio behind speech.endDetected", ("audio.after-end-detected",), _behind_end_detected),
    Way("an empty message twice", ("audio.end-repeated",), partial(_ended, 2), partial(_ended, 1)),
    Way("audio of an unknown id", ("audio.unknown-id",), _unknown),
)


@case("audio.strays", "audio.late-id", "audio.after-end-detected", "audio.end-repeated", "audio.unknown-id")
async def strays(context: Context) -> None:
    """Send audio behind speech.endDetected, behind the end of its stream, of its turn, and of a turn that never was."""
    await each_accepted(context, _WAYS)


async def _replayed(empty: bool, context: Context) -> Turn:
    """Hold a turn; begin a second one with a scrap of audio, an empty message if that is asked for, and speech."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    first = await session.begin(usual(context))
    await first.say()
    await first.finished()
    if not served(first):
        return await hung_up(first)
    second = await session.begin()
    await second.pcm(_SCRAP)
    if empty:
        await second.audio(b"")
        await asyncio.sleep(_AT_ONCE_S)
    await second.say()
    return await hung_up(second)


@case("audio.end-voided", "audio.end-voided")
async def end_voided(context: Context) -> None:
    """Replay the end of a stream in the middle of audio, as one client does in its later turns."""
    replayed, control = partial(_replayed, True), partial(_replayed, False)
    await accepted(context, Way("speech behind an empty message", ("audio.end-voided",), replayed, control))
