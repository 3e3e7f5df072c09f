"""How the judge reads the header of a client's audio: only as far as it takes to measure what follows.

What a server has to take is for the sessions to say; here any linear or companded format will do, since clients send
some (fact B, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.audio import TICKS_PER_SECOND

_STARTS = (b"RIFF", b"OggS", b"#!SILK")


@dataclass(frozen=True, slots=True)
class Wave:
    """What a WAVE header says of the samples behind it, and how many bytes it has itself."""

    tag: int
    channels: int
    rate: int
    byte_rate: int
    bits: int
    length: int

    def ticks(self, size: int) -> int:
        """Return how long so many bytes of samples are."""
        return size * TICKS_PER_SECOND // self.byte_rate


def begins_like_one(data: bytes) -> bool:
    """Tell whether audio begins as a stream with a header of its own does, WAVE or another container."""
    return any(data.startswith(start[: len(data)]) for start in _STARTS)


def read_wave(data: bytes) -> Wave | None:
    """Return the header at the start of a stream; None if there is none, or not all of it."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    at, fmt = 12, b""
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            return _wave(fmt, at)
        if name == b"fmt ":
            fmt = data[at : at + size]
        at += size + size % 2
    return None


def _wave(fmt: bytes, length: int) -> Wave | None:
    if len(fmt) < 16:
        return None
    tag, channels, rate, byte_rate, bits = (
        int.from_bytes(fmt[start:end], "little") for start, end in ((0, 2), (2, 4), (4, 8), (8, 12), (14, 16))
    )
    return Wave(tag, channels, rate, byte_rate, bits, length) if byte_rate else None
