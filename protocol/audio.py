"""Linear PCM: its shape, the three units in which it is measured, its loudness, and what is turned into it.

Audio is counted in bytes where it is stored, in ticks of 100 ns where the wire reports it, and in milliseconds
where a person configures it. All conversions are integer arithmetic, so that they give the same answer on every
machine however long the stream is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

TICKS_PER_SECOND = 10_000_000
"""Media time on the wire is in ticks of 100 ns."""

_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The shape of signed little-endian linear PCM: `rate` in Hz, `channels`, `bits` of one sample.

    Any linear PCM can be described; which of it a dialect takes is for the reader of its header to say. Raises
    ValueError for a shape that no sound can have.
    """

    rate: int
    channels: int = 1
    bits: int = 16

    def __post_init__(self) -> None:
        if self.rate < 1 or self.channels < 1 or self.bits < 8 or self.bits % 8:
            raise ValueError(f"no PCM has {self.rate} Hz, {self.channels} channels and {self.bits} bits")

    @property
    def block_align(self) -> int:
        """Bytes of one instant: one sample of every channel."""
        return self.channels * self.bits // 8

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second; the `byte rate` of a WAVE header."""
        return self.rate * self.block_align

    def bytes_to_ticks(self, size: int) -> int:
        """Return the duration of `size` bytes (0 or more) in ticks, to the nearest tick, half a tick upwards."""
        return _divide(size * TICKS_PER_SECOND, self.bytes_per_second)

    def ticks_to_bytes(self, ticks: int) -> int:
        """Return the bytes that `ticks` (0 or more) of audio take, to the nearest whole instant."""
        return _divide(ticks * self.rate, TICKS_PER_SECOND) * self.block_align

    def ms_to_bytes(self, ms: int) -> int:
        """Return the bytes that `ms` milliseconds (0 or more) of audio take, to the nearest whole instant."""
        return _divide(ms * self.rate, 1000) * self.block_align


class Codec(Enum):
    """How a sample is written; the values are the tags of a WAVE header."""

    PCM = 1
    ALAW = 6
    MULAW = 7

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return {1: "PCM", 6: "A-law", 7: "mu-law"}[self.value]


class Coded(Protocol):
    """Whatever says how samples are written, e.g. a RiffHeader."""

    @property
    def format(self) -> PcmFormat:
        """Their shape."""

    @property
    def codec(self) -> Codec:
        """Their codec."""


def to_mono16(data: bytes, coded: Coded) -> bytes:
    """Return whole blocks of samples as 16-bit mono PCM at the same rate, the channels averaged.

    Taken are 16-bit PCM, 8-bit PCM (unsigned, as WAVE has it), and A-law and mu-law (8 bits, ITU-T G.711). Raises
    ValueError for half a block and for other samples.
    """
    shape, codec = coded.format, coded.codec
    if len(data) % shape.block_align:
        raise ValueError(f"{len(data)} bytes are no whole blocks of {shape.block_align} bytes")
    if codec is Codec.PCM and shape.bits == 16:
        if shape.channels == 1:
            return data
        samples = np.frombuffer(data, dtype="<i2").astype(np.int32)
    elif shape.bits == 8:
        samples = _eight_bits(codec)[np.frombuffer(data, dtype=np.uint8)]
    else:
        raise ValueError(f"samples of {shape.bits} bits in {codec.label} are not taken")
    # To the nearest, and half upwards: in integers, so that it is the same on every machine.
    channels = shape.channels
    mono = (2 * samples.reshape(-1, channels).sum(axis=1) + channels) // (2 * channels)
    return bytes(mono.astype("<i2").tobytes())


@cache
def _eight_bits(codec: Codec) -> npt.NDArray[np.int32]:
    """Return the 16-bit sample that each byte stands for."""
    code = np.arange(256, dtype=np.int32)
    if codec is Codec.PCM:
        return (code - 128) << 8
    # Sign, segment and step within it; A-law has even bits inverted, mu-law all of them.
    code ^= 0x55 if codec is Codec.ALAW else 0xFF
    segment, step = code >> 4 & 7, code & 15
    if codec is Codec.ALAW:
        size = np.where(segment == 0, (step << 4) + 8, (step << 4) + 0x108 << np.maximum(segment - 1, 0))
        return np.where(code & 0x80, size, -size).astype(np.int32)
    size = ((step << 3) + 0x84 << segment) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int32)


def rms_dbfs(pcm: bytes) -> float:
    """Return the loudness of 16-bit little-endian PCM in dB relative to full scale (a full square wave is 0).

    Digital silence, and no audio at all, are minus infinity. Raises ValueError for half a sample.
    """
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if not samples.any():
        return float("-inf")
    return float(10.0 * np.log10(np.mean(np.square(samples / _FULL_SCALE))))


def _divide(dividend: int, divisor: int) -> int:
    # Half upwards, unlike round(): at 16 kHz every odd byte is half a tick, and neighbours should not alternate.
    return (2 * dividend + divisor) // (2 * divisor)
