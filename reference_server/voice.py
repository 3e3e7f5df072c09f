"""From the samples that an engine speaks to the file that a client gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import lameenc

from protocol.audio import PcmFormat
from protocol.riff import build_file
from reference_server.engines.base import VOICE_RATE

MP3_KBIT = 64

Encoder = Callable[[bytes], Iterator[bytes]]
"""Turns 16-bit mono PCM at VOICE_RATE into the pieces of one complete file, with little work between two pieces."""

_SECOND = VOICE_RATE * 2


def wav(pcm: bytes) -> Iterator[bytes]:
    """Yield a complete WAV file with true sizes (requirement translator.voice.complete-file)."""
    yield build_file(PcmFormat(VOICE_RATE), pcm)


def mp3(pcm: bytes) -> Iterator[bytes]:
    """Yield a complete MP3 stream of 64 kbit/s, mono (requirement translator.voice.mp3), a second at a time."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(VOICE_RATE)
    encoder.set_bit_rate(MP3_KBIT)
    for at in range(0, len(pcm), _SECOND):
        yield bytes(encoder.encode(pcm[at : at + _SECOND]))
    yield bytes(encoder.flush())
