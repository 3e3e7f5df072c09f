"""Linear PCM: its shape, the three units in which it is measured, and its loudness.

Audio is counted in bytes where it is stored, in ticks of 100 ns where the wire reports it, and in milliseconds
where a person configures it. All conversions are integer arithmetic, so that they give the same answer on every
machine however long the stream is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
