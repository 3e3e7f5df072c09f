"""A voice made of tones: for each character one short sound, the same for the same voice and text on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from protocol.languages import Voice
from reference_server.engines.base import LONGEST_VOICE_S, VOICE_RATE

_PITCH_HZ = {"female": 200.0, "male": 110.0}
_HARMONICS = 5
_FADE = 0.15  # of a sound, at either end
_BLANK = 0.1  # how loud a blank is
_COLOURS = 0b111_1110  # the bits of a character that its harmonics depend on: so many sounds there are


def speak(text: str, voice: Voice, ms_per_character: int, level_dbfs: float) -> Iterator[bytes]:
    """Yield the sounds of a text as 16-bit mono PCM at VOICE_RATE, each of the given length and loudness (RMS)."""
    seed = zlib.crc32(voice.id.encode())
    pitch = _PITCH_HZ[voice.gender] * 2 ** (seed % 7 / 12)
    longest = LONGEST_VOICE_S * 1000 // ms_per_character
    for index, character in enumerate(text[:longest]):
        melody = (ord(character) + index) % 5
        sound = _sound(pitch * 2 ** (melody / 12), (ord(character) + seed) & _COLOURS, ms_per_character)
        volume = (_BLANK if character.isspace() else 1.0) * 10 ** (level_dbfs / 20)
        yield np.clip(np.rint(sound * volume * 32768), -32767, 32767).astype("<i2").tobytes()


@lru_cache(512)
def _sound(pitch: float, colour: int, ms: int) -> npt.NDArray[np.float64]:
    """Return one sound with an RMS of 1: a fundamental, and harmonics that the colour decides."""
    length = max(1, VOICE_RATE * ms // 1000)
    time = np.arange(length) / VOICE_RATE
    sound = np.zeros(length)
    for harmonic in range(1, _HARMONICS + 1):
        weight = (1 + (colour >> harmonic) % 4) / harmonic**1.5
        sound += weight * np.sin(2 * np.pi * harmonic * pitch * time + harmonic)
    edge = np.arange(length) / length
    sound *= np.minimum(1, np.minimum(edge, 1 - edge) / _FADE + 0.1)
    sound /= max(float(np.sqrt(np.mean(sound**2))), 1e-9)
    sound.flags.writeable = False  # shared by everybody who speaks
    return sound
