"""What a client streams, and how it ends (requirements translator.client.*)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf

import numpy as np

from conformance.judge.findings import Findings, Rule, broken, kept, rule
from conformance.judge.translator.reading import Result, View
from conformance.judge.verdict import Verdict
from conformance.transcript import Ended, Ending, Frame
from protocol.errors import PeerViolation
from protocol.wire import Kind, Party

_RATE = 16_000
_LONGEST_CHUNK_MS = 256  # 8 KiB at 16 kHz: the most that the official application sends at a time
_SILENCE_MS = 2500
_STOPPED_S = 2.0  # real clients send chunks of at most a second; one that sends nothing for two has stopped
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
    else:
        yield kept(name, view.from_client[-1].last)


@dataclass(frozen=True, slots=True)
class _Stream:
    """What a client has said: the entry with its last loud sample, and the silence behind that, in ms."""

    last_word: int
    last_audio: int
    quiet_ms: int


def _stream(view: View) -> _Stream | None:
    """Return what the stream holds; None if there is none, or nothing loud in it."""
    frames = [
        (at, entry)
        for at, entry in enumerate(view.entries)
        if isinstance(entry, Frame) and entry.sender is Party.CLIENT and entry.kind is Kind.BINARY and entry.data
    ]
    if view.header is None:
        return None
    pcm = b"".join(frame.data for _, frame in frames)[view.header.length :]
    samples = np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2")
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    if not len(loud):
        return None
    quiet = len(samples) - (int(loud[-1]) + 1)
    until = view.header.length + int(loud[-1]) * 2
    ends = accumulate(len(frame.data) for _, frame in frames)
    last_word = next(at for (at, _), end in zip(frames, ends, strict=True) if end > until)
    return _Stream(last_word, frames[-1][0], quiet * 1000 // view.header.format.rate)


def _answer(view: View, stream: _Stream) -> Result | None:
    """Return the final of the last utterance: the first that came behind its last word."""
    return next((result for result in view.finals if result.seen.first > stream.last_word), None)


def silence(view: View) -> Findings:
    """translator.client.silence: 2.5 s of silence follow the last utterance.

    Less is a departure of a client that leaves without its final, or that stops sending and waits for it. One whose
    final comes while it may still be sending needs no more silence.
    """
    stream = _stream(view)
    if stream is None:
        return
    name = "translator.client.silence"
    if stream.quiet_ms >= _SILENCE_MS:
        yield kept(name, stream.last_audio)
        return
    answer, ours, theirs = _answer(view, stream), view.close_of(Party.CLIENT), view.close_of(Party.SERVER)
    if answer is not None:
        until = answer.seen.started
    elif theirs is not None and (ours is None or theirs[0] < ours[0]):
        return  # the server has ended the session
    else:
        until = inf if ours is not None else view.entries[-1].time
    if until - view.entries[stream.last_audio].time > _STOPPED_S:
        expected = f"{_SILENCE_MS} ms of silence behind the last utterance"
        yield broken(name, stream.last_audio, expected, f"{stream.quiet_ms} ms")


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
            how, verdict = gone[1].how, Verdict.VIOLATION if gone[1].how is Ending.UNREADABLE else None
            observed = gone[1].detail or f"the connection ended ({how.value})"
            yield broken(name, gone[0], "a close frame", observed, verdict)
        return
    if theirs is not None and theirs[0] < ours[0]:
        return
    yield kept(name, ours[0])
    name, code = "translator.client.close-code", ours[1].code
    yield kept(name, ours[0]) if code == 1000 else broken(name, ours[0], "close code 1000", str(code))


def waits(view: View) -> Findings:
    """translator.client.waits-for-final: it stays until the final of its last utterance has come."""
    ours, stream = view.close_of(Party.CLIENT), _stream(view)
    if ours is None or stream is None:
        return
    name, answer = "translator.client.waits-for-final", _answer(view, stream)
    if answer is not None and answer.seen.last < ours[0]:
        yield kept(name, ours[0])
        return
    theirs = view.close_of(Party.SERVER)
    if theirs is None or theirs[0] > ours[0]:
        seen = "a close behind a partial" if view.results and not view.results[-1].final else "a close before it"
        yield broken(name, ours[0], "the final of the last utterance before the close", seen)


RULES: Sequence[Rule[View]] = (
    rule(Party.CLIENT, header, "translator.client.header-first", "translator.client.pcm-format"),
    rule(Party.CLIENT, binary_only, "translator.client.binary-only"),
    rule(Party.CLIENT, chunks, "translator.client.chunk-size"),
    rule(Party.CLIENT, silence, "translator.client.silence"),
    rule(Party.CLIENT, ending, "translator.client.closes", "translator.client.close-code"),
    rule(Party.CLIENT, waits, "translator.client.waits-for-final"),
)
