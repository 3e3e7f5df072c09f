"""The audio of a turn: its header, its formats and chunks, and how it is paced (speech.audio.*).

`audio_end_cases` has the end of the stream and what comes behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import numpy as np

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.speech.asking import CONVERSATION, usual
from conformance.cases.speech.dialogue import open_session
from conformance.cases.speech.mistakes import ISOLATED, outcome
from conformance.cases.speech.turn import SILENCE_MS, STREAM, WAV, Turn
from conformance.cases.speech.ways import (
    Way,
    accepted,
    each_accepted,
    hung_up,
    need_reference,
    one_turn,
    reference,
    served,
)
from conformance.cases.utterances import briefest, recording, utterance
from conformance.judge.verdict import departure
from conformance.peers.budget import RESULT
from protocol.audio import TICKS_PER_SECOND, PcmFormat
from protocol.riff import build_header

_STEREO: Final = PcmFormat(16_000, channels=2)
_RATES: Final = (8_000, 16_000, 48_000)
_LARGE: Final = 19_200  # bytes of a message of one client whose input is stereo at 48 kHz
_CODEC: Final = 20  # where a header names its encoding
_CHANNELS: Final = 22
_SAME_S: Final = 0.05  # so exactly the same audio lies at the same place; a header is 1.4 ms of sound

Send = Callable[[Turn], Awaitable[None]]


async def _headed(send: Send, context: Context, *, stream: PcmFormat = STREAM) -> Turn:
    """Hold a turn whose header, and whatever comes with it, is sent in this way."""
    session = await open_session(context)
    turn = await session.begin(stream=stream, header=False)
    await send(turn)
    await turn.say()
    return await hung_up(turn)


async def _with_samples(turn: Turn) -> None:
    await turn.header(bytes(turn.format.ms_to_bytes(100)))


async def _closed(behind_ms: int, turn: Turn) -> None:
    """Send a header with true sizes, and so much silence behind it in the same message."""
    pcm = utterance(*briefest(turn.line.context.target.corpus))
    samples = bytes(turn.format.ms_to_bytes(behind_ms))
    size = len(samples) + len(pcm) + turn.format.ms_to_bytes(SILENCE_MS)
    await turn.audio(build_header(turn.format, data_size=size) + samples, content_type=WAV)


async def _split(turn: Turn) -> None:
    header = build_header(turn.format)
    for start, end in ((0, 1), (1, 21), (21, 43), (43, len(header))):
        await turn.audio(header[start:end], content_type=WAV if start == 0 else None)


_HEADERS: Final = (
    Way("a header alone", ("audio.header-alone",), reference, partial(_headed, partial(_closed, 100))),
    Way("a header of unknown size", ("audio.header-sizes-open",), reference, partial(_headed, partial(_closed, 0))),
    Way("a header with samples behind it", ("audio.header-with-samples",), partial(_headed, _with_samples)),
    Way("a header in four messages", ("audio.header-split",), partial(_headed, _split)),
)


@case(
    "audio.header",
    "audio.header-alone",
    "audio.header-sizes-open",
    "audio.header-with-samples",
    "audio.header-split",
)
async def header(context: Context) -> None:
    """Send the header alone, with samples behind it, and in pieces; its sizes are open."""
    await each_accepted(context, _HEADERS)


@case("audio.header-each-turn", "audio.header-each-turn")
async def header_each_turn(context: Context) -> None:
    """Say the same in two turns, each with its header: both give their result at the same place."""
    session = await open_session(context)
    turns: list[Turn] = []
    for _ in range(2):
        turns.append(await session.begin())
        await turns[-1].say()
        await turns[-1].finished()
        if not served(turns[0]):
            raise Blocked(f"a good turn gives no result: {turns[0].state}")
    first, second = ([final.offset or 0 for final in turn.finals] for turn in turns)
    near = bool(second) and abs(second[0] - first[0]) <= _SAME_S * TICKS_PER_SECOND
    observed = f"offset {first[0]}, then {second[0] if second else 'none'}; {turns[1].state}"
    kept = served(turns[1]) and near
    context.check("audio.header-each-turn", kept, "the same result at the same offset in both turns", observed)


@case("audio.wrong", "audio.no-header", "audio.bad-format", ISOLATED)
async def wrong(context: Context) -> None:
    """Begin turns without a header, and with headers of no known encoding and of no channel."""
    await need_reference(context)
    good = build_header(STREAM)
    unknown = good[:_CODEC] + b"\x00\x7f" + good[_CODEC + 2 :]
    silent = good[:_CHANNELS] + b"\x00\x00" + good[_CHANNELS + 2 :]
    for row, what, data in (
        ("audio.no-header", "audio without a header", bytes(STREAM.ms_to_bytes(100))),
        ("audio.bad-format", "a header of the unknown encoding 0x7f00", unknown),
        ("audio.bad-format", "a header of 0 channels", silent),
    ):
        session = await open_session(context)
        turn = await session.begin(header=False)
        await turn.audio(data, content_type=WAV, deliberate="speech.client.audio-header")
        ended = await outcome(turn)
        told = row == "audio.no-header" or (ended is not None and bool(ended.reason))
        reason = "" if row == "audio.no-header" else " with a reason"
        right = ended is not None and ended.code == 1007 and told
        context.check(row, right, f"close 1007{reason} for {what}", turn.state)
        answered = ended is not None or turn.over
        context.check(ISOLATED, answered, f"a close with a code for {what}, or a turn that goes on", turn.state)


@case("audio.formats", "audio.rates", "audio.stereo")
async def formats(context: Context) -> None:
    """Say the same at 8, 16 and 48 kHz, and in stereo."""
    mono = [Way(f"mono at {rate} Hz", ("audio.rates",), partial(_at, PcmFormat(rate))) for rate in _RATES]
    await each_accepted(context, [*mono, Way("stereo at 16000 Hz", ("audio.stereo",), partial(_at, _STEREO))])


async def _at(stream: PcmFormat, context: Context) -> Turn:
    session = await open_session(context)
    turn = await session.begin(stream=stream)
    mono = np.frombuffer(utterance(*briefest(context.target.corpus), rate=stream.rate), dtype="<i2")
    await turn.pcm(np.repeat(mono, stream.channels).astype("<i2").tobytes())
    await turn.pause(SILENCE_MS)
    return await hung_up(turn)


@case("audio.chunks", "audio.chunk-size", "audio.burst")
async def chunks(context: Context) -> None:
    """Send messages of more than 8192 bytes, and more than five seconds of audio at once."""

    async def large(context: Context) -> Turn:
        session = await open_session(context)
        turn = await session.begin()
        await turn.pcm(utterance(*briefest(context.target.corpus)) + bytes(STREAM.ms_to_bytes(SILENCE_MS)), size=_LARGE)
        return await hung_up(turn)

    async def much(pace: float, context: Context) -> Turn:
        session = await open_session(context, usual(context, mode=CONVERSATION))
        turn = await session.begin()
        await turn.say(recording(context, "pair"), pace)
        return await hung_up(turn)

    tolerated = departure(context.row("audio.chunk-size"), tolerated=True)
    await accepted(context, Way(f"messages of {_LARGE} bytes", ("audio.chunk-size",), large), tolerated)
    await accepted(context, Way("7.6 s at once", ("audio.burst",), partial(much, 0.0), partial(much, 1.0)))


@case("audio.real-time", "audio.real-time", time="waits")
async def real_time(context: Context) -> None:
    """Speak at the pace of speech and go on with silence: interims and a final come before the stream ends."""
    session = await open_session(context, usual(context, mode=CONVERSATION))
    turn = await session.begin()
    # A recogniser with work to do may well say nothing before it is sure of some words: it gets more than two seconds.
    prompt = context.budget.is_prompt(RESULT)
    spoken = briefest(context.target.corpus) if prompt else (recording(context, "clear-1"),)
    await turn.pcm(utterance(*spoken), pace=1)
    rest = asyncio.ensure_future(turn.pause(SILENCE_MS, pace=1))
    try:
        came = await turn.final(budget=SILENCE_MS / 1000 + context.budget.wait(RESULT))
    finally:
        rest.cancel()
    interims = bool(turn.interims) or "partial" in context.target.without
    if not (came and interims) and not served(await one_turn(context)):
        raise Blocked(f"a good turn gives no result: {turn.state}")
    expected = f"hypotheses and a final within {SILENCE_MS / 1000} s of silence, while the stream goes on"
    context.check("audio.real-time", came and interims, expected, turn.state)
