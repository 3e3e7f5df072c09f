"""What a client streams, and how it ends (requirements translator.client.*)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import View
from conformance.transcript import Ended
from protocol.errors import PeerViolation
from protocol.wire import Kind, Party

_RATE = 16_000
_LONGEST_CHUNK_MS = 1000
_SILENCE_MS = 2500
_LOUD = 160  # of 32768: about -46 dBFS; quieter samples at the end count as silence


def header(view: View) -> Findings:
    """translator.client.header-first, pcm-format: the stream begins with a WAV header of 16 kHz mono PCM."""
    first = next((seen for seen in view.from_client if seen.kind is Kind.BINARY and seen.data), None)
    if first is None or not view.opened:
        return
    stream = view.stream
    if isinstance(stream, PeerViolation):
        yield broken(stream.requirement, first.first, f"{stream.expected} at {stream.at}", stream.observed)
        if stream.requirement == "translator.client.pcm-format":
            yield kept("translator.client.header-first", first.first)
        return
    name = "translator.client.header-first"
    if stream is None:
        size = view.audio_before(len(view.entries))
        yield broken(name, first.first, "a complete RIFF/WAVE header", f"{size} bytes of one")
        return
    yield kept(name, first.first)
    name, rate = "translator.client.pcm-format", stream[0].format.rate
    yield kept(name, first.first) if rate == _RATE else broken(name, first.first, f"{_RATE} Hz", f"{rate} Hz")


def binary_only(view: View) -> Findings:
    """translator.client.binary-only: no text message."""
    name = "translator.client.binary-only"
    for seen in view.from_client:
        if seen.kind is Kind.TEXT:
            shown = seen.data[:40].decode(errors="replace")
            yield broken(name, seen.first, "binary messages only", f"a text message {shown!r}")
            return
    if view.from_client:
        yield kept(name, view.from_client[0].first)


def chunks(view: View) -> Findings:
    """translator.client.chunk-size: audio goes in chunks of about 100 ms, not by the minute."""
    if view.header is None:
        return
    most = view.header.format.ms_to_bytes(_LONGEST_CHUNK_MS) + view.header.length
    name = "translator.client.chunk-size"
    large = [seen for seen in view.from_client if seen.kind is Kind.BINARY and len(seen.data) > most]
    if large:
        expected = f"messages of at most {_LONGEST_CHUNK_MS} ms ({most} bytes)"
        yield broken(name, large[0].last, expected, f"{len(large[0].data)} bytes in one, {len(large)} such messages")
    elif view.from_client:
        yield kept(name, view.from_client[-1].last)


def _quiet_end(view: View) -> tuple[int, int]:
    """Return the samples of the stream, and how many of the last ones are silence."""
    assert view.header is not None  # noqa: S101 - the callers have looked
    pcm = b"".join(seen.data for seen in view.from_client if seen.kind is Kind.BINARY)[view.header.length :]
    samples = np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    return len(samples), len(samples) - (int(loud[-1]) + 1 if len(loud) else 0)


def silence(view: View) -> Findings:
    """translator.client.silence: 2.5 s of silence follow the last utterance of a client that is done."""
    closed = view.close_of(Party.CLIENT)
    if view.header is None or closed is None:
        return
    total, quiet = _quiet_end(view)
    if quiet == total:
        return
    name, at = "translator.client.silence", closed[0]
    milliseconds = quiet * 1000 // view.header.format.rate
    if milliseconds >= _SILENCE_MS:
        yield kept(name, at)
    else:
        yield broken(name, at, f"{_SILENCE_MS} ms of silence behind the last utterance", f"{milliseconds} ms")


def ending(view: View) -> Findings:
    """translator.client.closes, close-code, waits-for-final: the closing handshake, with 1000, behind the results."""
    audio = [seen for seen in view.from_client if seen.kind is Kind.BINARY and seen.data]
    if not audio or view.header is None:
        return
    ours, theirs = view.close_of(Party.CLIENT), view.close_of(Party.SERVER)
    name = "translator.client.closes"
    if ours is None:
        gone = next(
            ((at, e) for at, e in enumerate(view.entries) if isinstance(e, Ended) and e.by is Party.CLIENT), None
        )
        if theirs is None and gone is not None:
            yield broken(name, gone[0], "a close frame", f"the connection ended ({gone[1].how.value})")
        return
    if theirs is not None and theirs[0] < ours[0]:
        return
    yield kept(name, ours[0])
    name, code = "translator.client.close-code", ours[1].code
    yield kept(name, ours[0]) if code == 1000 else broken(name, ours[0], "close code 1000", str(code))


def waits(view: View) -> Findings:
    """translator.client.waits-for-final: it stays until the final of its last utterance has come."""
    ours = view.close_of(Party.CLIENT)
    if ours is None or view.header is None:
        return
    total, quiet = _quiet_end(view)
    before = [result for result in view.results if result.seen.last < ours[0]]
    name = "translator.client.waits-for-final"
    if before and before[-1].final:
        yield kept(name, ours[0])
    elif quiet < total:
        seen = "a close behind a partial" if before else "a close before any result"
        yield broken(name, ours[0], "the final of the last utterance before the close", seen)


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, header, "translator.client.header-first", "translator.client.pcm-format"),
    rule(Party.CLIENT, binary_only, "translator.client.binary-only"),
    rule(Party.CLIENT, chunks, "translator.client.chunk-size"),
    rule(Party.CLIENT, silence, "translator.client.silence"),
    rule(Party.CLIENT, ending, "translator.client.closes", "translator.client.close-code"),
    rule(Party.CLIENT, waits, "translator.client.waits-for-final"),
)
