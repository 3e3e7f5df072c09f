"""Audio: the header that opens a stream, and the speed at which it comes (translator.audio.*)."""

from __future__ import annotations

from typing import Final

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, Dialogue, open_session
from conformance.cases.translator.streams import (
    PARTIAL,
    REFERENCE,
    TIMING,
    Way,
    accepted,
    hold,
    live,
    offered,
    seconds,
    sentence,
    silence,
    timing_of,
)
from conformance.cases.utterances import briefest, utterance
from conformance.judge.verdict import Verdict
from protocol.riff import build_header

_LIST: Final = (b"LIST", b"INFOISFT\x0e\x00\x00\x00Lavf57.71.100\x00")
_LEAD_MS = 2600
_HIDDEN_BYTES = 40_000


async def _live(dialogue: Dialogue) -> None:
    await dialogue.header()
    await live(dialogue, utterance(*briefest(dialogue.context.target.corpus)))


async def _fmt_18(dialogue: Dialogue) -> None:
    await dialogue.link.binary(build_header(STREAM, fmt_size=18))
    await dialogue.pcm(sentence(dialogue.context))


async def _list_chunk(dialogue: Dialogue) -> None:
    await dialogue.link.binary(build_header(STREAM, extra_chunks=[_LIST]))
    await dialogue.pcm(sentence(dialogue.context))


async def _true_sizes(dialogue: Dialogue) -> None:
    pcm = sentence(dialogue.context)
    await dialogue.header(data_size=len(pcm))
    await dialogue.pcm(pcm)


async def _with_audio(dialogue: Dialogue) -> None:
    pcm, size = sentence(dialogue.context), STREAM.ms_to_bytes(100)
    await dialogue.link.binary(build_header(STREAM) + pcm[:size])
    await dialogue.pcm(pcm[size:])


async def _split(dialogue: Dialogue) -> None:
    header, pcm = build_header(STREAM), sentence(dialogue.context)
    for start, end in ((0, 1), (1, 3), (3, 13), (13, 22), (22, 39), (39, 43)):
        await dialogue.link.binary(header[start:end])
    await dialogue.link.binary(header[43:] + pcm[:100])
    await dialogue.pcm(pcm[100:])


async def _split_everywhere(dialogue: Dialogue) -> None:
    for byte in build_header(STREAM):
        await dialogue.link.binary(bytes((byte,)))
    await dialogue.pcm(sentence(dialogue.context))


def _two(declared_all: bool) -> Way:
    """Two utterances; the header declares both with their silence, or the first alone without."""

    async def send(dialogue: Dialogue) -> None:
        pcm = sentence(dialogue.context)
        declared = 2 * len(pcm) if declared_all else len(pcm) - len(silence(SILENCE_MS))
        await dialogue.header(data_size=declared)
        await dialogue.pcm(pcm + pcm)

    return Way(f"a declared size of {'all audio' if declared_all else 'the first utterance'}", send, finals=2)


_FMT_18: Final = Way("a header of 46 bytes", _fmt_18)
_TRUE: Final = Way("a header with true sizes", _true_sizes)
_WITH_AUDIO: Final = Way("the header and sound in one message", _with_audio)
_LIVE: Final = Way("speech at its own speed", _live)


@case("audio.real-time", "audio.real-time", time="waits")
async def real_time(context: Context) -> None:
    """Speak one utterance at the speed of speech."""
    await accepted(context, _LIVE, REFERENCE, "audio.real-time", features=offered(context, PARTIAL, TIMING))


@case("audio.header-44", "audio.header-44")
async def header_44(context: Context) -> None:
    """Begin with the documented header of 44 bytes."""
    await accepted(context, REFERENCE, _FMT_18, "audio.header-44")


@case("audio.header-46", "audio.header-46")
async def header_46(context: Context) -> None:
    """Begin with a header whose fmt chunk has 18 bytes."""
    await accepted(context, _FMT_18, REFERENCE, "audio.header-46")


@case("audio.header-alone", "audio.header-alone")
async def header_alone(context: Context) -> None:
    """Send the header as a message of its own."""
    await accepted(context, REFERENCE, _WITH_AUDIO, "audio.header-alone")


@case("audio.header-with-audio", "audio.header-with-audio")
async def header_with_audio(context: Context) -> None:
    """Send the header and the first sound in one message."""
    await accepted(context, _WITH_AUDIO, REFERENCE, "audio.header-with-audio")


@case("audio.header-split", "audio.header-split")
async def header_split(context: Context) -> None:
    """Split the header over messages in the middle of its fields, then at every byte."""
    await accepted(context, Way("a header in seven messages", _split), REFERENCE, "audio.header-split")
    await accepted(context, Way("a header byte by byte", _split_everywhere), REFERENCE, "audio.header-split")


@case("audio.zero-sizes", "audio.zero-sizes")
async def zero_sizes(context: Context) -> None:
    """Leave both sizes of the header 0."""
    await accepted(context, REFERENCE, _TRUE, "audio.zero-sizes")


@case("audio.true-sizes", "audio.true-sizes")
async def true_sizes(context: Context) -> None:
    """Declare the true size of the audio."""
    await accepted(context, _TRUE, REFERENCE, "audio.true-sizes")


@case("audio.past-declared-size", "audio.past-declared-size")
async def past_declared_size(context: Context) -> None:
    """Declare the size of an utterance, and send its silence and a second utterance behind that."""
    await accepted(context, _two(declared_all=False), _two(declared_all=True), "audio.past-declared-size")


@case("audio.extra-chunks", "audio.extra-chunks")
async def extra_chunks(context: Context) -> None:
    """Put a LIST chunk between fmt and data, as common tools do."""
    await accepted(context, Way("a header with a LIST chunk", _list_chunk), REFERENCE, "audio.extra-chunks")


@case("audio.speech-in-chunk", "audio.extra-chunks", "timing.header-not-counted", needs=("timing",))
async def speech_in_chunk(context: Context) -> None:
    """Hide speech in a chunk before data: it must not be heard, and does not count to the stream."""
    hidden = utterance(*briefest(context.target.corpus))[:_HIDDEN_BYTES]
    plain = await _behind(context, ())
    if not plain.finals:
        raise Blocked(f"{_LEAD_MS} ms of silence, then speech, give no final: {plain.state()}")
    before = timing_of(plain, 0)
    other = await _behind(context, ((b"junk", hidden + b"\0"),))
    if not other.finals:
        expected = f"a header with a chunk of {len(hidden) + 1} bytes to be taken"
        context.broken("audio.extra-chunks", expected, other.state(), Verdict.NON_STRICT)
        return
    after = timing_of(other, 0)
    earlier = seconds(before.offset_ticks - after.offset_ticks)
    observed = f"a final that begins {earlier:.1f} s earlier than without the chunk"
    heard = earlier > _LEAD_MS / 2000
    context.check("audio.extra-chunks", not heard, "silence first, as without the chunk", observed, Verdict.VIOLATION)
    if not heard:
        moved = after.position_bytes - before.position_bytes
        expected = "the audioStreamPosition that it has with a header of 44 bytes"
        context.check("timing.header-not-counted", abs(moved) < len(hidden) // 2, expected, f"{moved:+d} bytes")


async def _behind(context: Context, chunks: tuple[tuple[bytes, bytes], ...]) -> Dialogue:
    """Hold a session whose header has these chunks, and whose speech comes behind some silence."""

    async def send(dialogue: Dialogue) -> None:
        await dialogue.link.binary(build_header(STREAM, extra_chunks=chunks))
        await dialogue.pcm(silence(_LEAD_MS) + sentence(context))

    return await hold(context, Way("a header with further chunks", send), (TIMING,))


@case("audio.burst", "audio.burst", time="waits")
async def burst(context: Context) -> None:
    """Send two utterances and their silence in one message, as fast as the connection takes it."""
    dialogue = await open_session(context, offered(context, TIMING), header=False)
    data = build_header(STREAM) + sentence(context) * 2
    await dialogue.link.binary(data, deliberate="translator.client.chunk-size")
    if not await dialogue.final(2) and dialogue.ended is None:
        # A server that measures silence by the clock is another matter (endpoint.final-after-silence).
        await live(dialogue, b"", count=len(dialogue.finals) + 1)
    if len(dialogue.finals) > 1 or _hears_both(context, dialogue):
        context.kept("audio.burst")
        return
    await dialogue.close()
    spoken = await hold(context, _LIVE)
    if not spoken.finals:
        raise Blocked(f"neither a burst nor {_LIVE.what} gives a final: {spoken.state()}")
    context.broken("audio.burst", f"all of a burst heard, since {_LIVE.what} gives a final", dialogue.state())


def _hears_both(context: Context, dialogue: Dialogue) -> bool:
    """Tell whether a single final covers both utterances: its end is where the second one ends."""
    if not dialogue.finals or not offered(context, TIMING):
        return bool(dialogue.finals)
    timing = timing_of(dialogue, 0)
    due = 2 * len(sentence(context)) - len(silence(SILENCE_MS))
    return seconds(timing.offset_ticks + timing.size_ticks) > due / STREAM.bytes_per_second - 0.5
