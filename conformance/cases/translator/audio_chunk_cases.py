"""Audio: messages and frames of every size, and other rates (translator.audio.*)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Final

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, Dialogue, open_session
from conformance.cases.translator.streams import (
    REFERENCE,
    TIMING,
    Way,
    accepted,
    near,
    offered,
    seconds,
    sentence,
    silence,
    timing_of,
)
from conformance.cases.utterances import recording, samples
from conformance.judge.verdict import Verdict
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.wire import Kind

_LARGE_BYTES = 3_200_000
_FEW = 40  # so many very small messages, then ordinary ones
_ODD_FRAMES: Final = (21, 1, 3202, 7, 3200, 641)


def _chunks(sizes: Sequence[int], what: str) -> Way:
    """An utterance for each size of message."""

    async def send(dialogue: Dialogue) -> None:
        await dialogue.header()
        for size in sizes:
            pcm = sentence(dialogue.context)
            small = min(len(pcm), size * _FEW) if size < STREAM.ms_to_bytes(10) else len(pcm)
            await dialogue.pcm(pcm[:small], size=size)
            await dialogue.pcm(pcm[small:])

    return Way(what, send, finals=len(sizes))


async def _frames(dialogue: Dialogue, *, finish: bool) -> None:
    """Send header and audio as one message in frames with odd borders."""
    data, begun = build_header(STREAM) + sentence(dialogue.context) * 2, dialogue.link.now()
    at = 0
    for size in cycle(_ODD_FRAMES):
        await dialogue.link.frame(Kind.BINARY, data[at : at + size], first=at == 0, final=False)
        at += size
        if at >= len(data) or dialogue.link.closed is not None:
            break
        await dialogue.keep_pace(begun, at)
    if finish:
        await dialogue.link.frame(Kind.BINARY, b"", first=False, final=True)


async def _finished(dialogue: Dialogue) -> None:
    await _frames(dialogue, finish=True)


async def _unfinished(dialogue: Dialogue) -> None:
    await _frames(dialogue, finish=False)


async def _large(dialogue: Dialogue) -> None:
    await dialogue.header()
    pcm = sentence(dialogue.context)
    data = pcm + pcm.rjust(_LARGE_BYTES - len(pcm), b"\0")
    await dialogue.link.binary(data, deliberate="translator.client.chunk-size")


async def _with_empty_messages(dialogue: Dialogue) -> None:
    pcm = sentence(dialogue.context)
    middle = STREAM.ms_to_bytes(700)
    await dialogue.link.binary(b"")
    await dialogue.header()
    await dialogue.link.binary(b"")
    await dialogue.pcm(pcm[:middle])
    await dialogue.link.binary(b"")
    await dialogue.pcm(pcm[middle:])
    await dialogue.link.binary(b"")


_FINISHED: Final = Way("one message in frames with odd borders", _finished, finals=2)


@case("audio.chunk-sizes", "audio.chunk-any-size")
async def chunk_sizes(context: Context) -> None:
    """Speak in messages of 2 bytes, of 20 ms, of 4,096 and 8,192 bytes, of a whole second."""
    sizes = (2, 640, 4096, 8192, 32_000)
    way, control = _chunks(sizes, "messages of many sizes"), _chunks([3200] * len(sizes), "messages of 3,200 bytes")
    await accepted(context, way, control, "audio.chunk-any-size")


@case("audio.odd-bytes", "audio.odd-bytes")
async def odd_bytes(context: Context) -> None:
    """Speak in messages that end in the middle of a sample; where texts repeat, such an utterance repeats them too."""
    way, control = (
        _chunks(sizes, what)
        for sizes, what in (
            ([3200, 3200, 1, 3, 641, 3201], "messages of an odd size"),
            ([3200] * 6, "messages of 3,200 bytes"),
        )
    )
    heard = await accepted(context, way, control, "audio.odd-bytes")
    texts = [final.recognition for final in heard.finals]
    if len(texts) == way.finals and texts[0] == texts[1]:
        other = next((text for text in texts if text != texts[0]), texts[0])
        context.check("audio.odd-bytes", other == texts[0], f"{texts[0]!r}, as in whole samples", repr(other))


@case("audio.fragmented", "audio.fragmented")
async def fragmented(context: Context) -> None:
    """Send a stream as one message in many frames, header and samples cut anywhere."""
    await accepted(context, _FINISHED, REFERENCE, "audio.fragmented")


@case("audio.unfinished-message", "audio.unfinished-message")
async def unfinished_message(context: Context) -> None:
    """Send a stream as a message whose last frame never comes."""
    way = Way("a message whose last frame never comes", _unfinished, finals=2)
    await accepted(context, way, _FINISHED, "audio.unfinished-message")


@case("audio.large-message", "audio.large-message")
async def large_message(context: Context) -> None:
    """Send one message of 3,200,000 bytes: an utterance, much silence, an utterance."""
    way = Way(
        f"one message of {_LARGE_BYTES:,} bytes",
        _large,
        finals=2,
        burst_ms=_LARGE_BYTES * 1000 // STREAM.bytes_per_second,
    )
    await accepted(context, way, REFERENCE, "audio.large-message")


@case("audio.empty-message", "audio.empty-message")
async def empty_message(context: Context) -> None:
    """Send empty messages before the header, behind it and in the middle of speech."""
    await accepted(context, Way("empty messages in between", _with_empty_messages), REFERENCE, "audio.empty-message")


@case("audio.ping", "audio.ping")
async def ping(context: Context) -> None:
    """Send pings before the audio, in the middle of speech, and in the middle of a fragmented message."""
    dialogue = await open_session(context, header=False)
    link, pcm = dialogue.link, sentence(context)
    middle = STREAM.ms_to_bytes(700)
    pongs = [await link.ping(b"")]
    await dialogue.header()
    await dialogue.pcm(pcm[:middle])
    pongs.append(await link.ping(bytes(range(125))))
    await link.frame(Kind.BINARY, pcm[middle : middle + 100], final=False)
    pongs.append(await link.ping(b"between frames"))
    await link.frame(Kind.BINARY, pcm[middle + 100 : middle + 200], first=False)
    await dialogue.pcm(pcm[middle + 200 :])
    observed = f"{pongs.count(True)} of {len(pongs)} pongs; {dialogue.state()}"
    context.check("audio.ping", all(pongs), "a pong with the same payload for each ping", observed)
    await dialogue.final()


async def _other_rate(context: Context, rate: int, requirement: str) -> None:
    """Speak at another rate, behind 3 s of silence: the final comes, and stands where speech at that rate stands."""
    spoken = recording(context, "clear-1")
    lead_ms = 3000
    stream = PcmFormat(rate)

    async def send(dialogue: Dialogue) -> None:
        pcm = silence(lead_ms, stream) + samples(spoken, rate) + silence(SILENCE_MS, stream)
        header = build_header(stream)
        await dialogue.link.binary(header, deliberate="translator.client.pcm-format")
        await dialogue.pcm(pcm)

    way = Way(f"a stream of {rate} Hz", send, stream=stream)
    features = offered(context, TIMING)
    dialogue = await accepted(context, way, REFERENCE, requirement, features=features)
    if not dialogue.finals or not features:
        return
    start = seconds(timing_of(dialogue, 0).offset_ticks)
    due = (lead_ms + spoken.utterances[0].start_ms) / 1000
    if near(start, due * rate / 16_000):  # it was taken for 16 kHz
        expected = f"a start at about {due:.1f} s, at {rate} Hz"
        context.broken(requirement, expected, f"{start:.1f} s", Verdict.NON_STRICT)


@case("audio.rate-8000", "audio.rate-8000")
async def rate_8000(context: Context) -> None:
    """Speak in a stream of 8,000 Hz."""
    await _other_rate(context, 8000, "audio.rate-8000")


@case("audio.rate-22050", "audio.rate-22050")
async def rate_22050(context: Context) -> None:
    """Speak in a stream of 22,050 Hz."""
    await _other_rate(context, 22_050, "audio.rate-22050")
